"""Binary masks are noticed, and split into cells only on request."""

import numpy as np
import pytest

from cellbench.labels import LabelMap, pieces_of_one_id, split_components

DISCS = np.kron(np.eye(3, dtype=int), [[0, 0, 0], [0, 1, 1], [0, 1, 1]])


@pytest.mark.parametrize(
    ("labels", "pieces"),
    [
        (DISCS, 3),
        (DISCS.astype(np.uint8) * 255, 3),
        (DISCS.astype(bool), 3),
        (np.zeros((4, 4), int), 0),
        (np.eye(4, dtype=int), 1),  # pixels that share a corner are connected
        (DISCS * np.arange(1, 10), 0),
        (np.ones((3, 3), int), 1),
    ],
)
def test_pieces_of_one_id(labels: LabelMap, pieces: int) -> None:
    assert pieces_of_one_id(labels) == pieces


def test_pieces_become_cells() -> None:
    split = split_components(DISCS * 255)
    assert split.dtype == np.uint16
    np.testing.assert_array_equal(split, DISCS * np.repeat([1, 2, 3], 3))


def test_touching_cells_with_ids_stay_apart() -> None:
    labels = np.array([[1, 1, 2, 2], [0, 0, 0, 0], [7, 7, 0, 1]])
    assert split_components(labels).tolist() == [[1, 1, 2, 2], [0, 0, 0, 0], [3, 3, 0, 4]]


def test_many_pieces_need_32_bits() -> None:
    dots = np.zeros((600, 600), np.uint8)
    dots[::2, ::2] = 1
    assert pieces_of_one_id(dots) == 90_000
    split = split_components(dots)
    assert split.dtype == np.uint32
    assert split.max() == 90_000
