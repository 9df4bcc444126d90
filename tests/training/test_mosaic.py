"""Patches that are composed of four images."""

import numpy as np
import pytest

from cellbench.training.mosaic import draw_others, draw_parts, join_windows


@pytest.mark.parametrize("size", [2, 5, 64])
def test_parts_cover_a_patch_once_and_meet_in_its_middle_half(size: int) -> None:
    meeting = set()
    for seed in range(300):
        covered = np.zeros((size, size), int)
        parts = draw_parts(size, np.random.default_rng(seed))
        for part in parts:
            assert covered[part].size > 0
            covered[part] += 1
        assert (covered == 1).all()
        meeting.add((parts[0][0].stop, parts[0][1].stop))
    quarter = max(1, size // 4)
    assert min(min(point) for point in meeting) == quarter
    assert max(max(point) for point in meeting) == max(quarter, size - size // 4 - 1)


def test_other_images_are_drawn_by_weight_and_once() -> None:
    weights = np.array([0.3, 0.0, 0.1, 0.2, 0.2, 0.2])
    rng = np.random.default_rng(0)
    drawn = np.array([draw_others(0, weights, rng) for _ in range(2000)])
    assert set(drawn.ravel().tolist()) == {2, 3, 4, 5}
    assert all(len(set(row)) == 3 for row in drawn.tolist())
    counts = np.bincount(drawn[:, 0], minlength=6) / 2000
    assert counts[2:] == pytest.approx([1 / 7, 2 / 7, 2 / 7, 2 / 7], abs=0.03)


def test_few_images_occur_again() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_others(1, np.array([0.5, 0.5, 0.0]), rng) for _ in range(50)]
    assert {each for row in drawn for each in row} == {0, 1}
    assert draw_others(0, np.array([1.0]), rng) == [0, 0, 0]


def test_joined_cells_have_ids_of_their_own() -> None:
    parts = [
        (rows, columns)
        for rows in (slice(0, 1), slice(1, 3))
        for columns in (slice(0, 2), slice(2, 4))
    ]
    ids = ([[5, 0]], [[0, 0]], [[1, 2], [0, 2]], [[2, 2], [1, 0]])
    windows = [
        (np.full((*np.shape(each), 3), number, np.uint8), np.array(each, np.int32))
        for number, each in enumerate(ids)
    ]
    image, labels = join_windows(windows, parts)
    assert labels.tolist() == [[5, 0, 0, 0], [6, 7, 9, 9], [0, 7, 8, 0]]
    assert image[..., 1].tolist() == [[0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
