"""Opens label maps as labels layers: a file, a folder of label maps, or a split of a dataset."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cellbench.data.folder import LABEL_FOLDERS
from cellbench.errors import LabelMapError
from cellbench.labels import LabelMap, label_files, read_labels
from cellbench.labels.names import SUFFIXES, label_stem

MOST_FILES = 50
"""The largest number of label maps of a folder that are opened."""

LayerData = tuple[LabelMap, dict[str, Any], str]
"""Array, options and type of a layer, as napari's readers return them."""

_CELLS = "_cells.csv"


def label_map_reader(
    path: str | Sequence[str],
) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """Return the function that opens a path, as napari asks of a reader.

    Args:
        path: a file or a folder, or several files.

    Returns:
        `read_label_layers`; None if a path can be no label map.
    """
    return read_label_layers if all(map(_is_readable, _paths(path))) else None


def read_label_layers(path: str | Sequence[str]) -> list[LayerData]:
    """Read label maps as labels layers.

    The table of the cells that ``cellbench segment --table`` writes beside a label map becomes the
    features of its layer.

    Args:
        path: a file or a folder, or several files. Of a folder with a subfolder ``labels`` or ``masks``,
            such as a split of a dataset, the label maps in that subfolder are read.

    Returns:
        Array, options and type of each layer.

    Raises:
        LabelMapError: if a file is not a label map, or a folder has none, or more than
            `MOST_FILES`.
    """
    files: dict[str, Path] = {}
    for each in _paths(path):
        files |= _in_folder(each) if each.is_dir() else {_stem(each): each}
    return [_layer(stem, file) for stem, file in files.items()]


def _paths(path: str | Sequence[str]) -> list[Path]:
    return [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]


def _is_readable(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() in SUFFIXES


def _in_folder(folder: Path) -> dict[str, Path]:
    inner = next((folder / name for name in LABEL_FOLDERS if (folder / name).is_dir()), folder)
    found = label_files(inner)
    if not found:
        raise LabelMapError(
            f"{inner}: contains no label maps; choose the folder of a split, or of predictions"
        )
    if len(found) > MOST_FILES:
        raise LabelMapError(
            f"{inner}: contains {len(found)} label maps, and at most {MOST_FILES} are opened at once; "
            "open single files"
        )
    return found


def _stem(path: Path) -> str:
    return label_stem(path.name) or path.stem


def _layer(stem: str, path: Path) -> LayerData:
    options: dict[str, Any] = {"name": f"{stem} labels", "metadata": {"cellbench_stem": stem}}
    table = path.with_name(f"{stem}{_CELLS}")
    if table.is_file():
        import pandas as pd

        options["features"] = pd.read_csv(table).rename(columns={"id": "index"})
    return read_labels(path), options, "labels"
