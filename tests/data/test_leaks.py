"""`cellbench data leaks`: planted copies and crops are found, other images of the same source are not."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from cellbench.cli import main
from cellbench.data.fingerprints import POSITIONS, turn, turn_points
from cellbench.data.folder import read_dataset
from cellbench.data.leaks import Kind, find_leaks
from cellbench.data.sample import make_sample
from cellbench.images import read_raw

Pixels = npt.NDArray[np.uint8]
Change = Callable[[Pixels], Pixels]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("leaks") / "sample"
    make_sample(root)
    return root


@pytest.fixture
def plant(sample: Path, tmp_path: Path) -> Callable[..., list[Path]]:
    """Write changed training images of the sample into the test split of a new dataset folder."""
    folder = tmp_path / "tested/test/images"
    folder.mkdir(parents=True)

    def write(change: Change, suffix: str = ".png") -> list[Path]:
        sources = [image.image for image in read_dataset(sample, ["train", "tune"])]
        for source in sources:
            raw = read_raw(source)
            pixels = cv2.normalize(raw, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
            changed = np.ascontiguousarray(change(pixels.reshape(raw.shape)))
            path = folder / f"{source.stem}{suffix}"
            if suffix == ".tif":
                tifffile.imwrite(path, changed)
            else:
                cv2.imwrite(str(path), changed, [cv2.IMWRITE_JPEG_QUALITY, 70])
        return sources

    return write


def moved(position: int) -> Change:
    return lambda pixels: np.moveaxis(turn(np.moveaxis(pixels, 2, 0), position), 0, 2)


def scaled(factor: float) -> Change:
    def scale(pixels: Pixels) -> Pixels:
        small = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        return small.reshape(*small.shape[:2], -1)

    return scale


def gamma(exponent: float) -> Change:
    return lambda pixels: (255 * (pixels / 255) ** exponent).astype(np.uint8)


def cropped(position: int) -> Change:
    def crop(pixels: Pixels) -> Pixels:
        height, width = (side * 7 // 10 for side in pixels.shape[:2])
        part = pixels[pixels.shape[0] // 5 :][:height, pixels.shape[1] // 4 :][:, :width]
        return moved(position)(part)

    return crop


def test_nothing_in_the_sample_is_reported(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "leaks", str(sample)]) == 0
    printed = capsys.readouterr()
    assert printed.out == "image,other,kind,distance\n"
    assert printed.err == "0 test images are also among the training images\n"


@pytest.mark.parametrize(
    ("change", "suffix", "kind"),
    [
        (lambda pixels: pixels, ".jpg", Kind.RE_ENCODED),
        (lambda pixels: pixels.astype(np.uint16) * 200 + 7, ".tif", Kind.RE_ENCODED),
        (lambda pixels: 255 - pixels, ".png", Kind.RE_ENCODED),
        (scaled(0.5), ".png", Kind.RE_ENCODED),
        (scaled(1.7), ".jpg", Kind.RE_ENCODED),
        (gamma(0.5), ".png", Kind.RE_ENCODED),
        (gamma(2.0), ".jpg", Kind.RE_ENCODED),
        *((moved(position), ".jpg", Kind.TURNED) for position in range(1, POSITIONS)),
        (lambda pixels: scaled(0.5)(moved(5)(pixels)), ".png", Kind.TURNED),
        *((cropped(position), ".png", Kind.CROP) for position in range(POSITIONS)),
        (cropped(6), ".jpg", Kind.CROP),
    ],
)
def test_planted_images_are_found(
    change: Change,
    suffix: str,
    kind: Kind,
    sample: Path,
    tmp_path: Path,
    plant: Callable[..., list[Path]],
) -> None:
    sources = plant(change, suffix)
    leaks = find_leaks(sample, tmp_path / "tested")
    assert {leak.image.stem: leak.other for leak in leaks} == {path.stem: path for path in sources}
    assert {leak.kind for leak in leaks} == {kind}
    assert all(0 <= leak.distance <= 0.3 for leak in leaks)


def test_the_table_names_the_original(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tested/test/images"
    folder.mkdir(parents=True)
    source = read_dataset(sample, ["tune"])[0].image
    (folder / f"copy{source.suffix}").write_bytes(source.read_bytes())
    (folder / "new.png").write_bytes(cv2.imencode(".png", np.eye(64, dtype=np.uint8))[1].tobytes())
    assert main(["data", "leaks", str(sample), str(tmp_path / "tested")]) == 1
    printed = capsys.readouterr()
    assert [*csv.reader(io.StringIO(printed.out))] == [
        ["image", "other", "kind", "distance"],
        [str(folder / f"copy{source.suffix}"), str(source), "same", "0.0000"],
    ]
    assert printed.err == "1 test image is also among the training images\n"


def test_unlabelled_images_are_training_images(sample: Path, tmp_path: Path) -> None:
    names = {"train": 0, "unlabeled": 1, "test": 1}
    images = [image.image for image in read_dataset(sample, ["train"])]
    for split, number in names.items():
        folder = tmp_path / split / "images"
        folder.mkdir(parents=True)
        (folder / images[number].name).write_bytes(images[number].read_bytes())
    (leak,) = find_leaks(tmp_path)
    assert leak.other == tmp_path / "unlabeled/images" / images[1].name


@pytest.mark.parametrize("value", [0, 200])
def test_images_without_structure_are_not_alike(value: int, sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tested/test/images"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "flat.png"), np.full((80, 90), value, np.uint8))
    cv2.imwrite(str(folder / "tiny.png"), np.eye(7, dtype=np.uint8) * 255)
    assert find_leaks(sample, tmp_path / "tested") == []


@pytest.mark.parametrize("position", range(POSITIONS))
def test_points_move_with_their_pixels(position: int) -> None:
    pixels = np.arange(15).reshape(3, 5)
    points = np.argwhere(pixels >= 0)
    turned = turn(pixels, position)
    rows, columns = turn_points(points, pixels.shape, position).T
    assert (turned[rows, columns] == pixels.ravel()).all()


def test_the_eight_positions_differ() -> None:
    pixels = np.arange(6).reshape(2, 3)
    assert len({turn(pixels, position).tobytes() for position in range(POSITIONS)}) == POSITIONS
