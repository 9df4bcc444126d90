"""Files with outlines of cells instead of a label map: which they are, and how they are drawn."""

import re
import zipfile
from collections.abc import Container
from functools import partial
from pathlib import Path

from cellbench.data.importers.base import Draw
from cellbench.data.importers.imagej import draw_rois
from cellbench.data.importers.qupath import draw_geojson, geojson_members
from cellbench.images import image_stem

_GEOJSON = (".geojson", ".json")
_ENDING = re.compile(
    r"(?<=.)([ ._-]?(roi|rois|roiset)"
    r"|[ ._-]+(annotation|detection|cell|object|outline)s?|[ ._-]+qupath)$",
    re.IGNORECASE,
)


def annotation_kind(path: Path) -> str:
    """Return the kind of a file with outlines, by its name.

    Args:
        path: the file.

    Returns:
        ``geojson`` (QuPath), ``roi`` (ImageJ), or an empty text for other files.
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(_GEOJSON):
        return "geojson"
    return "roi" if name.endswith((".roi", ".zip")) else ""


def name_for_pairing(path: Path, stems: Container[str] = ()) -> str:
    """Return the name of the label map in whose place a file with outlines is, to pair it with its image.

    Args:
        path: the file.
        stems: the stems of the images; an ending that is part of such a stem is kept.

    Examples:
        >>> name_for_pairing(Path("a.ome.tif.geojson")), name_for_pairing(Path("a_RoiSet.zip"))
        ('a.ome.tif', 'a.tif')
        >>> name_for_pairing(Path("a_cells.geojson")), name_for_pairing(Path("a_cells.json"), ["a_cells"])
        ('a.tif', 'a_cells.tif')
    """
    if not annotation_kind(path):
        return path.name
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    stem = image_stem(name.rpartition(".")[0])
    return f"{stem if stem in stems else _ENDING.sub('', stem)}.tif"


def draw_of(path: Path) -> Draw | None:
    """Return the function that draws the outlines of a file; None if the file is a label map.

    Args:
        path: the file; a ZIP archive may contain ROIs of ImageJ or GeoJSON of QuPath.
    """
    kind = annotation_kind(path)
    if not kind:
        return None
    return partial(draw_geojson if kind == "geojson" or _has_geojson(path) else draw_rois, path)


def _has_geojson(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return len(geojson_members(archive)) == 1
    except (OSError, zipfile.BadZipFile):  # reported when it is drawn
        return False
