"""Protocols neurips22 and neurips22-v1 against the counts of the challenge's own scripts."""

import csv
from functools import cache
from pathlib import Path

import pytest

from cellbench.evaluation import score_image
from cellbench.labels import LabelMap, cell_ids, read_labels, remove_frame_cells

GOLDEN = Path(__file__).parents[1] / "golden" / "metrics"
with (GOLDEN / "official_counts.csv").open(newline="") as file:
    ROWS = list(csv.DictReader(file))
NAMES = sorted({row["name"] for row in ROWS})


@cache
def read_pair(name: str) -> tuple[LabelMap, LabelMap]:
    file = f"{name}_label.tiff"
    return read_labels(GOLDEN / "truth" / file), read_labels(GOLDEN / "pred" / file)


@pytest.mark.parametrize("name", NAMES)
def test_counts_equal_the_official_script(name: str) -> None:
    rows = [row for row in ROWS if row["name"] == name]
    scores = score_image(*read_pair(name), thresholds=[float(row["threshold"]) for row in rows])
    for row, score in zip(rows, scores, strict=True):
        counts = (score.true_cells, score.predicted_cells, score.tp)
        assert counts == (int(row["true_num"]), int(row["pred_num"]), int(row["v2_tp"]))
        assert score.fp == int(row["v2_fp"])
        assert score.fn == score.true_cells - score.tp
        # The official script counts no misses in an image or tile whose prediction is empty.
        if name not in ("empty_prediction", "whole_slide"):
            assert score.fn == int(row["v2_fn"])
        assert score.precision == pytest.approx(float(row["v2_precision"]), abs=1e-9)
        assert score.recall == pytest.approx(float(row["v2_recall"]), abs=1e-9)
        assert score.f1 == pytest.approx(float(row["v2_f1"]), abs=1e-9)
        assert score.dice == pytest.approx(float(row["dice"]), abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_counts_equal_the_script_in_force_during_the_challenge(name: str) -> None:
    rows = [row for row in ROWS if row["name"] == name]
    thresholds = [float(row["threshold"]) for row in rows]
    scores = score_image(*read_pair(name), protocol="neurips22-v1", thresholds=thresholds)
    for row, score in zip(rows, scores, strict=True):
        assert (score.tp, score.fp) == (int(row["v1_tp"]), int(row["v1_fp"]))
        if name != "empty_prediction":  # one image, not a tile: its misses are counted
            assert score.fn == int(row["v1_fn"])
        assert score.f1 == pytest.approx(float(row["v1_f1"]), abs=1e-9)


def test_exact_scores_a_slide_whole() -> None:
    truth, _ = read_pair("whole_slide")
    whole = score_image(truth, truth, protocol="exact")[0]
    assert whole.f1 == 1
    assert whole.true_cells == len(cell_ids(remove_frame_cells(truth)))
    assert whole.true_cells > score_image(truth, truth)[0].true_cells


def test_all_reference_pairs_are_here() -> None:
    assert len(NAMES) == 17
    assert len(ROWS) == 85
