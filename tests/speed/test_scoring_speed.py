"""Scoring against the official steps, StarDist and NumPy: `make bench`.

Ratios are what to trust on a shared machine; the bounds are the project's own.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from crowded import crowded_pair
from official import score as official_score
from peers import in_a_process, medians, report
from stardist.matching import matching

from cellbench.evaluation import score_image
from cellbench.labels import write_labels

THRESHOLDS = [k / 20 for k in range(10, 20)]


@pytest.mark.parametrize(
    ("side", "cells", "least_official", "least_stardist"),
    [(512, 100, 15, 5), (1000, 500, 45, 15), (2000, 3000, 120, 40)],
)
def test_ten_thresholds_with_frame_and_dice_against_one(
    side: int, cells: int, least_official: float, least_stardist: float
) -> None:
    truth, prediction = crowded_pair(side, cells)
    scores = score_image(truth, prediction, thresholds=THRESHOLDS)
    half = scores[0]
    found = (half.true_cells, half.predicted_cells, half.tp, half.dice)
    assert found == pytest.approx(official_score(truth, prediction))
    ours, official, stardist = medians(
        lambda: score_image(truth, prediction, thresholds=THRESHOLDS),
        lambda: official_score(truth, prediction),
        lambda: matching(truth, prediction, thresh=0.5),
    )
    what = f"scoring {side} × {side}, {truth.max()} cells"
    assert report(what, ours, "the official steps", official) >= least_official
    assert report(what, ours, "stardist.matching", stardist) >= least_stardist


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair of 10,000 × 10,000 px with 60,000 cells, as .npy and as zlib TIFF."""
    folder = tmp_path_factory.mktemp("slide")
    for name, labels in zip(("truth", "prediction"), crowded_pair(10_000, 60_000), strict=True):
        np.save(folder / f"{name}.npy", labels)
        write_labels(folder / f"{name}.tiff", labels)
    return folder


def test_a_whole_slide_against_summing_it(slide: Path) -> None:
    code = f"""
import numpy as np
from cellbench.evaluation import score_image
truth, prediction = (np.load({str(slide)!r} + f"/{{name}}.npy") for name in ("truth", "prediction"))
thresholds = [k / 20 for k in range(10, 20)]
score_image(*[np.zeros((2000, 2000), np.int32)] * 2)  # loads what is compiled
ours, sums, more = [], [], 0
for protocol in ["exact"] + ["neurips22"] * 5:
    score = lambda: score_image(truth, prediction, thresholds=thresholds, protocol=protocol)
    seconds, memory = measured(score)
    ours.append(seconds)
    more += memory
    sums.append(measured(lambda: (truth.sum(), prediction.sum()))[0])
print(ours[0], np.median(ours[1:]), np.median(sums), more)
"""
    exact, ours, sums, memory = in_a_process(code)
    print(
        f"\nscoring 10,000 × 10,000: {ours * 1e3:.0f} ms ({ours / sums:.1f} × np.sum), "
        f"without tiles {exact * 1e3:.0f} ms, {memory:.0f} MiB"
    )
    assert exact <= 4 * sums
    assert ours <= 4 * sums
    assert memory <= 50


def test_a_whole_slide_from_zlib_tiff(slide: Path) -> None:
    code = f"""
from cellbench.evaluation.protocols import get_protocol
from cellbench.evaluation.scoring import count_parts, score_image, score_parts
from cellbench.labels import open_labels
import numpy as np
score_image(*[np.zeros((2000, 2000), np.uint16)] * 2)  # loads what is compiled
def score():
    maps = (open_labels({str(slide)!r} + f"/{{name}}.tiff") for name in ("truth", "prediction"))
    score_parts(count_parts(*maps, get_protocol("neurips22")), [k / 20 for k in range(10, 20)])
print(*measured(score))
"""
    seconds, memory = in_a_process(code)
    print(f"\nscoring 10,000 × 10,000 from zlib TIFF: {seconds * 1e3:.0f} ms, {memory:.0f} MiB")
    assert seconds <= 1
    assert memory <= 250


def test_every_pixel_its_own_cell_against_numpy() -> None:
    rng = np.random.default_rng(0)
    truth, prediction = (
        rng.permutation(4_000_000).reshape(2000, 2000).astype(np.int32) + 1 for _ in range(2)
    )
    key = truth.astype(np.uint64) << np.uint64(32) | prediction.astype(np.uint64)
    ours, numpy = medians(
        lambda: score_image(truth, prediction, thresholds=THRESHOLDS), lambda: np.unique(key)
    )
    report("every pixel its own cell, 2000 × 2000", ours, "np.unique", numpy)
    assert ours <= 3 * numpy


def test_sixty_pairs_through_the_command_line(tmp_path: Path) -> None:
    for number in range(60):
        side = (512, 768, 1024)[number % 3]
        pair = crowded_pair(side, side**2 // 2000, seed=number)
        for name, labels in zip(("truth", "prediction"), pair, strict=True):
            write_labels(tmp_path / name / f"{number:02}_label.tiff", labels)
    folders = [str(tmp_path / "truth"), str(tmp_path / "prediction")]
    official = [sys.executable, str(Path(__file__).with_name("official.py")), *folders]
    ours = [sys.executable, "-m", "cellbench.cli", "evaluate", *folders, "--thresholds"]
    ours += [str(threshold) for threshold in THRESHOLDS]
    times: dict[str, list[float]] = {"ours": [], "official": []}
    for _ in range(3):
        for name, command in (
            ("ours", [*ours, "--out", str(tmp_path / "scores.csv")]),
            ("official", [*official, str(tmp_path / "official.csv")]),
        ):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    medians = {name: float(np.median(taken)) for name, taken in times.items()}
    ratio = report("60 pairs, imports and files", medians["ours"], "official", medians["official"])
    assert ratio >= 10
