"""Describe a dataset folder: its images and cells, and the problems in it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cellbench.data.checks import missing_label_problem, split_problems, unused_labels
from cellbench.data.folder import SPLITS, UNLABELED, DatasetImage, read_dataset
from cellbench.errors import ImageError, LabelMapError
from cellbench.images import read_raw, unread_files, unread_message
from cellbench.labels import read_labels
from cellbench.labels.diameters import cell_diameters
from cellbench.labels.pieces import pieces_of_one_id

if TYPE_CHECKING:
    import pandas as pd


_COLUMNS = {
    "split": "split",
    "modality": "modality",
    "images": "images",
    "cells": "cells",
    "cells_median": "cells per image: median",
    "cells_range": "range",
    "height_range": "height",
    "width_range": "width",
    "diameter_median": "cell diameter",
    "formats": "pixel type × channels",
    "without_cells": "without cells",
    "without_labels": "without labels",
}


@dataclass
class _Facts:
    """Facts about one image; what could not be read stays None."""

    split: str
    modality: str
    height: int | None = None
    width: int | None = None
    format: str | None = None
    cells: int | None = None
    unlabeled: bool = False
    diameters: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


def describe(root: str | Path) -> "pd.DataFrame":
    """Describe a dataset folder, one row per split and modality.

    Every image and label map is read completely, so that damaged files are found. Images in
    ``unlabeled`` need no label map.

    Args:
        root: the dataset folder.

    Returns:
        Table with the columns split, modality, images, cells, cells_median, cells_min, cells_max (per image
        with a label map), height_min, height_max, width_min, width_max, diameter_median (of all cells, in
        pixels, of a disc with the cell's area), formats, without_cells and without_labels. Its
        ``attrs["problems"]`` lists what is wrong, one line each.

    Raises:
        CellbenchError: if the folder is not a dataset folder, or two files share a stem.
    """
    import pandas as pd

    root = Path(root)
    images = read_dataset(root, [*SPLITS, UNLABELED])
    problems = split_problems(root)
    left = {split: unused_labels(root, split, images) for split in SPLITS}
    facts = pd.DataFrame(
        [asdict(_facts_of(image, left.get(image.split, []), problems)) for image in images]
    )
    problems += [f"{path}: has no image" for files in left.values() for path in files]
    problems += _unread_images(root)
    groups = facts.groupby(["split", "modality"], sort=False)
    table = pd.DataFrame(
        [{"split": s, "modality": m, **_summary(group)} for (s, m), group in groups]
    )
    table.attrs["problems"] = problems
    return table


def _facts_of(image: DatasetImage, left: Sequence[Path], problems: list[str]) -> _Facts:
    facts = _Facts(image.split, image.modality, unlabeled=image.labels is None)
    try:
        pixels = read_raw(image.image)
        facts.height, facts.width, channels = pixels.shape
        facts.format = f"{pixels.dtype} × {channels}"
    except ImageError as error:
        problems.append(str(error))
    if image.labels is None:
        if image.split != UNLABELED:
            problems.append(missing_label_problem(image, left))
        return facts
    try:
        labels = read_labels(image.labels)
    except LabelMapError as error:
        problems.append(str(error))
        return facts
    if facts.height is not None and labels.shape != (facts.height, facts.width):
        size = f"({facts.height}, {facts.width})"
        problems.append(f"{image.labels}: the label map is {labels.shape}, but its image is {size}")
    if (pieces := pieces_of_one_id(labels)) > 1:
        problems.append(
            f"{image.labels}: one id in {pieces} pieces, probably a binary mask; import it again with "
            "`cellbench data import folder … --split-components`"
        )
    facts.diameters = cell_diameters(labels)
    facts.cells = len(facts.diameters)
    return facts


def _unread_images(root: Path) -> list[str]:
    folders = [root / split / "images" for split in (*SPLITS, UNLABELED)]
    present = [path for one in folders if one.is_dir() for path in unread_files(one)]
    return [unread_message(path) for path in present]


def _summary(group: "pd.DataFrame") -> dict[str, object]:
    diameters = np.concatenate(group["diameters"].to_list())
    return {
        "images": len(group),
        "cells": int(group["cells"].sum()),
        "cells_median": group["cells"].median(),
        "cells_min": group["cells"].min(),
        "cells_max": group["cells"].max(),
        "height_min": group["height"].min(),
        "height_max": group["height"].max(),
        "width_min": group["width"].min(),
        "width_max": group["width"].max(),
        "diameter_median": float(np.median(diameters)) if len(diameters) else float("nan"),
        "formats": ", ".join(sorted(group["format"].dropna().unique())),
        "without_cells": int((group["cells"] == 0).sum()),
        "without_labels": int(group["unlabeled"].sum()),
    }


def format_description(table: "pd.DataFrame") -> str:
    """Return the table of [`describe`][] as text: one line per row, then the problems.

    Args:
        table: what [`describe`][] returns.

    Returns:
        Lines without a trailing newline.
    """
    shown = table.assign(modality=table["modality"].replace("", "unknown")).astype(object)
    for name in ("cells", "height", "width"):
        low, high = shown.pop(f"{name}_min"), shown.pop(f"{name}_max")
        shown[f"{name}_range"] = [_range(*ends) for ends in zip(low, high, strict=True)]
    problems = list(table.attrs.get("problems", []))
    count = f"{len(problems)} problems" if len(problems) != 1 else "1 problem"
    lines = (
        shown[list(_COLUMNS)]
        .rename(columns=_COLUMNS)
        .to_string(index=False, float_format="{:.1f}".format)
    )
    return "\n".join([lines, "", *problems, count])


def _range(low: float, high: float) -> str:
    if low != low:  # NaN: nothing of this group could be read
        return "?"
    return f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"
