"""Regions of interest of ImageJ and Fiji (.roi, and archives of the ROI Manager), drawn as label maps."""

import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cellbench.data.importers.base import Drawing, fill_outlines
from cellbench.errors import DatasetError
from cellbench.extras import import_format_package
from cellbench.labels.outlines import Ring, ellipse_ring

# It would log a line for each name or property that is cut off; the outlines are read all the same.
logging.getLogger("roifile").setLevel(logging.ERROR)

_LARGEST = 1 << 26  # bytes of one region in an archive


def draw_rois(path: Path, shape: tuple[int, int]) -> Drawing:
    """Draw the regions in a .roi file or an archive of them as cells.

    Polygons, freehand and traced outlines, rectangles, ovals and combined regions (with holes) are cells.
    Points, lines and angles are left out, with a warning.

    Args:
        path: the .roi file, or the ZIP archive that the ROI Manager saves.
        shape: (H, W) of the image.

    Raises:
        DatasetError: if the file is damaged, roifile is not installed, or no region is inside the image.
    """
    roifile = import_format_package("roifile", path, DatasetError)
    cells, without_area = [], 0
    try:
        for content in _contents(path):
            rings = _rings(roifile, roifile.ImagejRoi.frombytes(content))
            if rings:
                cells.append([rings])
            else:
                without_area += 1
    except Exception as error:  # roifile raises many types on damaged files
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise DatasetError(
            f"{path}: cannot be read as ROIs of ImageJ ({reason}); save it again with the ROI Manager"
        ) from error
    return fill_outlines(path, cells, shape, without_area)


def _contents(path: Path) -> Iterator[bytes]:
    if path.suffix.lower() != ".zip":
        yield path.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename
            if name.lower().endswith(".roi") and not name.startswith("__MACOSX"):
                if member.file_size > _LARGEST:
                    raise ValueError(f"{name} unpacks to more than 64 MiB")
                yield archive.read(member)


def _rings(roifile: ModuleType, roi: Any) -> list[Ring]:  # noqa: ANN401 (roifile need not be installed)
    """Return the outline of a region and its holes; nothing for points and lines."""
    kinds, subtypes = roifile.ROI_TYPE, roifile.ROI_SUBTYPE
    areas = (kinds.POLYGON, kinds.FREEHAND, kinds.TRACED, kinds.RECT, kinds.OVAL)
    if roi.roitype not in areas or roi.subtype in (subtypes.TEXT, subtypes.IMAGE):
        return []
    if not roi.composite and roi.roitype in (kinds.RECT, kinds.OVAL):
        return [_box(roi, oval=roi.roitype == kinds.OVAL)]
    rings = [np.asarray(ring, np.float64) for ring in roi.coordinates(multi=True)]
    return [ring for ring in rings if len(ring) > 2]


def _box(roi: Any, *, oval: bool) -> Ring:  # noqa: ANN401
    sides = (roi.left, roi.top, roi.right, roi.bottom)
    left, top, right, bottom = map(float, sides)
    if roi.subpixelrect:
        left, top, right, bottom = roi.xd, roi.yd, roi.xd + roi.widthd, roi.yd + roi.heightd
    if not oval:
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    return ellipse_ring(left, top, right, bottom)
