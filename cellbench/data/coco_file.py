"""COCO files: datasets with images and annotations, and lists of results that detectors write."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellbench.data.coco_masks import has_no_outline
from cellbench.data.json_values import finite_number, id_text, is_true, shown, whole_number
from cellbench.errors import DatasetError

_Json = dict[str, Any]

_MOST_NAMED = 10
_LONGEST_NAME = 60


@dataclass(frozen=True)
class CocoImage:
    """An image that a COCO file lists.

    Attributes:
        id: its id, as text.
        file_name: its file name as the file states it, possibly with folders; it is not checked.
        size: height and width as the file states them; None where it does not.
    """

    id: str
    file_name: object
    size: tuple[int | None, int | None]


@dataclass(frozen=True)
class CocoCell:
    """An annotation, or a detection in a list of results.

    Attributes:
        name: how messages call it, for example "annotation 5".
        image: id of its image, as text.
        category: id of its category, as text; None if it has none.
        segmentation: its polygons or run-length code, not checked.
        crowd: whether it stands for a group of objects.
        score: how sure the detector is; None in a dataset.
        named_image: whether ``image`` was written as text, so that it may be a file name.
    """

    name: str
    image: str
    category: str | None
    segmentation: object
    crowd: bool
    score: float | None
    named_image: bool


@dataclass(frozen=True)
class CocoFile:
    """The content of a COCO file.

    Attributes:
        path: the file.
        images: the listed images by id; None in a list of results.
        cells: all annotations or detections, in the order of the file.
        categories: name of each category by id.
    """

    path: Path
    images: dict[str, CocoImage] | None
    cells: list[CocoCell]
    categories: dict[str, str]


def read_coco_file(path: Path) -> CocoFile:
    """Read a COCO file; ids and numbers may be written as text.

    Args:
        path: the JSON file.

    Raises:
        DatasetError: if the file cannot be read or does not have the structure of a COCO dataset or of a
            list of results.
    """
    content = _json(path)
    try:
        return _parsed(path, content)
    except KeyError as error:
        raise DatasetError(
            f"{path}: lacks the entry {error}, which every COCO file has; export the annotations as COCO"
        ) from error
    except (TypeError, AttributeError) as error:
        raise DatasetError(
            f"{path}: does not have the structure of a COCO file ({error}); check the file"
        ) from error


def _json(path: Path) -> Any:  # noqa: ANN401
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); check the name") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: not a JSON file ({error}); download it again") from error


def _parsed(path: Path, content: Any) -> CocoFile:  # noqa: ANN401
    if isinstance(content, list):
        return CocoFile(path, None, _cells(path, content, "detection"), {})
    cells = _cells(path, _listed(content["annotations"]), "annotation")
    images = None
    if "images" in content or not any(cell.score is not None for cell in cells):
        images = _images(path, _listed(content["images"]))
    return CocoFile(path, images, cells, _categories(content.get("categories")))


def _listed(entries: Any) -> list[Any]:  # noqa: ANN401
    # Some of LIVECell's files hold a dictionary of annotations.
    return list(entries.values()) if isinstance(entries, dict) else list(entries)


def _images(path: Path, entries: Sequence[_Json]) -> dict[str, CocoImage]:
    images: dict[str, CocoImage] = {}
    for entry in entries:
        number = _id(path, entry["id"], "an image")
        if number in images:
            raise DatasetError(f"{path}: two images have the same id {number}; change one of them")
        sides = [_side(path, number, entry, side) for side in ("height", "width")]
        images[number] = CocoImage(number, entry.get("file_name"), (sides[0], sides[1]))
    return images


def _side(path: Path, image: str, entry: _Json, name: str) -> int | None:
    value = entry.get(name)
    if value is None or value == "":
        return None
    if (side := whole_number(value)) is None:
        raise DatasetError(
            f"{path}, image {image}: the {name} {shown(value)} is not a whole number"
        )
    return side


def _cells(path: Path, entries: Sequence[_Json], kind: str) -> list[CocoCell]:
    return [_cell(path, entry, kind, number) for number, entry in enumerate(entries, start=1)]


def _cell(path: Path, entry: _Json, kind: str, number: int) -> CocoCell:
    name = f"{kind} {id_text(entry.get('id')) or number}"
    name = name if name.isprintable() and len(name) <= _LONGEST_NAME else f"{kind} {number}"
    where = f"{path}, {name}"
    crowd = is_true(entry.get("iscrowd"))
    if crowd is None:
        raise DatasetError(f"{where}: iscrowd is {shown(entry['iscrowd'])}; write 0 or 1")
    score = finite_number(entry.get("score"))
    if score is None and entry.get("score") is not None:
        raise DatasetError(f"{where}: the score {shown(entry['score'])} is not a number")
    category = entry.get("category_id")
    return CocoCell(
        name=name,
        image=_id(path, entry["image_id"], f"the image of {name}"),
        category=None if category is None else _id(path, category, f"the category of {name}"),
        segmentation=entry.get("segmentation"),
        crowd=crowd,
        score=score,
        named_image=isinstance(entry["image_id"], str),
    )


def _id(path: Path, value: object, what: str) -> str:
    text = id_text(value)
    if text is None or not text.isprintable():
        raise DatasetError(f"{path}: {what} has the id {shown(value)}; use a number or a text")
    return text


def _categories(entries: Any) -> dict[str, str]:  # noqa: ANN401
    names = {}
    for entry in _listed(entries or []):
        number = id_text(entry["id"])
        name = entry.get("name")
        if number is not None and number.isprintable():
            names[number] = name if isinstance(name, str) and name.isprintable() else number
    return names


def of_categories(file: CocoFile, wanted: str = "") -> tuple[list[CocoCell], list[str]]:
    """Select the annotations of some categories.

    Args:
        file: the content of a COCO file.
        wanted: names or ids of categories, separated by commas; all categories unless given.

    Returns:
        The annotations, and a warning if categories are merged or left out.

    Raises:
        DatasetError: if there is no such category.
    """
    used = Counter(cell.category for cell in file.cells)
    if not wanted.strip():
        if len(used) < 2:
            return file.cells, []
        names = _counted(file, used)
        return file.cells, [
            f"{file.path}: all categories are imported as cells ({names}); choose with --categories"
        ]
    chosen = {_category(file, word.strip()) for word in wanted.split(",") if word.strip()}
    others = Counter({key: count for key, count in used.items() if key not in chosen})
    warnings = [f"{file.path}: not imported: {_counted(file, others)}"] if others else []
    return [cell for cell in file.cells if cell.category in chosen], warnings


def _category(file: CocoFile, wanted: str) -> str:
    known = {cell.category: "" for cell in file.cells if cell.category} | file.categories
    for same in (str, str.casefold):
        for number, name in [*known.items(), *((number, number) for number in known)]:
            if same(name) == same(wanted):
                return str(number)
    names = _named(f"{name} (id {number})" if name else number for number, name in known.items())
    raise DatasetError(
        f"{file.path}: has no category {wanted!r}; choose from {names or 'none: it lists none'}"
    )


def _counted(file: CocoFile, used: Counter[str | None]) -> str:
    return _named(
        f"{'without a category' if key is None else file.categories.get(key, f'id {key}')}: {count}"
        for key, count in used.most_common()
    )


def _named(names: Iterable[str]) -> str:
    names = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in names]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def check_outlines(file: CocoFile, cells: Sequence[CocoCell]) -> None:
    """Check that some annotation has an outline: files for object detection have boxes only.

    Args:
        file: the content of a COCO file.
        cells: the annotations that are to be read.

    Raises:
        DatasetError: if there are annotations, but none has an outline.
    """
    if cells and all(has_no_outline(cell.segmentation) for cell in cells):
        raise DatasetError(
            f"{file.path}: no annotation has an outline (the first is {cells[0].name}), perhaps it has "
            "boxes only; export polygons or masks, too"
        )
