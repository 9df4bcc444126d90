"""Writing label maps, and many algorithms on small images: `make bench`."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from crowded import crowded_pair
from peers import medians, report

from cellbench.labels import write_labels


@pytest.mark.parametrize(("side", "cells"), [(2000, 3000), (6000, 20_000)])
def test_label_tiffs_against_the_official_call(side: int, cells: int, tmp_path: Path) -> None:
    labels = crowded_pair(side, cells)[0].astype(np.uint16)
    ours, official = medians(
        lambda: write_labels(tmp_path / "ours.tiff", labels),
        lambda: tifffile.imwrite(tmp_path / "official.tiff", labels, compression="zlib"),
    )
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "ours.tiff"), labels)
    report(f"writing labels of {side} × {side}", ours, "tifffile.imwrite", official)
    assert ours <= 0.7 * official


def test_many_algorithms_on_small_images(tmp_path: Path) -> None:
    for number in range(422):
        truth, prediction = crowded_pair(128, 20, seed=number)
        write_labels(tmp_path / "truth" / f"{number:03}_label.tiff", truth)
        for algorithm in range(28):
            folder = tmp_path / "predictions" / f"algorithm{algorithm:02}"
            write_labels(folder / f"{number:03}_label.tiff", prediction)
    words = [str(tmp_path / "truth"), str(tmp_path / "predictions"), "--details", "--cells"]
    command = [sys.executable, "-m", "cellbench.cli", "evaluate", *words]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "--out", tmp_path / "scores.csv"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"\n28 algorithms on 422 images of 128 × 128: {seconds:.1f} s of processor time")
    assert seconds <= 20
