"""The registry of measures: its columns, its directions, and a measure that is added to it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from label_maps import discs

from cellbench.errors import UsageError
from cellbench.evaluation import get_measure, score_folder
from cellbench.evaluation.details import image_details
from cellbench.evaluation.measures import MEASURES, Measure, Needs, Table, measures_of
from cellbench.evaluation.overlap import count_overlaps
from cellbench.evaluation.rows import columns
from cellbench.labels import LabelMap, in_bands, write_labels

SCORES = (
    "algorithm,image,modality,height,width,threshold,true_cells,predicted_cells,tp,fp,fn,precision,"
    "recall,f1,dice,runtime_s,tolerance_s,rank_runtime_s,status"
)


def wrong_pixels(truth: LabelMap, prediction: LabelMap) -> np.int64:
    """Count the pixels that are foreground in one map only."""
    return np.sum((truth > 0) != (prediction > 0))


TOY = Measure("wrong_pixels", Needs.LABEL_MAPS, False, wrong_pixels, if_unusable=float("inf"))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MEASURES, TOY.name, TOY)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three images: a perfect prediction, one without its first cell, and a missing one."""
    for stem in "abc":
        write_labels(tmp_path / f"truth/{stem}_label.tiff", discs())
    write_labels(tmp_path / "predictions/a_label.tiff", discs())
    write_labels(tmp_path / "predictions/b_label.tiff", np.where(discs() == 1, 0, discs()))
    return tmp_path / "truth", tmp_path / "predictions"


def test_columns_are_those_of_the_file_formats() -> None:
    assert ",".join(columns(Table.SCORES)) == SCORES
    details = columns(Table.DETAILS)
    assert details[:5] == ("algorithm", "image", "modality", "status", "f1_50")
    assert details[14:25] == (
        *("ap", "pq", "sq", "rq", "aji"),
        *("true_cells", "predicted_cells", "tp", "fp", "fn", "dice"),
    )
    assert details[25:28] == ("fn_missed", "fn_merged", "fn_split")
    assert details[33:38] == (*(f"true_{area}" for area in AREAS), "tp_under_100")
    assert details[44] == "fp_10000_and_more"
    assert details[45:] == ("boundary_f1", "hausdorff_95", "seg", "count_error")


AREAS = ("under_100", "100_to_999", "1000_to_9999", "10000_and_more")


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_measure_of_label_maps_is_one_entry(folders: tuple[Path, Path], jobs: int) -> None:
    result = score_folder(*folders, tables=("scores", "details"), jobs=jobs)
    first_cell = int((discs() == 1).sum())
    found = {row.image: row.measures["wrong_pixels"] for row in result.details}
    assert found == {"a": 0, "b": first_cell, "c": float("inf")}
    assert columns(Table.DETAILS)[-1] == "wrong_pixels"
    assert [row["wrong_pixels"] for row in result.csv_rows(Table.DETAILS)] == [*found.values()]
    assert "wrong_pixels" not in columns(Table.SCORES)
    assert not get_measure("wrong_pixels").higher_is_better


def test_a_new_measure_is_not_missing_from_an_old_journal(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "journal"
    score_folder(*folders, tables=("details",), journal=journal)
    monkeypatch.setitem(MEASURES, TOY.name, TOY)
    result = score_folder(*folders, tables=("details",), journal=journal)
    assert all("wrong_pixels" in row.measures for row in result.details)


@pytest.mark.usefixtures("toy")
def test_label_maps_have_to_be_given() -> None:
    maps = in_bands(discs()), in_bands(discs())
    with pytest.raises(ValueError, match="needs label maps"):
        image_details(count_overlaps(*maps))
    assert image_details(count_overlaps(*maps), maps)["wrong_pixels"] == 0


def test_only_counts_are_in_scores() -> None:
    with pytest.raises(ValueError, match="only measures of counts"):
        Measure("x", Needs.OVERLAPS, True, len, (Table.SCORES,))


def test_directions() -> None:
    lower = {name for name, measure in MEASURES.items() if not measure.higher_is_better}
    errors = {"fp", "fn", "hausdorff_95", "count_error"}
    assert lower == errors | {name for name in MEASURES if name.startswith(("fp_", "fn_"))}
    assert all(name == measure.name for name, measure in MEASURES.items())
    assert measures_of(Table.CELLS) == ()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pg", "measure 'pg': unknown; choose from f1_50, .*, pq, .*, f1, dice, fn_missed"),
        ("true_cells", "measure 'true_cells': a count that is neither good nor bad; choose from"),
    ],
)
def test_measures_that_cannot_be_ranked(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        get_measure(name)


def test_the_registry_is_light() -> None:
    code = (
        "import sys; from cellbench.evaluation.measures import MEASURES, get_measure; "
        "print(sorted({'pandas', 'numba', 'scipy', 'cv2', 'torch', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
