"""A summary of the details of many images: over all images, by modality, cell area and cell shape."""

from typing import TYPE_CHECKING, Any

from cellbench.evaluation.cell_classes import AREA, AREA_CLASSES, CLASS_GROUPS
from cellbench.evaluation.class_counts import CLASS_COLUMNS
from cellbench.evaluation.measures import ERROR_COLUMNS, Table, measures_of
from cellbench.evaluation.scoring import f1_score

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = ("true_cells", "predicted_cells", "tp", "fp", "fn")

Cells = dict[str, float]
"""Part of a row: values by column."""


def summary_columns() -> tuple[str, ...]:
    """Return the columns of the table of [`summarise`][]."""
    return (
        *("algorithm", "group", "value", "images", *_COUNTS, "precision", "recall", "f1"),
        *("median_f1", "mean_f1", *_averaged(), *ERROR_COLUMNS),
    )


def _averaged() -> list[str]:
    return [measure.name for measure in measures_of(Table.DETAILS) if measure.averaged]


def summarise(details: "pd.DataFrame", classes: "pd.DataFrame | None" = None) -> "pd.DataFrame":
    """Summarise the details of images, images without a usable prediction included.

    Counts are summed over the images of a group, and ``precision``, ``recall`` and ``f1`` are computed
    from the sums. ``median_f1``, ``mean_f1``, ``ap``, ``pq`` and ``aji`` are medians and means over
    images. The IoU threshold is 0.5, except for ``ap``.

    Rows of the groups ``cell area`` and ``cell shape`` count the cells of one class: true cells, tp and
    fn by the true cell, fp by the predicted cell; the classes are those of
    [`cellbench.evaluation.cell_classes`][]. There, ``predicted_cells`` is the sum of tp and fp,
    ``images`` is the number of images with such a cell, and values that are only known per image are
    empty. Images without a modality are part of the group ``all`` and of the classes only.

    Args:
        details: table of details, see [`cellbench.evaluation.rows.columns`][]; rows in any order.
        classes: counts of each class of cells, see
            [`cellbench.evaluation.rows.FolderResult.class_rows`][]; rows in any order. Without it, the
            cell area is that of the table of details, without kinds of errors and without cell shapes.

    Returns:
        Columns [`summary_columns`][]; algorithms and modalities in alphabetical order.
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
        if classes is None:
            groups += [
                (AREA, value, _of_area(images, area))
                for value, area in zip(CLASS_GROUPS[AREA], AREA_CLASSES, strict=True)
            ]
        else:
            groups += _by_class(classes[classes["algorithm"] == algorithm])
        rows += [
            {"algorithm": algorithm, "group": group, "value": value, **measures}
            for group, value, measures in groups
        ]
    # Type object: integers in a column with empty cells would become floats.
    return pd.DataFrame(rows, columns=list(summary_columns()), dtype=object)


def _over_images(images: "pd.DataFrame") -> Cells:
    f1 = images["f1_50"]
    return {
        "images": len(images),
        **_pooled(*(images[name].sum() for name in ("true_cells", "tp", "fp"))),
        "median_f1": f1.median(),
        "mean_f1": f1.mean(),
        **{name: images[name].mean() for name in _averaged()},
        **{name: images[name].sum() for name in ERROR_COLUMNS},
    }


def _of_area(images: "pd.DataFrame", area: str) -> Cells:
    true, tp, fp = (images[f"{count}_{area}"] for count in ("true", "tp", "fp"))
    return {"images": ((true > 0) | (fp > 0)).sum(), **_pooled(true.sum(), tp.sum(), fp.sum())}


def _by_class(classes: "pd.DataFrame") -> list[tuple[str, str, Cells]]:
    of_class = ["group", "value"]
    seen = (classes["true_cells"] > 0) | (classes["fp"] > 0)
    sums = classes.assign(images=seen).groupby(of_class)[["images", *CLASS_COLUMNS[2:]]].sum()
    totals = {(row.pop("group"), row.pop("value")): row for row in _records(sums)}
    groups: list[tuple[str, str, Cells]] = []
    for group, values in CLASS_GROUPS.items():
        for value in values:
            total = totals[group, value]
            pooled = _pooled(*(total.pop(name) for name in ("true_cells", "tp", "fp")))
            groups.append((group, value, total | pooled))
    return groups


def _records(sums: "pd.DataFrame") -> list[dict[str, Any]]:
    return sums.reset_index().to_dict("records")  # type: ignore[return-value]


def _pooled(true_cells: float, tp: float, fp: float) -> Cells:
    """Return counts and what is computed from them; 0 where nothing matched."""
    predicted_cells = tp + fp
    precision, recall = tp / max(predicted_cells, 1), tp / max(true_cells, 1)
    return {
        "true_cells": true_cells,
        "predicted_cells": predicted_cells,
        "tp": tp,
        "fp": fp,
        "fn": true_cells - tp,
        "precision": precision,
        "recall": recall,
        "f1": f1_score(precision, recall),
    }
