"""GeoJSON for QuPath: one feature per cell, with its exact outline."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from cellbench.data.exporters.base import LabeledImage
from cellbench.files import written_whole
from cellbench.labels.tracing import Ring, TracedCell, trace_cells

_NAMESPACE = UUID(
    "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
)  # RFC 4122's, for names that are addresses


def write_geojson(image: LabeledImage, out: Path) -> None:
    """Write the cells of a label map as detections of QuPath.

    Coordinates are pixels of the full image from its upper left corner. A cell in one piece is a Polygon, a
    cell in several pieces a MultiPolygon; holes are kept. The same label map gives the same file.

    Args:
        image: the label map.
        out: the GeoJSON file.
    """
    with written_whole(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[')
        for number, cell in enumerate(trace_cells(image.read_labels())):
            feature = json.dumps(_feature(image.stem, cell), separators=(",", ":"))
            file.write((",\n" if number else "\n") + feature)
        file.write("\n]}\n")


def _feature(stem: str, cell: TracedCell) -> dict[str, Any]:
    polygons = [[_closed(ring) for ring in (piece.outline, *piece.holes)] for piece in cell.pieces]
    kind, coordinates = (
        ("Polygon", polygons[0]) if len(polygons) == 1 else ("MultiPolygon", polygons)
    )
    return {
        "type": "Feature",
        "id": str(uuid5(_NAMESPACE, f"cellbench:{stem}:{cell.id}:{coordinates}")),
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": {
            "objectType": "detection",
            "name": str(cell.id),
            "classification": {"name": "Cell", "color": [255, 128, 0]},
            "measurements": {"Area px^2": cell.area},
        },
    }


def _closed(ring: Ring) -> list[list[int]]:
    corners: list[list[int]] = ring.tolist()
    return [*corners, corners[0]]
