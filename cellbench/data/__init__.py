"""Datasets: the folder layout, importers, the built-in sample, and the one datamodule."""
