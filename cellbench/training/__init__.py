"""Training: the command line, the datamodule with its patches and augmentation, and callbacks."""
