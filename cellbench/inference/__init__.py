"""Trained models at work: one image, a folder, timed runs of entrants."""

from cellbench.inference.checkpoint import load_model
from cellbench.inference.ensemble import load_models
from cellbench.inference.segment import segment_files, segment_image

__all__ = ["load_model", "load_models", "segment_files", "segment_image"]
