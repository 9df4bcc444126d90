"""Label maps and times that were changed after a run are found; folders from others are not checked."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from datasets import make_dataset
from hostile_entrants import make_entrant, make_server, run

from cellbench.errors import ScoresError
from cellbench.evaluation import evaluate_folder
from cellbench.evaluation.seals import check_run
from cellbench.labels import write_labels


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, and in ``out/good`` beside it a run in which the second image failed."""
    folder = tmp_path_factory.mktemp("run")
    data = make_dataset(folder / "data", images=2)
    run(make_entrant(folder / "good", data, "if image.stem == 'test0': answer()"), data)
    return folder


def edit(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(out: Path) -> None:
        text = (out / name).read_text()
        assert old in text
        (out / name).write_text(text.replace(old, new))

    return change


def forge(name: str) -> Callable[[Path], object]:
    return lambda out: write_labels(out / name, np.ones((64, 96), np.uint8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            forge("test0_label.tiff"),
            "good: test0_label.tiff changed after cellbench run; run it again",
        ),
        (forge("test1_label.tiff"), "good: test1_label.tiff changed"),
        (forge("test1_label.png.tiff"), None),
        (forge("test1.tif"), "good: test1.tif changed after"),
        (forge("test1_cp_masks.tif"), "good: test1_cp_masks.tif changed after"),
        (forge("Test1_Label.TIF"), "good: Test1_Label.TIF changed after"),
        (forge("other_masks.tif"), "good: other_masks.tif changed after"),
        (forge("overview.tif"), None),
        (forge("masks/test1_label.tiff"), None),
        (edit("resources.csv", "test1,missing", "test1,ok"), "the status of test1 changed"),
        (edit("runtime.csv", "test0.png,", "test0.png,9"), "the time of test0 changed"),
        (edit("resources.csv", ",process,cold,", ",bubblewrap,cold,"), "the row of test0 in res"),
        (
            edit("resources.csv", "test0,ok,", "test0,ok,0"),
            "the row of test0 in resources.csv changed",
        ),
        (
            edit(".journal", '"status": "missing", "runtime_s"', '"status": 1, "runtime_s"'),
            "of test1 changed",
        ),
        (
            edit(
                ".journal",
                '"image": "test1", "status": "missing", "runtime_s"',
                '"image": 1, "status": "missing", "runtime_s"',
            ),
            "the status of test1 changed",
        ),
        (lambda out: (out / "test0_label.tiff").unlink(), None),
        (lambda out: (out / ".journal").unlink(), None),
    ],
)
def test_changes_after_the_run_are_found(
    finished: Path, tmp_path: Path, change: Callable[[Path], object], message: str | None
) -> None:
    out = tmp_path / "good"
    shutil.copytree(finished / "out/good", out)
    truth = finished / "data/test/labels"
    assert list(evaluate_folder(truth, out)["status"]) == ["ok", "missing"]
    change(out)
    if message is None:
        evaluate_folder(truth, out)
    else:
        with pytest.raises(ScoresError, match=message) as error:
            evaluate_folder(truth, out)
        assert "\n" not in str(error.value)


def test_changes_of_compared_times_are_found(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data", images=2)
    run(make_server(tmp_path / "good", data), data, compare=True)
    out = tmp_path / "out/good"
    check_run(out)
    edit("timings.csv", "test0,", "test0,9")(out)
    with pytest.raises(ScoresError, match=r"the row of test0 in timings.csv changed after"):
        check_run(out)


def test_several_changes_are_counted_and_other_times_may_be_named(
    finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "good"
    shutil.copytree(finished / "out/good", out)
    forge("test0_label.tiff")(out)
    edit("runtime.csv", "test0.png,", "test0.png,1")(out)
    with pytest.raises(ScoresError, match=r"test0_label.tiff and 1 more changed after"):
        evaluate_folder(finished / "data/test/labels", out)
    shutil.copy(finished / "out/good/test0_label.tiff", out)
    (out / "runtime.csv").rename(tmp_path / "times.csv")
    evaluate_folder(finished / "data/test/labels", out, runtimes=tmp_path / "times.csv")


def test_a_stopped_run_is_named(
    finished: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out, advice = finished / "out/good", "run the same command again, which continues it"
    with pytest.raises(
        ScoresError, match=f"good: no file .* found test0_label.tiff; name .* {advice}"
    ):
        evaluate_folder(finished / "data/tune/labels", out)
    data = make_dataset(tmp_path / "data", images=3)
    assert list(evaluate_folder(data / "test/labels", out)["status"]) == [
        "ok",
        "missing",
        "missing",
    ]
    (warning,) = caplog.messages  # test1 failed in the run, which has said so
    assert warning.startswith(f"{out}: no label map for 1 of 3 images")
    assert warning.endswith(f"test2; if cellbench run was stopped, {advice}")
