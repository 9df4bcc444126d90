"""Perturbed datasets: label maps, manifest, seeds, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from datasets import make_dataset
from label_maps import discs
from scipy import ndimage

from cellbench.cli import main
from cellbench.csv_tables import read_rows
from cellbench.data.folder import read_dataset
from cellbench.data.perturb.dataset import perturb_dataset
from cellbench.data.perturb.severities import KINDS, STEPS, combinations
from cellbench.errors import DatasetError, ImageError, UsageError
from cellbench.images import read_raw
from cellbench.labels import read_labels


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def perturb(root: Path, out: Path, kind: str, severity: int = 1, **options: object) -> list[str]:
    report = perturb_dataset(root, out, KINDS[kind], severity, **options)  # type: ignore[arg-type]
    return [image.stem for image in report.images]


def test_the_table_of_severities_is_whole_and_rises() -> None:
    for kind in KINDS.values():
        assert len(kind.strengths) in (1, STEPS)
        rising = list(kind.strengths)
        falls = kind.name in ("poisson-noise", "contrast", "jpeg", "shrinking")
        assert rising == sorted(rising, reverse=falls)
        assert len(set(rising)) == len(rising)
    assert min(KINDS["shrinking"].strengths) >= 0.5
    assert max(KINDS["enlarging"].strengths) <= 2


def test_the_documentation_has_the_same_table() -> None:
    text = (Path(__file__).parents[2] / "docs/robustness.md").read_text("utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    assert [row[1].strip(" `") for row in rows] == list(KINDS)
    for row, kind in zip(rows, KINDS.values(), strict=True):
        numbers = ", ".join(f"{strength:g}" for strength in kind.strengths)
        assert row[-2].strip() == (numbers if len(kind.strengths) > 1 else "one severity")


def test_label_maps_are_links_and_the_manifest_says_what_was_done(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data")
    manifest = root / "manifest.csv"
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join([lines[0] + ",note", *(f"{line},old" for line in lines[1:-1])]))
    before = contents(root)
    words = [str(root), str(tmp_path / "out"), "--kind", "gaussian-noise", "inversion"]
    assert main(["perturb", *words, "--severity", "2", "1", "--split", "test"]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"gaussian-noise-1", "gaussian-noise-2", "inversion-1"}
    out = tmp_path / "out/gaussian-noise-2"
    for old, new in zip(read_dataset(root, ["test"]), read_dataset(out), strict=True):
        assert new.labels.samefile(old.labels)
        assert (new.stem, new.split, new.modality) == (old.stem, old.split, old.modality)
        assert read_raw(new.image).shape == read_raw(old.image).shape
    rows = read_rows(out / "manifest.csv", ["image"], DatasetError)
    assert [row["image"] for row in rows] == ["test0.tif", "test1.tif"]
    assert [row["note"] for row in rows] == ["old", ""]  # the last image is not listed
    assert {(row["kind"], row["severity"]) for row in rows} == {("gaussian-noise", "2")}
    assert contents(root) == before


@pytest.mark.parametrize(
    ("kind", "severity"), [("enlarging", 5), ("enlarging", 1), ("shrinking", 5)]
)
def test_label_maps_follow_the_geometry(tmp_path: Path, kind: str, severity: int) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    perturb(root, tmp_path / "out", kind, severity, splits=["test"])
    factor = KINDS[kind].strength(severity)
    (old,), (new,) = read_dataset(root, ["test"]), read_dataset(tmp_path / "out")
    before, after = read_labels(old.labels), read_labels(new.labels)
    assert after.shape == tuple(round(side * factor) for side in before.shape)
    assert read_raw(new.image).shape[:2] == after.shape
    ids = [cell for cell in np.unique(before) if (before == cell).sum() > 60 and cell]
    assert len(ids) >= 3
    scale = np.divide(after.shape, before.shape)
    for cell in ids:
        # Of pixel corners, not centres: the middle of the first pixel is at 0.5.
        centre = (np.array(ndimage.center_of_mass(before == cell)) + 0.5) * scale - 0.5
        np.testing.assert_allclose(ndimage.center_of_mass(after == cell), centre, atol=0.4)
        assert (after == cell).sum() == pytest.approx((before == cell).sum() * factor**2, rel=0.15)
    # The bright discs of the image are still where the cells are.
    pixels = read_raw(new.image)[..., 0].astype(float)
    assert pixels[after > 0].mean() > pixels[after == 0].mean() + 80


def test_a_repeat_is_byte_identical_and_subsets_do_not_matter(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=3)
    for kind in ("gaussian-noise", "poisson-noise", "motion-blur", "uneven-light"):
        perturb(root, tmp_path / kind / "first", kind, 3)
        perturb(root, tmp_path / kind / "second", kind, 3)
        assert contents(tmp_path / kind / "first") == contents(tmp_path / kind / "second")
        perturb(root, tmp_path / kind / "other", kind, 3, seed=1)
        assert contents(tmp_path / kind / "first") != contents(tmp_path / kind / "other")
    fewer = tmp_path / "fewer"
    assert main(["data", "subset", str(root), str(fewer), "--where", "modality=DIC"]) == 0
    perturb(fewer, tmp_path / "some", "gaussian-noise", 3)
    every = contents(tmp_path / "gaussian-noise/first")
    some = {name: data for name, data in contents(tmp_path / "some").items() if "images" in name}
    assert len(some) == 3
    assert {name: every[name] for name in some} == some


def test_images_for_which_a_kind_does_not_exist_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    words = ["perturb", str(root), str(tmp_path / "out"), "--kind", "channel-swap"]
    assert main(words) == 1
    assert "channel-swap exists for none of the images" in capsys.readouterr().err
    assert not (tmp_path / "out/channel-swap-1").exists()
    colour = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    tifffile.imwrite(root / "test/images/colour.tif", colour, photometric="rgb")
    tifffile.imwrite(root / "test/labels/colour_label.tiff", discs((64, 96)).astype(np.uint16))
    assert main(words) == 0
    assert "1 image; the kind does not exist for 3 others" in capsys.readouterr().out
    changed = read_raw(tmp_path / "out/channel-swap-1/test/images/colour.tif")
    np.testing.assert_array_equal(np.sort(changed, axis=2), np.sort(colour, axis=2))


def test_what_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    begin = ["perturb", str(root)]
    assert main([*begin, str(tmp_path / "out"), "--kind", "fog"]) == 2
    assert "invalid choice: 'fog'" in capsys.readouterr().err
    assert main([*begin, str(tmp_path / "out"), "--severity", "6"]) == 2
    assert main([*begin, str(tmp_path / "out"), "--seed", "-1"]) == 2
    assert main([*begin, str(tmp_path / "out"), "--kind", "inversion", "--severity", "3"]) == 2
    assert "severity 3: inversion has severity 1 only" in capsys.readouterr().err
    assert main([*begin, str(root / "out"), "--kind", "gamma"]) == 1
    assert "is in the dataset folder" in capsys.readouterr().err
    assert main([*begin, str(tmp_path / "out"), "--kind", "gamma", "--severity", "2"]) == 0
    capsys.readouterr()
    assert main([*begin, str(tmp_path / "out"), "--kind", "gamma"]) == 1
    assert "gamma-2: exists and is not an empty folder" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["gamma-2"]
    with pytest.raises(UsageError, match="kind 'fog'"):
        combinations(["fog"], [1])


def test_an_image_that_fails_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data", images=1)
    (root / "unlabeled/images").mkdir(parents=True)
    damaged = root / "unlabeled/images/a.tif"
    tifffile.imwrite(damaged, np.full((8, 8), 2**60))
    with pytest.raises(ImageError, match=r"a\.tif: pixel values beyond"):
        perturb(root, tmp_path / "out", "gamma")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_all_kinds_on_the_sample(tmp_path: Path) -> None:
    assert main(["data", "sample", str(tmp_path / "sample")]) == 0
    words = ["perturb", str(tmp_path / "sample"), str(tmp_path / "out"), "--split", "test"]
    assert main([*words, "--severity", "1", "5"]) == 0
    folders = {path.name: len(read_dataset(path)) for path in (tmp_path / "out").iterdir()}
    assert len(folders) == 2 * len(KINDS) - 2
    coloured = {name for name, count in folders.items() if count == 3}
    assert coloured == {"channel-swap-1", "stain-shift-1", "stain-shift-5"}
    assert {count for name, count in folders.items() if name not in coloured} == {13}
