"""Outlines of cells in GeoJSON, as QuPath exports them, or in LabelMe's JSON, drawn as label maps."""

import json
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cellbench.data.importers.base import Drawing, fill_outlines
from cellbench.errors import DatasetError
from cellbench.labels.outlines import Ring, ellipse_ring
from cellbench.unpacking import read_member, read_unpacked

_Json = dict[str, Any]

# QuPath 0.2 wrote the class of an object as its id.
_KINDS = {
    "cell": "detection",
    "pathcellobject": "detection",
    "pathdetectionobject": "detection",
    "pathannotationobject": "annotation",
    "pathtileobject": "tile",
    "pathrootobject": "root",
    "tmacoreobject": "tmacore",
}


@dataclass
class _Objects:
    """The outlines of one file: each is a list of polygons, a polygon a list of rings.

    Attributes:
        detection: the outlines of detections and cells.
        annotation: the outlines of annotations, and of objects without a type.
        others: number of objects that are not outlines of cells: points, lines, tiles.
    """

    detection: list[list[list[Ring]]] = field(default_factory=list)
    annotation: list[list[list[Ring]]] = field(default_factory=list)
    others: int = 0


def draw_geojson(path: Path, shape: tuple[int, int]) -> Drawing:
    """Draw the cells in a GeoJSON file of QuPath, or the polygons, rectangles and circles of LabelMe.

    Cells are the objects of the type ``detection`` or ``cell``; in a file without them, those of the type
    ``annotation`` or without a type. The outline of a cell is its ``geometry`` (Polygon or MultiPolygon,
    with holes), or its ``nucleusGeometry`` if it has no other. Coordinates are pixels of the full image,
    from the upper left corner of the first pixel.

    Args:
        path: a FeatureCollection, a list of features or one feature; may be compressed (gzip, or a ZIP
            archive as QuPath writes it).
        shape: (H, W) of the image.

    Raises:
        DatasetError: if the file is not GeoJSON, contains only points, lines or tiles, or has no outline
            inside the image.
    """
    objects = _Objects()
    try:
        for feature in _features(json.loads(_text(path))):
            _add(objects, feature)
    except Exception as error:  # damaged files raise many types
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        reason = f"it has no entry {reason}" if isinstance(error, KeyError) else reason
        raise DatasetError(
            f"{path}: cannot be read as GeoJSON ({reason}); export the outlines from QuPath"
        ) from error
    notes = []
    if objects.detection and objects.annotation:
        notes.append(
            f"{path.name} has detections, so its annotations ({len(objects.annotation)}) are not used"
        )
    cells = objects.detection or objects.annotation
    return fill_outlines(path, cells, shape, objects.others, notes)


def _text(path: Path) -> str:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            (name,) = geojson_members(archive)
            return read_member(archive, name).decode("utf-8-sig")
    return read_unpacked(path).decode("utf-8-sig")


def geojson_members(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the GeoJSON files in a ZIP archive.

    Args:
        archive: the archive; files that macOS adds are not counted.
    """
    names = [name for name in archive.namelist() if not name.startswith("__MACOSX")]
    return [name for name in names if name.lower().endswith((".geojson", ".json"))]


def _features(content: Any) -> Iterator[_Json]:  # noqa: ANN401 (anything that JSON can contain)
    """Yield the features of any depth."""
    if isinstance(content, list):
        for entry in content:
            yield from _features(entry)
        return
    if "shapes" in content:
        yield from map(_feature_of_labelme, content["shapes"])
        return
    kind = content["type"]
    if kind == "FeatureCollection":
        yield from _features(content["features"])
    elif kind == "Feature":
        yield content
        yield from _features((content.get("properties") or {}).get("childObjects") or [])
    elif "coordinates" in content or "geometries" in content:
        yield {"geometry": content}
    else:
        raise ValueError(f"the type {kind!r} is unknown")


def _feature_of_labelme(shape: _Json) -> _Json:
    points = shape["points"]
    kind = shape.get("shape_type") or "polygon"
    if kind == "rectangle":
        (left, top), (right, bottom) = points
        points = [[left, top], [right, top], [right, bottom], [left, bottom]]
    elif kind == "circle":
        (x, y), edge = points
        radius = math.dist((x, y), edge)
        points = ellipse_ring(x - radius, y - radius, x + radius, y + radius)
    is_area = kind in ("polygon", "rectangle", "circle")
    return {"geometry": {"type": "Polygon" if is_area else "MultiPoint", "coordinates": [points]}}


def _add(objects: _Objects, feature: _Json) -> None:
    properties = feature.get("properties") or {}
    named = properties.get("objectType") or properties.get("object_type") or feature.get("id") or ""
    word = str(named).lower().replace("_", "")
    kind = _KINDS.get(word, word)
    if kind in ("root", "tmacore"):
        return
    outline = feature.get("geometry") or feature.get("nucleusGeometry")
    polygons = list(_polygons(outline)) if outline and kind != "tile" else []
    if not polygons:
        objects.others += 1
    elif kind == "detection":
        objects.detection.append(polygons)
    else:
        objects.annotation.append(polygons)


def _polygons(geometry: _Json) -> Iterator[list[Ring]]:
    """Yield the polygons of a geometry, each as its rings; nothing for points and lines."""
    kind = geometry["type"]
    if kind == "GeometryCollection":
        for part in geometry["geometries"]:
            yield from _polygons(part)
    elif kind in ("Polygon", "MultiPolygon"):
        coordinates = geometry["coordinates"]
        for rings in [coordinates] if kind == "Polygon" else coordinates:
            if rings:
                yield [np.array([point[:2] for point in ring], np.float64) for ring in rings]
