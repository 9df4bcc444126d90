"""Ready models of cellbench: weights files, their checksums and model cards; no code."""
