"""Using trained models: on one image, a folder, a whole slide, or as an ensemble."""

from typing import TYPE_CHECKING

from cellbench.lazy import lazy_names

if TYPE_CHECKING:
    from cellbench.inference.checkpoint import load_model
    from cellbench.inference.ensemble import load_models
    from cellbench.inference.run_files import segment_files
    from cellbench.inference.segment import segment_cells, segment_image

__all__ = ["load_model", "load_models", "segment_cells", "segment_files", "segment_image"]

# Models use the tiles of this package, and loading a checkpoint uses the models.
__getattr__ = lazy_names(
    __name__,
    {
        "load_model": "cellbench.inference.checkpoint",
        "load_models": "cellbench.inference.ensemble",
        "segment_cells": "cellbench.inference.segment",
        "segment_files": "cellbench.inference.run_files",
        "segment_image": "cellbench.inference.segment",
    },
)
