"""The details of many images in a few rows: for each algorithm, over all, by modality, by cell area."""

from typing import TYPE_CHECKING, Any

from cellbench.evaluation.details import AREA_CLASSES, ERROR_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = ("true_cells", "predicted_cells", "tp", "fp", "fn")
_MEANS = ("ap", "pq", "aji")

SUMMARY_COLUMNS = (
    "algorithm", "group", "value", "images", *_COUNTS, "precision", "recall", "f1", "median_f1",
    "mean_f1", *_MEANS, *ERROR_COLUMNS,
)  # fmt: skip
"""What :func:`summarise` gives for each group."""


def summarise(details: "pd.DataFrame") -> "pd.DataFrame":
    """Sum up the details of images, unusable predictions included.

    Counts are pooled over the images of a group, and ``precision``, ``recall`` and ``f1`` come from
    the pooled counts; ``median_f1``, ``mean_f1``, ``ap``, ``pq`` and ``aji`` are over images. All are
    at IoU 0.5 but ``ap``.

    Rows of group ``cell area`` count the cells of one size class: true cells and tp by the true cell's
    area, fp by the predicted cell's, ``predicted_cells`` their sum, ``images`` those with such a cell.
    What is per image or not known by size is empty there. Images without modality are in ``all`` only.

    Args:
        details: columns ``algorithm``, ``image``, ``modality`` and
            :data:`cellbench.evaluation.details.DETAIL_COLUMNS`, in any order of rows.

    Returns:
        Columns :data:`SUMMARY_COLUMNS`; algorithms and modalities in alphabetical order.
    """
    import pandas as pd

    details = details.sort_values(["algorithm", "image"])
    rows = []
    for algorithm, images in details.groupby("algorithm"):
        named = images[images["modality"].fillna("") != ""]
        groups = [("all", "", _over_images(images))]
        groups += [
            ("modality", str(modality), _over_images(some))
            for modality, some in named.groupby("modality")
        ]
        groups += [
            ("cell area", area.replace("_", " ") + " px", _of_area(images, area))
            for area in AREA_CLASSES
        ]
        rows += [
            {"algorithm": algorithm, "group": group, "value": value, **measures}
            for group, value, measures in groups
        ]
    # Objects: integers beside an empty cell would become floats.
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS), dtype=object)


def _over_images(images: "pd.DataFrame") -> dict[str, Any]:
    f1 = images["f1_50"]
    return {
        "images": len(images),
        **_pooled(*(images[name].sum() for name in ("true_cells", "tp", "fp"))),
        "median_f1": f1.median(),
        "mean_f1": f1.mean(),
        **{name: images[name].mean() for name in _MEANS},
        **{name: images[name].sum() for name in ERROR_COLUMNS},
    }


def _of_area(images: "pd.DataFrame", area: str) -> dict[str, Any]:
    true, tp, fp = (images[f"{count}_{area}"] for count in ("true", "tp", "fp"))
    return {"images": ((true > 0) | (fp > 0)).sum(), **_pooled(true.sum(), tp.sum(), fp.sum())}


def _pooled(true_cells: float, tp: float, fp: float) -> dict[str, float]:
    """Give counts and what follows from them; 0 where nothing matched."""
    predicted_cells = tp + fp
    return {
        "true_cells": true_cells,
        "predicted_cells": predicted_cells,
        "tp": tp,
        "fp": fp,
        "fn": true_cells - tp,
        "precision": tp / max(predicted_cells, 1),
        "recall": tp / max(true_cells, 1),
        "f1": 2 * tp / max(true_cells + predicted_cells, 1),
    }
