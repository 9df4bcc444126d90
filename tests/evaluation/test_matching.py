"""match_cells: properties, edge cases, and StarDist's matching as oracle."""

import numpy as np
import pytest
from hypothesis import example, given
from label_maps import blocky_maps, pairs
from stardist.matching import matching

from cellbench.errors import InvalidLabelsError, LabelMapError, UsageError
from cellbench.evaluation import match_cells, score_image
from cellbench.labels import LabelMap

THRESHOLDS = [k / 20 for k in range(10, 20)]


@given(pairs())
@example((np.array([[1, 1, 1, 1]]), np.array([[1, 1, 2, 2]])))
@example((np.array([[1, 1, 2, 2]]), np.array([[1, 1, 1, 1]])))
def test_counts_equal_stardist(pair: tuple[LabelMap, LabelMap]) -> None:
    truth, prediction = pair
    for threshold in [0.1, 0.3, *THRESHOLDS]:
        ours = match_cells(truth, prediction, threshold)
        theirs = matching(truth, prediction, thresh=threshold)
        assert (ours.tp, ours.fp, ours.fn) == (theirs.tp, theirs.fp, theirs.fn)


@given(pairs())
def test_matches_are_what_they_say(pair: tuple[LabelMap, LabelMap]) -> None:
    truth, prediction = pair
    found = match_cells(truth, prediction, 0.3)
    assert len(set(found.truth_ids)) == len(set(found.prediction_ids)) == found.tp
    for true_id, predicted_id, iou in zip(
        found.truth_ids, found.prediction_ids, found.iou, strict=True
    ):
        both = ((truth == true_id) & (prediction == predicted_id)).sum()
        either = ((truth == true_id) | (prediction == predicted_id)).sum()
        assert iou == both / either
        assert iou >= 0.3


@given(pairs())
def test_symmetries(pair: tuple[LabelMap, LabelMap]) -> None:
    truth, prediction = pair
    score = score_image(truth, prediction)[0]
    swapped = score_image(prediction, truth)[0]
    assert (swapped.tp, swapped.fp, swapped.fn) == (score.tp, score.fn, score.fp)
    renamed = score_image(truth * 1000 + (truth > 0) * 7, (10**12 - prediction) * (prediction > 0))
    assert renamed == [score]
    assert score_image(truth[::-1], prediction[::-1]) == [score]
    assert score_image(truth.T, prediction.T) == [score]


@given(pairs())
def test_f1_falls_as_the_threshold_rises(pair: tuple[LabelMap, LabelMap]) -> None:
    f1 = [score.f1 for score in score_image(*pair, thresholds=THRESHOLDS)]
    assert f1 == sorted(f1, reverse=True)


@given(blocky_maps())
def test_a_map_scores_1_against_itself(labels: LabelMap) -> None:
    (score,) = score_image(labels, labels * 3, thresholds=[1.0])
    assert score.f1 == (1.0 if score.true_cells else 0.0)
    assert score.dice == 1.0


def test_ids_beyond_32_bits_keep_their_names() -> None:
    truth = np.array([[0, 2**40, 2**40], [5, 0, 0]])
    prediction = np.array([[0, 2**50, 2**50], [0, 0, 9]])
    found = match_cells(truth, prediction)
    assert found.truth_ids.tolist() == [2**40]
    assert found.prediction_ids.tolist() == [2**50]
    assert (found.fp, found.fn) == (1, 1)


def test_every_pixel_its_own_cell() -> None:
    labels = np.random.default_rng(0).permutation(250_000).reshape(500, 500) + 1
    assert match_cells(labels, labels).tp == 250_000


def test_a_chain_of_low_overlaps_matches_as_many_as_can() -> None:
    truth = np.array([[1, 1, 2, 2, 3, 3]])
    prediction = np.array([[0, 1, 1, 2, 2, 0]])
    assert match_cells(truth, prediction, threshold=0.3).tp == 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (3, 3), (4, 200)])
def test_images_without_interior_have_no_cells(shape: tuple[int, int]) -> None:
    labels = np.ones(shape, int)
    (score,) = score_image(labels, labels)
    assert (score.true_cells, score.predicted_cells, score.f1) == (0, 0, 0.0)


@pytest.mark.parametrize(
    ("truth", "prediction", "error"),
    [
        (np.ones((2, 2), int), np.ones((2, 3), int), LabelMapError),
        (np.ones((2, 2), int), np.full((2, 2), 0.5), InvalidLabelsError),
        (np.ones((2, 2), int), -np.ones((2, 2), int), InvalidLabelsError),
        (np.ones((2, 2, 2), int), np.ones((2, 2, 2), int), InvalidLabelsError),
    ],
)
def test_what_is_no_pair_of_label_maps(
    truth: LabelMap, prediction: LabelMap, error: type[Exception]
) -> None:
    with pytest.raises(error):
        score_image(truth, prediction)


@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.01, float("nan")])
def test_thresholds_out_of_range(threshold: float) -> None:
    with pytest.raises(UsageError, match="above 0 and at most 1"):
        match_cells(np.ones((2, 2), int), np.ones((2, 2), int), threshold)


def test_unknown_protocol_names_the_known() -> None:
    with pytest.raises(UsageError, match="choose from neurips22, neurips22-v1, exact"):
        score_image(np.ones((2, 2), int), np.ones((2, 2), int), protocol="mine")
