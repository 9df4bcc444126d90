"""Decoded cells: measures stay with their cells when these are numbered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_maps import discs

from cellbench.labels import LabelMap, relabel
from cellbench.representations import HoVer, StarConvex
from cellbench.representations.base import DecodedCells, NumpyMaps
from cellbench.representations.decoded import decoded_cells, renumbered
from cellbench.representations.joint import JointRepresentation


@given(st.lists(st.integers(0, 12), min_size=1, max_size=30))
def test_every_pixel_keeps_the_value_of_its_cell(ids: list[int]) -> None:
    labels = np.array([ids])
    values = {"score": np.linspace(0, 1, 12), "area": np.arange(12)}
    numbered, measures = renumbered(DecodedCells(labels, values))
    np.testing.assert_array_equal(numbered, relabel(labels))
    for name, each in values.items():
        assert measures[name].dtype == np.float32
        assert len(measures[name]) == numbered.max()
        before, after = np.append(each, -1)[labels - 1], np.append(measures[name], -1)
        np.testing.assert_allclose(after[numbered.astype(int) - 1], before)


def test_large_ids_need_no_measures() -> None:
    labels = np.array([[4_000_000_000, 0, 7]])
    assert renumbered(DecodedCells(labels, {})).labels.tolist() == [[2, 0, 1]]


@pytest.mark.parametrize("values", [np.ones(2), np.ones((3, 1)), np.float32(1)])
def test_a_cell_without_a_value_is_an_error(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"'score' .* no value for the cell 3") as error:
        renumbered(DecodedCells(np.array([[3, 1]]), {"score": values}))
    assert "\n" not in str(error.value)


class LargeCells(StarConvex):
    """Changes the label map after it was decoded."""

    def decode(self, maps: NumpyMaps) -> LabelMap:
        labels = super().decode(maps)
        return np.where(labels > 2, labels, 0)


def test_a_class_that_changes_only_the_label_map_has_no_measures() -> None:
    maps = StarConvex().encode(discs())
    cells = decoded_cells(LargeCells(), maps)
    np.testing.assert_array_equal(cells.labels, LargeCells().decode(maps))
    assert cells.measures == {}
    assert decoded_cells(HoVer(), HoVer().encode(discs())).measures == {}
    assert [*decoded_cells(StarConvex(), maps).measures] == ["score"]


def test_several_representations_measure_what_the_chosen_one_does() -> None:
    joint = JointRepresentation([StarConvex(), HoVer()])
    maps = joint.encode(discs())
    expected = StarConvex().decode_cells(maps)
    found = joint.decode_cells(maps)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.measures["score"], expected.measures["score"])
    hover = {name: maps[name] for name in HoVer().channels}
    assert joint.decode_cells(hover).measures == {}
