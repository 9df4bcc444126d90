"""Cellpose's ``_seg.npy``: a label map that its program opens for correction."""

from pathlib import Path

import numpy as np

from cellbench.data.exporters.base import LabeledImage
from cellbench.files import written_whole
from cellbench.labels import relabel
from cellbench.labels.diameters import median_diameter
from cellbench.labels.drawing import inner_outlines

_USUAL_DIAMETER = 30.0  # Cellpose's own default, for images without cells


def write_cellpose(image: LabeledImage, out: Path) -> None:
    """Write a label map as Cellpose's ``masks_flows_to_seg`` does, without flows.

    The program finds the image by its path in the file, or else beside the file. Ids are renumbered 1 … N,
    because the program counts cells by the largest id.

    Args:
        image: the label map.
        out: the file; its name should be that of the image, with ``_seg.npy``.
    """
    masks = relabel(image.read_labels())
    cells = int(masks.max())
    on_border = inner_outlines(np.pad(masks, 1))[1:-1, 1:-1]
    content = {
        "outlines": np.where(on_border, masks, 0).astype(masks.dtype),
        "masks": masks,
        "chan_choose": [0, 0],
        "ismanual": np.zeros(cells, bool),
        "filename": str(image.image.resolve()) if image.image else image.stem,
        "flows": [[], [], [], [], [[]]],
        "diameter": median_diameter(masks) or _USUAL_DIAMETER,
    }
    with written_whole(out) as temporary, temporary.open("wb") as file:
        np.save(file, np.array(content), allow_pickle=True)
