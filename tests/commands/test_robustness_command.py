"""`cellbench robustness`: the tables, the single start, continuing, and failures as F1 0."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from datasets import make_dataset

from cellbench.boards.robustness import read_robustness, summarise
from cellbench.boards.schema import ROBUSTNESS_TABLES
from cellbench.cli import main
from cellbench.commands import robustness_runs
from cellbench.data.perturb.dataset import perturb_dataset
from cellbench.data.perturb.severities import KINDS
from cellbench.errors import ScoresError
from cellbench.evaluation import evaluate_folder

_PROGRAM = """\
import sys, pathlib, numpy as np, tifffile
from scipy import ndimage
outputs = pathlib.Path(sys.argv[-1])
here = pathlib.Path(__file__).parent

def segment(path):
    path = pathlib.Path(path)
    pixels = tifffile.imread(path) if path.suffix == ".tif" else __import__("cv2").imread(str(path), -1)
    if FAULT in path.stem and path.suffix == ".tif":
        raise ValueError("does not like it")
    labels = ndimage.label(pixels > 100)[0].astype("uint16")
    target = outputs / (path.stem + "_label.tiff")
    tifffile.imwrite(target, labels)
    return target

if "--serve" in sys.argv:
    with (here / "starts.txt").open("a") as file:
        file.write("start\\n")
    print("cellbench-serve 1", flush=True)
    for line in sys.stdin:
        try:
            print("done", segment(line.rstrip("\\n")), flush=True)
        except ValueError as error:
            print("failed", error, flush=True)
else:
    for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        segment(path)
