"""`cellbench perturb` on odd images and places: all kinds work, or nothing is written."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from datasets import make_dataset

from cellbench.cli import main
from cellbench.data.perturb.severities import KINDS
from cellbench.images import read_raw


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_dataset(tmp_path / "data", images=1)


def replace_image(root: Path, pixels: np.ndarray) -> None:
    (root / "test/images/test0.png").unlink()
    tifffile.imwrite(root / "test/images/test0.tif", pixels)


def perturb(root: Path, *words: str) -> int:
    return main(["perturb", str(root), str(root.parent / "out"), "--split", "test", *words])


def test_infinite_values_count_as_0_for_every_kind(root: Path) -> None:
    pixels = np.full((64, 96), 0.5, np.float32)
    pixels[:, :40] = 0.25
    pixels[30, 50], pixels[31, 50], pixels[32, 50] = np.inf, -np.inf, np.nan
    replace_image(root, pixels)
    assert perturb(root, "--kind", "all", "--severity", "1") == 0
    folders = sorted(path.name for path in (root.parent / "out").iterdir())
    assert folders == sorted(f"{name}-1" for name in {*KINDS} - {"channel-swap", "stain-shift"})
    for name in folders:
        assert np.isfinite(read_raw(root.parent / "out" / name / "test/images/test0.tif")).all()


def test_what_cannot_be_perturbed_is_refused_before_anything_is_written(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace_image(root, np.full((64, 96), 2**60))
    assert perturb(root, "--kind", "all", "--severity", "1") == 1
    assert "test0.tif: pixel values beyond" in capsys.readouterr().err
    assert not (root.parent / "out").exists()
    (root / "test/images/test0.tif").unlink()
    replace = np.random.default_rng(0).integers(0, 255, (64, 96)).astype(np.uint8)
    tifffile.imwrite(root / "test/images/test0.tif", replace)
    assert perturb(root, "--kind", "all", "--severity", "1") == 0


@pytest.mark.parametrize("kind", ["gaussian-noise", "poisson-noise", "defocus", "enlarging"])
def test_black_and_white_images_have_room_for_noise(root: Path, kind: str) -> None:
    bits = np.zeros((64, 96), bool)
    bits[20:40, 30:60] = True
    replace_image(root, bits)
    assert perturb(root, "--kind", kind, "--severity", "2") == 0
    changed = read_raw(root.parent / f"out/{kind}-2/test/images/test0.tif")
    assert changed.dtype == np.uint8
    assert len(np.unique(changed)) > 2
    assert changed.max() > 200


@pytest.mark.parametrize("place", ["out", "out/gamma-1"])
def test_a_file_in_the_way_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    blocked = root.parent / place
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_text("mine")
    assert perturb(root, "--kind", "jpeg", "gamma", "--severity", "1") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(blocked) in line
    assert "Errno" not in line
    assert blocked.read_text() == "mine"
    assert not (root.parent / "out/jpeg-1").exists()


@pytest.mark.parametrize("kinds", [["inversion", "gamma"], ["all"]])
def test_a_kind_without_the_severity_is_left_out_whether_it_is_named_or_not(
    root: Path, capsys: pytest.CaptureFixture[str], kinds: list[str]
) -> None:
    assert perturb(root, "--severity", "3", "--kind", *kinds) == 0
    assert "inversion has severity 1 only and is left out" in capsys.readouterr().err
    names = {path.name for path in (root.parent / "out").iterdir()}
    assert "gamma-3" in names
    assert not any(name.startswith("inversion") for name in names)
