"""A package unknown to cellbench: its model, datamodule and entrant go from training to the page."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from datasets import make_dataset
from training_runs import CONF, CONFIGS

from cellbench.data.folder import read_dataset

PACKAGE = Path(__file__).parent / "package"
CLASS = "lab_cells.model.ShrunkenCellsUNet"

pytestmark = pytest.mark.slow


def cellbench(site: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a verb in a process that finds the packages in ``site``."""
    paths = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "cellbench.cli", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
    )


def done(site: Path, *words: str | Path) -> str:
    run = cellbench(site, *words)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package, with its entry point, where nothing else is."""
    target = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", target, PACKAGE]
    subprocess.run(list(map(str, command)), check=True)
    return target


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a dataset whose images come from two sources."""
    root = make_dataset(tmp_path_factory.mktemp("data") / "discs", images=3)
    manifest = pd.read_csv(root / "manifest.csv")
    manifest["source"] = ["ours", "theirs", "theirs"] * 3
    manifest.to_csv(root / "manifest.csv", index=False)
    return root


def fit_words(run: Path, data: Path) -> list[str | Path]:
    return [
        *("fit", "--config", CONFIGS / "base.yaml", "--config", CONF / "tiny.yaml"),
        *("--data", "lab_cells.datamodule.EqualSources"),
        *("--data.init_args.root", data, "--data.init_args.cache", data / "cache"),
        *("--trainer.default_root_dir", run, "--tune", "true"),
    ]


@pytest.fixture(scope="module")
def run(site: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the installed model by its registered name."""
    folder = tmp_path_factory.mktemp("runs") / "lab_cells"
    done(site, *fit_words(folder, data), "--model", "lab_cells")
    return folder


def test_from_training_to_the_page(site: Path, data: Path, run: Path, tmp_path: Path) -> None:
    entrants = [run, site / "lab_cells/threshold"]
    done(site, "run", *entrants, "--data", data, "--out", tmp_path / "predictions")
    scores = tmp_path / "board/scores.csv"
    done(site, "evaluate", data / "test/labels", tmp_path / "predictions", "--out", scores)
    done(site, "rank", scores, "--out", tmp_path / "board", "--bootstrap", "20")
    done(site, "report", tmp_path / "board")

    table = pd.read_csv(scores)
    assert set(table["status"]) == {"ok"}
    assert len(table) == 2 * len(read_dataset(data, ["test"]))
    best = pd.read_csv(tmp_path / "board/leaderboard.csv").set_index("algorithm")
    assert best.loc["lab_threshold", "median_f1"] == 1
    page = (tmp_path / "board/report.html").read_text("utf-8")
    assert "lab_threshold" in page
    assert "lab_cells" in page


def test_an_installed_model_is_listed_and_loaded_by_its_checkpoint(
    site: Path, data: Path, run: Path, tmp_path: Path
) -> None:
    assert "lab_cells" in done(site, "models", "--names").split()
    assert "number of features at each level" in done(site, "models", "lab_cells")
    checkpoint = run / "checkpoints/best.ckpt"
    done(site, "segment", data / "test/images", tmp_path / "out", "--checkpoint", checkpoint)
    assert len(list((tmp_path / "out").glob("*_label.tiff"))) == 3
    assert "threshold" in done(site, "tune", checkpoint, "--data", data)


def test_a_class_that_is_not_registered_must_be_named(
    data: Path, run: Path, tmp_path: Path
) -> None:
    """The same package on the path only: no entry point says that its class may be loaded."""
    checkpoint = run / "checkpoints/best.ckpt"
    words = ["segment", data / "test/images", tmp_path / "out", "--checkpoint", checkpoint]
    refused = cellbench(PACKAGE, *words)
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert CLASS in refused.stderr
    assert "--model-class" in refused.stderr
    done(PACKAGE, *words, "--model-class", CLASS)


def test_the_entry_of_a_class_that_is_not_registered_names_it(data: Path, tmp_path: Path) -> None:
    done(PACKAGE, *fit_words(tmp_path / "run", data), "--model", CLASS)
    assert f"--model-class\n- {CLASS}" in (tmp_path / "run/entry.yaml").read_text("utf-8")
    out = done(PACKAGE, "run", tmp_path / "run", "--data", data, "--out", tmp_path / "predictions")
    assert "3 ok" in out