"""


def make_entrant(folder: Path, *, serve: bool = True, fault: str = "no such stem") -> Path:
    folder.mkdir()
    (folder / "program.py").write_text(f"FAULT = {fault!r}\n{_PROGRAM}")
    text = f'name: {folder.name}\ncommand: [python, program.py, "{{inputs}}", "{{outputs}}"]\n'
    if serve:
        text += 'serve: [python, program.py, --serve, "{outputs}"]\n'
    (folder / "entry.yaml").write_text(text + "sources: [program.py]\n")
    return folder


def starts(entrant: Path) -> int:
    path = entrant / "starts.txt"
    return len(path.read_text().splitlines()) if path.exists() else 0


def robustness(out: Path, data: Path, *entrants: Path, words: tuple[str, ...] = ()) -> pd.DataFrame:
    begin = ["robustness", *map(str, entrants), "--data", str(data), "--out", str(out)]
    assert main([*begin, "--isolation", "none", *words]) == 0
    table = read_robustness(out)
    assert table is not None
    return table


STEPS = ("--kind", "gaussian-noise", "shrinking", "inversion", "--severity", "1", "4")


def test_the_table_holds_every_image_and_the_program_starts_once(tmp_path: Path) -> None:
    data, entrant = make_dataset(tmp_path / "data"), make_entrant(tmp_path / "served")
    table = robustness(tmp_path / "out", data, entrant, words=STEPS)
    assert list(table.columns) == ROBUSTNESS_TABLES["robustness"].names()
    steps = list(table[["kind", "severity"]].drop_duplicates().itertuples(index=False, name=None))
    assert steps == [
        *(("unchanged", 0), ("gaussian-noise", 1), ("gaussian-noise", 4), ("inversion", 1)),
        *(("shrinking", 1), ("shrinking", 4)),
    ]
    assert (table.groupby(["kind", "severity"])["image"].nunique() == 2).all()
    assert starts(entrant) == 1
    assert table.loc[table["kind"] == "unchanged", "f1"].min() > 0.9
    assert table.loc[table["kind"] == "inversion", "f1"].max() < 0.1
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {".robustness.journal", "robustness.csv", "robustness_summary.csv"}
    summary = pd.read_csv(tmp_path / "out/robustness_summary.csv")
    pd.testing.assert_frame_equal(summary, summarise(table))


def test_scores_are_those_of_perturb_run_and_evaluate(tmp_path: Path) -> None:
    data, entrant = make_dataset(tmp_path / "data"), make_entrant(tmp_path / "served")
    table = robustness(tmp_path / "out", data, entrant, words=STEPS)
    noisy = tmp_path / "noisy"
    perturb_dataset(data, noisy, KINDS["gaussian-noise"], 4, splits=["test"])
    words = ["run", str(entrant), "--data", str(noisy), "--out", str(tmp_path / "predictions")]
    assert main([*words, "--isolation", "none"]) == 0
    scores = evaluate_folder(noisy / "test/labels", tmp_path / "predictions/served")
    found = table[(table["kind"] == "gaussian-noise") & (table["severity"] == 4)]
    np.testing.assert_array_equal(found["f1"], scores["f1"])
    assert list(found["image"]) == list(scores["image"])


@pytest.mark.slow  # a program that starts for every image
def test_what_is_finished_is_kept(tmp_path: Path) -> None:
    data, entrant = make_dataset(tmp_path / "data"), make_entrant(tmp_path / "served")
    other = make_entrant(tmp_path / "cold", serve=False)
    first = robustness(tmp_path / "out", data, entrant, other, words=STEPS)
    written = (tmp_path / "out/robustness.csv").read_bytes()
    robustness(tmp_path / "out", data, entrant, other, words=STEPS)
    assert (starts(entrant), (tmp_path / "out/robustness.csv").read_bytes()) == (1, written)
    # Fewer kinds keep what is known; a new one is added.
    more = ("--kind", "gamma", "--severity", "2")
    table = robustness(tmp_path / "out", data, entrant, words=more)
    assert starts(entrant) == 2
    assert set(table["kind"]) == {*first["kind"], "gamma"}
    assert set(table["algorithm"]) == {"served"}
    # Another program is run again.
    program = entrant / "program.py"
    program.write_text(program.read_text().replace("> 100", "> 300"))
    table = robustness(tmp_path / "out", data, entrant, words=more)
    assert set(table["kind"]) == {"unchanged", "gamma"}
    assert (table["f1"] == 0).all()


def test_an_interrupted_run_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, entrant = make_dataset(tmp_path / "data"), make_entrant(tmp_path / "served")
    done: list[tuple[str, int]] = []

    def perturb(*words: object, **options: object) -> object:
        kind, severity = words[2:4]
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append((kind.name, severity))  # type: ignore[attr-defined]
        return perturb_dataset(*words, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(robustness_runs, "perturb_dataset", perturb)
    out = tmp_path / "out"
    words = ["robustness", str(entrant), "--data", str(data), "--out", str(out)]
    assert main([*words, "--isolation", "none", "--kind", "gamma"]) == 130
    assert [path.name for path in out.iterdir()] == [".robustness.journal"]
    assert done == [("gamma", 1), ("gamma", 2)]
    done.clear()
    assert (
        main([*words, "--isolation", "none", "--kind", "gamma", "--severity", "1", "2", "3"]) == 0
    )
    assert done == [("gamma", 3)]
    table = read_robustness(out)
    assert table is not None
    assert sorted(table["severity"].unique()) == [0, 1, 2, 3]


def test_failures_count_as_0_and_are_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = make_dataset(tmp_path / "data")
    entrant = make_entrant(tmp_path / "fussy", fault="test1")  # fails on the perturbed file only
    words = ("--kind", "gamma", "--severity", "1")
    table = robustness(tmp_path / "out", data, entrant, words=words).set_index(["kind", "image"])
    assert table.loc[("unchanged", "test1"), "f1"] > 0.9
    assert table.loc[("gamma", "test1"), "f1"] == 0
    assert table.loc[("gamma", "test0"), "f1"] > 0.5
    assert "fussy, gamma-1: 1 of 2 images failed; test1: failed does not like it" in caplog.text
    program = entrant / "program.py"
    assert starts(entrant) == 1
    robustness(tmp_path / "out", data, entrant, words=words)
    assert starts(entrant) == 2, "the failed step was run again"
    program.write_text("raise SystemExit('broken')")
    table = robustness(tmp_path / "out", data, entrant, words=words)
    assert len(table) == 4
    assert (table["f1"] == 0).all()


def test_every_perturbed_image_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_dataset(tmp_path / "data")
    entrant = make_entrant(tmp_path / "fussy", fault="test")  # fails on all perturbed files
    words = ("--kind", "gamma", "jpeg", "--severity", "1", "2")
    table = robustness(tmp_path / "out", data, entrant, words=words)
    assert len(table) == 2 + 2 * 2 * 2
    assert table.loc[table["kind"] == "unchanged", "f1"].min() > 0.9
    assert (table.loc[table["kind"] != "unchanged", "f1"] == 0).all()
    summary = pd.read_csv(tmp_path / "out/robustness_summary.csv")
    assert len(summary) == 1 + 2 * (1 + 2)
    assert (summary["images"] == 2).all()
    assert (summary[["relative", "relative_low", "relative_high"]] == 0).all(axis=None)
    clean = table.loc[table["kind"] == "unchanged", "f1"].mean()
    assert summary["clean_f1"].tolist() == pytest.approx([clean] * len(summary))
    assert (
        f"fussy: relative robustness 0.000 (0.000 to 0.000), mean F1 {clean:.3f} on unchanged images; "
        "weakest: gamma (0.000)\n"
    ) in capsys.readouterr().out


def test_kinds_that_exist_for_no_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, entrant = make_dataset(tmp_path / "data"), make_entrant(tmp_path / "served")
    words = ("--kind", "channel-swap", "gamma", "--severity", "1")
    table = robustness(tmp_path / "out", data, entrant, words=words)
    assert set(table["kind"]) == {"unchanged", "gamma"}
    assert "channel-swap exists for none of the images and is left out" in capsys.readouterr().err


def test_label_maps_under_other_names(tmp_path: Path) -> None:
    data, entrant = make_dataset(tmp_path / "data", images=1), make_entrant(tmp_path / "served")
    (data / "test/labels").rename(data / "test/masks")
    (data / "test/masks/test0_label.tiff").rename(data / "test/masks/test0_masks.tif")
    table = robustness(tmp_path / "out", data, entrant, words=("--kind", "gamma", "enlarging"))
    assert len(table) == 11
    assert table.groupby("kind")["f1"].max().min() > 0.9


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, entrant = make_dataset(tmp_path / "data", images=1), make_entrant(tmp_path / "served")
    words = ["robustness", str(entrant), "--data", str(data), "--out", str(tmp_path / "out")]
    assert main([*words, "--kind", "channel-swap"]) == 1
    assert "choose another kind" in capsys.readouterr().err
    (data / "test/labels/test0_label.tiff").unlink()
    assert main(words) == 1
    assert "no image in test/images has a label map" in capsys.readouterr().err
    folder = tmp_path / "board"
    folder.mkdir()
    (folder / "robustness.csv").write_text(
        "algorithm,kind,severity,image,f1\n" + 2 * "a,unchanged,0,i,0.5\n"
    )
    with pytest.raises(ScoresError, match="two rows for one image"):
        read_robustness(folder)
    assert read_robustness(tmp_path) is None
