"""Every baseline follows the entrant contract; the classical one finds what is plain to see."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy import ndimage

from cellbench.entrants.entries import read_entry
from cellbench.labels import cell_ids, read_labels

ROOT = Path(__file__).parents[2]
BASELINES = sorted(path for path in (ROOT / "baselines").iterdir() if path.is_dir())
PREDICT = ROOT / "baselines" / "otsu_watershed" / "predict.py"

REQUIRED = {"name", "title", "authors", "paper", "code", "licence", "weights_licence", "trained_on"}
CENTRES = [(row, column) for row in (40, 100, 160) for column in (40, 100, 160, 220)]


@pytest.mark.parametrize("folder", BASELINES, ids=lambda path: path.name)
def test_entries_say_everything_the_contract_asks(folder: Path) -> None:
    entry = read_entry(folder)
    assert entry.name == folder.name
    assert entry.model_fields_set >= REQUIRED
    assert all(getattr(entry, key) for key in REQUIRED - {"trained_on"})
    assert (folder / "README.md").is_file()


def predict(inputs: Path, outputs: Path) -> subprocess.CompletedProcess[str]:
    """Run the baseline as an entrant: in its own folder, with the interpreter that runs cellbench."""
    return subprocess.run(
        [sys.executable, PREDICT.name, "-i", inputs, "-o", outputs],
        cwd=PREDICT.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def discs(ground: float, cell: float) -> np.ndarray:
    image = np.full((200, 260), ground, np.float64)
    for row, column in CENTRES:
        cv2.circle(image, (column, row), 14, cell, -1)
    noise = np.random.default_rng(0).normal(0, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def relief() -> np.ndarray:
    """Domes lit from the left, each with its own bumps, on gray."""
    rng = np.random.default_rng(0)
    height = ndimage.gaussian_filter(discs(0, 255) / 255.0, 3)
    height = height * (1 + 0.6 * ndimage.gaussian_filter(rng.standard_normal(height.shape), 2))
    slope = np.gradient(height, axis=1)
    return np.clip(128 + 700 * slope + rng.normal(0, 2, height.shape), 0, 255).astype(np.uint8)


def stained() -> np.ndarray:
    """Purple nuclei on pink, in OpenCV's blue, green, red."""
    inside = (discs(0, 255) > 128)[..., None]
    picture = np.where(inside, (140, 60, 90), (200, 170, 235))
    noise = np.random.default_rng(0).normal(0, 4, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


PICTURES = {
    "bright": discs(30, 200),
    "dark": discs(200, 60),
    "pale": discs(100, 130),
    "relief": relief(),
    "stained": stained(),
}


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    inputs, outputs = (tmp_path_factory.mktemp(name) for name in ("inputs", "outputs"))
    for name, picture in PICTURES.items():
        cv2.imwrite(str(inputs / f"{name}.png"), picture)
    cv2.imwrite(str(inputs / "even.png"), np.full((50, 60), 7, np.uint8))
    touching = np.zeros((120, 160), np.uint8)
    cv2.circle(touching, (62, 60), 20, 200, -1)
    cv2.circle(touching, (98, 60), 20, 200, -1)
    cv2.imwrite(str(inputs / "touching.bmp"), touching)
    result = predict(inputs, outputs)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return outputs


@pytest.mark.parametrize("name", PICTURES)
def test_separate_discs_are_found_one_by_one(predicted: Path, name: str) -> None:
    labels = read_labels(predicted / f"{name}_label.tiff")
    assert len(cell_ids(labels)) == len(CENTRES)
    assert len({int(labels[centre]) for centre in CENTRES} - {0}) == len(CENTRES)
    areas = np.bincount(labels.ravel())[1:]
    # The window in which relief is compared widens strong edges by a few pixels.
    most = 2 if name == "relief" else 1.3
    assert (areas > 0.7 * np.pi * 14**2).all()
    assert (areas < most * np.pi * 14**2).all()


def test_touching_discs_are_split(predicted: Path) -> None:
    labels = read_labels(predicted / "touching_label.tiff")
    assert len(cell_ids(labels)) == 2
    assert labels[60, 50] != labels[60, 110]


def test_an_even_image_has_no_cells(predicted: Path) -> None:
    labels = read_labels(predicted / "even_label.tiff")
    assert labels.shape == (50, 60)
    assert not labels.any()


def test_a_bad_image_is_one_line_and_the_rest_go_on(tmp_path: Path) -> None:
    inputs, outputs = tmp_path / "inputs", tmp_path / "outputs"
    inputs.mkdir()
    (inputs / "broken.png").write_bytes(b"no picture")
    cv2.imwrite(str(inputs / "good.png"), discs(30, 200))
    result = predict(inputs, outputs)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "broken.png" in result.stderr
    assert [path.name for path in outputs.iterdir()] == ["good_label.tiff"]


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    result = predict(tmp_path / "absent", tmp_path)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1


def test_it_starts_without_torch() -> None:
    code = "import sys, runpy; runpy.run_path(sys.argv[1]); print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code, str(PREDICT)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "False\n"


def test_it_serves_one_image_after_another(tmp_path: Path) -> None:
    image = tmp_path / "cells.png"
    cv2.imwrite(str(image), PICTURES["bright"])
    absent = tmp_path / "absent.png"
    answer = subprocess.run(
        [sys.executable, PREDICT.name, "--serve", "-o", tmp_path / "out"],
        cwd=PREDICT.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=os.fsencode(image) + b"\n" + os.fsencode(absent) + b"\n\xff\n" + os.fsencode(image),
        capture_output=True,
        check=True,
    )
    greeting, first, second, third, last = answer.stdout.decode().splitlines()
    labels = tmp_path / "out/cells_label.tiff"
    assert greeting == "cellbench-serve 1"
    assert first == last == f"done {labels}"
    assert second.startswith(f"failed {absent}: ")
    assert third.startswith("failed 'utf-8' codec can't decode")
    assert len(cell_ids(read_labels(labels))) == len(CENTRES)
