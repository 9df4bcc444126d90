"""Label maps: validity, and brute force as the oracle of ids."""

from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellbench.errors import InvalidLabelsError
from cellbench.labels import (
    LabelMap,
    cell_ids,
    check_labels,
    frame_cell_ids,
    relabel,
    remove_frame_cells,
)

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
LARGEST = 2**32 - 1


@st.composite
def label_maps(draw: st.DrawFn, dtype: str = "int64") -> LabelMap:
    """Draw maps with few, gapped ids, some beyond the 2**26 up to which a table is used."""
    largest = min(LARGEST, int(np.iinfo(dtype).max))
    near_limit = st.integers(2**26 - 2, 2**26 + 2) if largest > 2**27 else st.just(1)
    ids = draw(st.lists(st.integers(0, largest) | near_limit | st.just(0), min_size=1, max_size=6))
    return draw(arrays.arrays(dtype, SHAPES, elements=st.sampled_from(ids), fill=st.nothing()))


any_map = st.sampled_from(["uint8", "uint16", "uint32", "uint64", "int32", "int64"]).flatmap(
    label_maps
)


# Validity


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full((3, 3), 0.5, np.float32), "whole numbers, but this array contains 0.5"),
        (np.array([[1, np.nan]]), "contains nan"),
        (np.array([[1, -np.inf]]), "contains -inf"),
        (np.array([[1, 2.0**63]]), "contains 9.22337e"),
        (np.array([[1.0, -2.0]]), "negative id -2"),
        (np.array([[1, -2]]), "negative id -2"),
        (np.ones((2, 3, 3), int), r"\(2, 3, 3\)"),
        (np.ones(4, int), r"\(4,\)"),
        (np.ones((0, 3), int), "no pixels"),
        (np.full((2, 2), "a"), "ids must be integers"),
        (np.ones((2, 2), complex), "complex128"),
    ],
)
def test_arrays_that_are_no_label_map(labels: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(InvalidLabelsError, match=f"^some file: .*{message}"):
        check_labels(labels, "some file")


@pytest.mark.parametrize("labels", [[[0, 1]], np.array([[False, True]]), np.array([[0, 1]], "u8")])
def test_label_maps_pass(labels: npt.NDArray[Any]) -> None:
    checked = check_labels(labels)
    assert np.issubdtype(checked.dtype, np.integer)
    assert checked.tolist() == [[0, 1]]


# Ids


def without(labels: LabelMap, ids: npt.NDArray[Any]) -> LabelMap:
    return np.where(np.isin(labels, ids), 0, labels)


@given(labels=any_map)
@settings(max_examples=80, deadline=None)
def test_cell_ids_and_relabel(labels: LabelMap) -> None:
    ids, inverse = np.unique(np.append(labels.ravel(), 0), return_inverse=True)
    np.testing.assert_array_equal(cell_ids(labels), ids[ids > 0])
    assert cell_ids(labels).dtype == np.int64
    np.testing.assert_array_equal(relabel(labels), inverse[:-1].reshape(labels.shape))
    assert relabel(labels).dtype == np.uint16


def test_relabel_widens_at_65536_cells() -> None:
    labels = np.arange(65536).reshape(256, 256)
    assert relabel(labels).dtype == np.uint16
    np.testing.assert_array_equal(relabel(labels + 2**26), labels + 1)
    assert relabel(labels + 1).dtype == np.uint32


@given(labels=any_map, width=st.integers(0, 14))
@settings(max_examples=100, deadline=None)
def test_frame_cells(labels: LabelMap, width: int) -> None:
    height, columns = labels.shape
    rows, places = np.indices(labels.shape)
    inner = (rows >= width) & (rows < height - width)
    inner &= (places >= width) & (places < columns - width)
    ids = np.unique(labels[~inner])
    np.testing.assert_array_equal(frame_cell_ids(labels, width), ids[ids > 0])
    kept = remove_frame_cells(labels, width)
    np.testing.assert_array_equal(kept, without(labels, ids))
    assert kept.dtype == labels.dtype


@pytest.mark.parametrize(("offset", "kept"), [(0, False), (1, False), (2, True), (3, True)])
def test_the_official_frame_is_two_pixels(offset: int, kept: bool) -> None:
    labels = np.zeros((20, 20), np.uint16)
    labels[offset : offset + 5, 8:12] = 9
    for turned in (labels, labels.T, labels[::-1], labels.T[:, ::-1]):
        assert remove_frame_cells(turned).any() == kept


def test_ids_of_64_bits() -> None:
    large = np.array([[0, 2**53, 2**53 + 1], [5, 2**63 - 1, 0]], np.uint64)
    assert relabel(large).tolist() == [[0, 2, 3], [1, 4, 0]]
    assert cell_ids(large).tolist() == [5, 2**53, 2**53 + 1, 2**63 - 1]
    with pytest.raises(InvalidLabelsError, match="relabel the cells with ids below"):
        check_labels(large + np.uint64(2**62 + 2**62))
