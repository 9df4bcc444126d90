"""Datasets: the folder layout, importers, exporters, downloads and the built-in sample."""
