"""The parts that importers share: splits, names, painting, placing."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellbench.data.folder import SPLITS
from cellbench.data.importers.base import checked_name, paint
from cellbench.data.importers.splits import assign_split, parse_fractions
from cellbench.data.importers.writing import ImportReport, place
from cellbench.errors import DatasetError


@given(st.text(min_size=1), st.lists(st.floats(0, 100), min_size=3, max_size=3).filter(any))
def test_splits_depend_on_the_stem_alone_and_never_have_share_zero(
    stem: str, shares: list[float]
) -> None:
    fractions = parse_fractions("/".join(map(str, shares)))
    split = assign_split(stem, fractions)
    assert split == assign_split(stem, fractions)
    assert fractions[split] > 0
    assert assign_split(stem, fractions, ("tune",)) == "tune"


def test_splits_have_their_shares() -> None:
    drawn = [assign_split(f"cell_{n:05}", parse_fractions("80/15/5")) for n in range(5000)]
    shares = [drawn.count(split) / 5000 for split in SPLITS]
    np.testing.assert_allclose(shares, [0.80, 0.15, 0.05], atol=0.02)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x.png",
        "a/b.png",
        "a\\b",
        "/etc/passwd",
        ".hidden",
        "C:x",
        "a\n",
        "a\0",
        7,
        None,
    ],
)
def test_names_that_are_no_plain_file_names(name: object) -> None:
    with pytest.raises(DatasetError, match=r"table: .* is not a plain file name"):
        checked_name(name, "table")


@given(st.lists(st.sets(st.integers(0, 11)), max_size=6))
def test_painting_gives_each_pixel_to_the_first_cell_that_has_it(cells: list[set[int]]) -> None:
    drawing = paint([np.array(sorted(cell), np.int64) for cell in cells], (3, 4), "the first")
    expected = [next((k + 1 for k, cell in enumerate(cells) if p in cell), 0) for p in range(12)]
    assert drawing.labels.ravel().tolist() == expected
    hidden = len(cells) - len(set(expected) - {0})
    overlap = sum(map(len, cells)) - len(set().union(*cells))
    assert any(f"overlap by {overlap} px" in line for line in drawing.warnings) == (overlap > 0)
    assert any(f"left out: {hidden}" in line for line in drawing.warnings) == (hidden > 0)


def test_copies_where_a_hard_link_is_impossible(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    source = tmp_path / "x.png"
    source.write_bytes(b"first")
    target = other / f"cellbench-{os.getpid()}.png"
    try:
        for _ in range(2):
            place(source, target)
            assert target.read_bytes() == source.read_bytes()
        source.write_bytes(b"other")
        place(source, target)
        assert target.read_bytes() == source.read_bytes()
    finally:
        target.unlink(missing_ok=True)


def test_a_report_shows_its_first_warnings() -> None:
    report = ImportReport(3, 40, 2, [f"warning {number}" for number in range(30)])
    lines = str(report).splitlines()
    assert lines[0] == "3 images with 40 cells, and 2 unlabelled images"
    assert lines[-2:] == ["warning 19", "… and 10 more warnings"]
    assert str(ImportReport(1, 2)) == "1 image with 2 cells"
    splits = ImportReport(12, 1, splits={"train": 9, "tune": 2, "test": 1})
    assert str(splits) == "12 images with 1 cell (train 9, tune 2, test 1)"
