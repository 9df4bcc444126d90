"""COCO instance annotations: polygons and run-length codes in one JSON file, as LIVECell has them."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cellbench.data.importers.base import (
    Drawing,
    ForeignDataset,
    PixelIndices,
    SourceImage,
    checked_name,
    paint,
    subfolder,
)
from cellbench.errors import DatasetError

_Json = dict[str, Any]


def read_coco(source: Path, annotations: str = "", images: str = "images") -> ForeignDataset:
    """Read the images that a COCO file names, with its cells.

    If cells overlap, the smaller one keeps the pixels; ids follow the order of the annotations. Crowd
    annotations are not single cells and are skipped. Some images of LIVECell are listed twice because
    they were annotated twice; the first annotations are used.

    Args:
        source: the folder that contains both.
        annotations: the JSON file, relative to ``source``; unless given, the only one there.
        images: the folder of images, relative to ``source``.

    Raises:
        CellbenchError: if the file is not a COCO file, or names an image that does not exist or is
            outside the folder.
    """
    path = _annotation_file(source, annotations)
    folder = subfolder(source, images, "images")
    listed, cells = _read_file(path)
    foreign = ForeignDataset()
    seen: set[str] = set()
    for number, entry in listed.items():
        name = checked_name(entry.get("file_name"), f"{path}, image {number}")
        if name in seen:
            foreign.warnings.append(f"{path}: lists {name} again, the first annotations are kept")
            continue
        seen.add(name)
        if not (folder / name).is_file():
            raise DatasetError(f"{path}: names {name}, which is not in {folder}; add it")
        single = [cell for cell in cells[number] if not cell.get("iscrowd")]
        if crowds := len(cells[number]) - len(single):
            foreign.warnings.append(f"{folder / name}: crowd annotations skipped: {crowds}")
        labels = partial(_draw, path, entry, single)
        foreign.images.append(SourceImage(folder / name, labels))
    return foreign


def _annotation_file(source: Path, annotations: str) -> Path:
    if annotations:
        return source / annotations
    files = sorted(source.glob("*.json"))
    if len(files) != 1:
        raise DatasetError(
            f"{source}: contains {len(files)} JSON files; name the annotation file with --annotations"
        )
    return files[0]


def _read_file(path: Path) -> tuple[dict[Any, _Json], dict[Any, list[_Json]]]:
    """Read the image entries by id, and the annotations of each."""
    try:
        content = json.loads(path.read_bytes())
        cells = content["annotations"]  # a list; some of LIVECell's files hold a dictionary
        cells = list(cells.values()) if isinstance(cells, dict) else cells
        listed = {entry["id"]: entry for entry in content["images"]}
        grouped: dict[Any, list[_Json]] = {number: [] for number in listed}
        for cell in cells:
            if cell["image_id"] not in grouped:
                raise DatasetError(
                    f"{path}: annotates image {cell['image_id']}, but does not list it"
                )
            grouped[cell["image_id"]].append(cell)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    except DatasetError:
        raise
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: not a JSON file ({error}); download it again") from error
    except KeyError as error:
        raise DatasetError(
            f"{path}: lacks the entry {error}, which every COCO file has; check the file"
        ) from error
    except (TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path}: does not have the structure of a COCO file ({error}); check the file"
        ) from error
    if len(listed) != len(content["images"]):
        raise DatasetError(f"{path}: two images have the same id; change one of them")
    return listed, grouped


def _draw(path: Path, entry: _Json, cells: Sequence[_Json], shape: tuple[int, int]) -> Drawing:
    listed = (entry.get("height", shape[0]), entry.get("width", shape[1]))
    if listed != shape:
        raise DatasetError(
            f"{path}: states that {entry['file_name']} is {listed}, but it is {shape}; correct one of them"
        )
    found = []
    for number, cell in enumerate(cells, start=1):
        where = f"{path}, annotation {cell.get('id', number)} of {entry['file_name']}"
        found.append(decode_segmentation(cell.get("segmentation"), shape, where))
    smallest_first = sorted(range(len(found)), key=lambda position: len(found[position]))
    return paint(found, shape, "the smaller cell", smallest_first)


def decode_segmentation(
    segmentation: object, shape: tuple[int, int], where: str = "segmentation"
) -> PixelIndices:
    """Return the pixels of one COCO segmentation.

    Args:
        segmentation: a list of polygons ``[x1, y1, x2, y2, …]`` in pixels, where (0, 0) is the corner
            of the first pixel, or ``{"size": [H, W], "counts": …}`` with column-major runs, plain or
            compressed.
        shape: (H, W) of the image.
        where: where the segmentation was read, for the error message.

    Returns:
        Ascending indices into the flattened, row-major image; none if a polygon has no area.

    Raises:
        DatasetError: if the segmentation is none of these or has another size.

    Example:
        >>> decode_segmentation([[1, 0, 3, 0, 3, 1, 1, 1]], (2, 4)).tolist()
        [1, 2]
    """
    if isinstance(segmentation, list):
        parts = [_polygon(polygon, shape, where) for polygon in segmentation]
        return np.unique(np.concatenate([np.empty(0, np.int64), *parts]))
    if not isinstance(segmentation, dict) or "counts" not in segmentation:
        raise DatasetError(f"{where}: has neither polygons nor a run-length code; add one")
    if segmentation.get("size") != list(shape):
        raise DatasetError(
            f"{where}: has the size {segmentation.get('size')}, but the image is {list(shape)}"
        )
    counts = segmentation["counts"]
    if isinstance(counts, str):
        return _compressed(counts, shape, where)
    return _runs(counts, shape, where)


def _polygon(polygon: object, shape: tuple[int, int], where: str) -> PixelIndices:
    from skimage.draw import polygon as fill

    try:
        points = np.array(polygon, np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        points = np.full((1, 2), np.nan)
    if not np.isfinite(points).all():
        raise DatasetError(f"{where}: a polygon is not a list of pairs of numbers; correct it")
    # skimage counts from pixel centres, COCO from the corner of the first pixel.
    rows, columns = fill(points[:, 1] - 0.5, points[:, 0] - 0.5, shape)
    return np.asarray(rows * shape[1] + columns)


def _runs(counts: object, shape: tuple[int, int], where: str) -> PixelIndices:
    if (
        not isinstance(counts, list)
        or not all(type(count) is int and count >= 0 for count in counts)
        or sum(counts) != shape[0] * shape[1]
    ):
        raise DatasetError(f"{where}: the run lengths do not add up to the image; correct them")
    inside = np.arange(len(counts)) % 2 == 1
    return np.flatnonzero(np.repeat(inside, counts).reshape(shape[::-1]).T)


def _compressed(counts: str, shape: tuple[int, int], where: str) -> PixelIndices:
    try:
        from pycocotools import mask
    except ImportError as error:
        raise DatasetError(
            f"{where}: compressed run-length codes need pycocotools; pip install 'cellbench[coco]'"
        ) from error
    try:
        decoded = mask.decode({"size": list(shape), "counts": counts.encode("ascii")})
    except Exception as error:  # the C code can raise anything for a broken code
        raise DatasetError(f"{where}: the run-length code is broken ({error})") from error
    return np.flatnonzero(decoded)
