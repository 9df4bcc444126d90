"""image_details: StarDist's measures and a literal AJI as oracles, sums, size classes, empty maps."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from label_maps import pairs
from stardist.matching import matching

from cellbench.evaluation.cell_classes import AREA_CLASSES
from cellbench.evaluation.details import image_details
from cellbench.evaluation.measures import ERROR_COLUMNS, Table, measures_of
from cellbench.evaluation.overlap import count_overlaps
from cellbench.evaluation.pooled import THRESHOLDS
from cellbench.labels import LabelMap
from cellbench.labels.banded import in_bands

CELL = np.ones((3, 4), int)
NOTHING = np.zeros((3, 4), int)
ONE_EMPTY = {"hausdorff_95": 5.0, "count_error": 1}  # the diagonal of the image
COLUMNS = tuple(measure.name for measure in measures_of(Table.DETAILS))


def details_of(truth: LabelMap, prediction: LabelMap) -> dict[str, float | int]:
    maps = in_bands(truth), in_bands(prediction)
    return image_details(count_overlaps(*maps), maps)


def slow_aji(truth: LabelMap, prediction: LabelMap) -> float:
    """The aggregated Jaccard index as Kumar et al. 2017 write it, algorithm 1."""
    predicted = {int(label): prediction == label for label in np.unique(prediction) if label}
    used, shared, union = set(), 0, 0
    for label in np.unique(truth[truth > 0]):
        cell = truth == label
        jaccard = {k: (cell & mask).sum() / (cell | mask).sum() for k, mask in predicted.items()}
        best = max(jaccard, key=lambda k: jaccard[k], default=None)
        if best is None or not jaccard[best]:
            union += cell.sum()
            continue
        used.add(best)
        shared += (cell & predicted[best]).sum()
        union += (cell | predicted[best]).sum()
    union += sum(mask.sum() for k, mask in predicted.items() if k not in used)
    return shared / union if union else 0.0


@given(pairs())
def test_equal_to_stardist(pair: tuple[LabelMap, LabelMap]) -> None:
    found = details_of(*pair)
    theirs = [matching(*pair, thresh=threshold) for threshold in THRESHOLDS]
    f1 = [found[name] for name in COLUMNS[:10]]
    # The challenge computes F1 from precision and recall, which differs in the last digit.
    assert f1 == pytest.approx([one.f1 for one in theirs], rel=1e-15, abs=0)
    assert found["ap"] == pytest.approx(np.mean([one.accuracy for one in theirs]))
    assert found["pq"] == pytest.approx(theirs[0].panoptic_quality)
    assert found["sq"] == pytest.approx(theirs[0].mean_matched_score)
    assert (found["tp"], found["fp"], found["fn"]) == (theirs[0].tp, theirs[0].fp, theirs[0].fn)


@given(pairs())
def test_aji_as_published(pair: tuple[LabelMap, LabelMap]) -> None:
    assert details_of(*pair)["aji"] == pytest.approx(slow_aji(*pair))


@given(pairs())
def test_kinds_and_size_classes_add_up(pair: tuple[LabelMap, LabelMap]) -> None:
    found = details_of(*pair)
    assert tuple(found) == COLUMNS
    for side in ("fn", "fp"):
        assert sum(found[name] for name in ERROR_COLUMNS if name.startswith(side)) == found[side]
    for count, total in {"true": "true_cells", "tp": "tp", "fp": "fp"}.items():
        assert sum(found[f"{count}_{area}"] for area in AREA_CLASSES) == found[total]


@given(pairs(), pairs())
def test_parts_are_pooled(
    left: tuple[LabelMap, LabelMap], right: tuple[LabelMap, LabelMap]
) -> None:
    parts = [count_overlaps(*map(in_bands, pair))[0] for pair in (left, right)]
    maps = [np.zeros((40, 40), int), np.zeros((40, 40), int)]
    for whole, one, other in zip(maps, left, right, strict=True):
        whole[: one.shape[0], : one.shape[1]] = one
        whole[20 : 20 + other.shape[0], 20 : 20 + other.shape[1]] = other + 10 * (other > 0)
    banded = in_bands(maps[0]), in_bands(maps[1])
    assert image_details(parts, banded) == pytest.approx(details_of(*maps))


def test_size_classes_by_hand() -> None:
    areas = [99, 100, 999, 1000, 9999, 10_000, 50]
    truth = np.repeat([1, 2, 3, 4, 5, 6, 0], areas)[None]
    prediction = np.repeat([0, 2, 3, 0, 5, 0, 7], areas)[None]
    found = details_of(truth, prediction)
    counted = {
        area: [found[f"{count}_{area}"] for count in ("true", "tp", "fp")] for area in AREA_CLASSES
    }
    assert counted == {
        "under_100": [1, 0, 1],
        "100_to_999": [2, 2, 0],
        "1000_to_9999": [2, 1, 0],
        "10000_and_more": [1, 0, 0],
    }


@pytest.mark.parametrize(
    ("truth", "prediction", "not_zero"),
    [
        (NOTHING, NOTHING, {"dice": 1.0}),
        (
            CELL,
            NOTHING,
            {"true_cells": 1, "fn": 1, "fn_missed": 1, "true_under_100": 1, **ONE_EMPTY},
        ),
        (
            NOTHING,
            CELL,
            {"predicted_cells": 1, "fp": 1, "fp_spurious": 1, "fp_under_100": 1, **ONE_EMPTY},
        ),
    ],
)
def test_empty_maps(
    truth: LabelMap, prediction: LabelMap, not_zero: dict[str, float | int]
) -> None:
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        found = details_of(truth, prediction)
    assert {name: value for name, value in found.items() if value != 0} == not_zero


def test_values_are_plain_numbers() -> None:
    found = details_of(CELL, CELL)
    assert json.loads(json.dumps(found)) == found
