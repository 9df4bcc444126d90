"""A model, a representation, a datamodule and an entrant that live outside cellbench."""
