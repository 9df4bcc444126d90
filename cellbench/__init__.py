"""The NeurIPS 2022 cell segmentation challenge as a living benchmark suite."""

__version__ = "0.1.0"
