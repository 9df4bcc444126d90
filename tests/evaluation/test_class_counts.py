"""count_classes: hand-worked counts, sums that agree with the details, and tiles."""

import numpy as np
from hypothesis import given
from label_maps import pairs

from cellbench.evaluation.cell_classes import CLASS_GROUPS
from cellbench.evaluation.cell_shapes import measure_shapes
from cellbench.evaluation.class_counts import CLASS_COLUMNS, count_classes
from cellbench.evaluation.details import image_details
from cellbench.evaluation.measures import ERROR_COLUMNS, MEASURES
from cellbench.evaluation.overlap import count_overlaps
from cellbench.evaluation.pooled import PooledOverlaps
from cellbench.labels import LabelMap
from cellbench.labels.banded import in_bands

Counts = dict[tuple[str, str], dict[str, int]]


def counts_of(
    truth: LabelMap, prediction: LabelMap, tiles: tuple[int, int] | None = None
) -> tuple[Counts, PooledOverlaps]:
    maps = in_bands(truth), in_bands(prediction)
    pooled = PooledOverlaps(count_overlaps(*maps, 0, tiles))
    found = count_classes(pooled, *(measure_shapes(labels, tiles) for labels in maps))
    return {
        (group, value): dict(zip(CLASS_COLUMNS[2:], counts, strict=True))
        for group, value, counts in found
    }, pooled


def draw(*cells: tuple[int, int, int, int]) -> LabelMap:
    """Draw rectangles of (top, left, rows, columns) with the ids 1, 2 and so on."""
    labels = np.zeros((60, 140), np.uint16)
    for number, (top, left, rows, columns) in enumerate(cells, start=1):
        labels[top : top + rows, left : left + columns] = number
    return labels


def test_counts_by_hand() -> None:
    truth = draw(
        (0, 0, 10, 10),  # area 100, round: matched
        (0, 20, 9, 9),  # area 81, round: missed
        (20, 0, 10, 13),  # area 130, exactly 1.3, oval: merged with the next one
        (20, 13, 10, 20),  # area 200, exactly 2, long: merged
        (40, 0, 10, 120),  # area 1200, long: matched
    )
    prediction = draw(
        (0, 0, 10, 8),  # area 80, round (1.25): matched with a true cell of another area class
        (20, 0, 14, 33),  # area 462, long: merged, fp
        (40, 0, 10, 60),  # area 600, long: matched with half of its cell
        (40, 62, 10, 58),  # area 580, long: split
        (55, 100, 5, 5),  # area 25, round: spurious
    )
    counts, _ = counts_of(truth, prediction)
    assert list(counts) == [
        (group, value) for group in CLASS_GROUPS for value in CLASS_GROUPS[group]
    ]
    filled = {
        key: {name: n for name, n in row.items() if n}
        for key, row in counts.items()
        if any(row.values())
    }
    assert filled == {
        ("cell area", "under 100 px"): {"true_cells": 1, "fn_missed": 1, "fp": 1, "fp_spurious": 1},
        ("cell area", "100 to 999 px"): {
            **{"true_cells": 3, "tp": 1, "fn_merged": 2},
            **{"fp": 2, "fp_merged": 1, "fp_split": 1},
        },
        ("cell area", "1000 to 9999 px"): {"true_cells": 1, "tp": 1},
        ("cell shape", "round"): {
            **{"true_cells": 2, "tp": 1, "fn_missed": 1, "fp": 1, "fp_spurious": 1}
        },
        ("cell shape", "oval"): {"true_cells": 1, "fn_merged": 1},
        ("cell shape", "long"): {
            **{"true_cells": 2, "tp": 1, "fn_merged": 1},
            **{"fp": 2, "fp_merged": 1, "fp_split": 1},
        },
    }


def check_sums(counts: Counts, pooled: PooledOverlaps) -> None:
    names = ["true_cells", "tp", "fp", *ERROR_COLUMNS]
    measures = [MEASURES[name] for name in names]
    details = image_details(pooled, measures=measures)
    for group in CLASS_GROUPS:
        rows = [row for (own, _), row in counts.items() if own == group]
        assert {name: sum(row[name] for row in rows) for name in names} == details
        for row in rows:
            assert (
                row["tp"] + sum(row[n] for n in names if n.startswith("fn_")) == row["true_cells"]
            )
            assert sum(row[n] for n in names if n.startswith("fp_")) == row["fp"]


@given(pairs())
def test_classes_add_up_to_the_details(pair: tuple[LabelMap, LabelMap]) -> None:
    check_sums(*counts_of(*pair))


@given(pairs())
def test_classes_of_tiles_add_up_too(pair: tuple[LabelMap, LabelMap]) -> None:
    check_sums(*counts_of(*pair, (5, 7)))
