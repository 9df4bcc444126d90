"""Archives of the ROI Manager of ImageJ and Fiji: one region of interest per cell."""

import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from cellbench.data.exporters.base import LabeledImage
from cellbench.errors import DatasetError
from cellbench.extras import import_format_package
from cellbench.files import written_whole
from cellbench.labels.tracing import Ring, TracedCell, trace_cells

_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0
"""Segments of a path, as java.awt.geom.PathIterator numbers them."""
_LARGEST = 60_535  # of the 16 bits of a coordinate, the highest values are negative numbers
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # so that the same label map gives the same file


def write_imagej_rois(image: LabeledImage, out: Path) -> None:
    """Write the cells of a label map as an archive that the ROI Manager opens.

    A cell in one piece without holes is a traced outline; other cells are composite regions, which keep
    pieces and holes.

    Args:
        image: the label map.
        out: the ZIP file; an older one is replaced.

    Raises:
        DatasetError: if roifile is not installed, or the image is too large for the format.
    """
    labels = image.read_labels()
    if max(labels.shape) > _LARGEST:
        raise DatasetError(
            f"{image.labels}: regions of ImageJ end at pixel {_LARGEST}, but the label map has "
            f"{labels.shape[0]} × {labels.shape[1]} px; export it with --to geojson"
        )
    with written_whole(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for cell in trace_cells(labels):
            member = zipfile.ZipInfo(f"{cell.id:05d}.roi", _EARLIEST)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, _region(cell).tobytes())


def _region(cell: TracedCell) -> Any:  # noqa: ANN401  (roifile need not be installed)
    roifile = import_format_package("roifile", "--to imagej-roi", DatasetError)
    outline = cell.pieces[0].outline
    region = roifile.ImagejRoi.frompoints(outline, name=f"{cell.id:05d}")
    region.roitype = roifile.ROI_TYPE.TRACED
    rings = [ring for piece in cell.pieces for ring in (piece.outline, *piece.holes)]
    corners = np.concatenate(rings)
    (region.left, region.top), (region.right, region.bottom) = (
        corners.min(axis=0).tolist(),
        corners.max(axis=0).tolist(),
    )
    if len(rings) > 1:
        region.roitype = roifile.ROI_TYPE.RECT
        region.integer_coordinates, region.n_coordinates = None, 0
        path = np.fromiter(chain.from_iterable(map(_path, rings)), np.float32)
        region.multi_coordinates, region.shape_roi_size = path, len(path)
    return region


def _path(ring: Ring) -> Iterator[float]:
    """Yield a closed polygon as the segments of a path."""
    for number, (x, y) in enumerate(ring.tolist()):
        yield from (_LINE if number else _MOVE, x, y)
    yield _CLOSE
