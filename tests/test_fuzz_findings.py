"""What tests/fuzz found, made small: each file is one line of error, soon and in little memory."""

import signal
import struct
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cellbench.errors import ImageError, LabelMapError, ScoresError
from cellbench.evaluation.masks import read_mask_table
from cellbench.evaluation.runtimes import read_runtimes
from cellbench.images import image_shape, read_image
from cellbench.labels import read_labels, write_labels

PICTURE = np.ones((37, 53), np.uint8)


@pytest.fixture(autouse=True)
def _soon() -> Iterator[None]:
    """Stop what does not come to an end."""
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("takes more than 10 seconds"))
    signal.setitimer(signal.ITIMER_REAL, 10)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def followed(path: Path, *pages: int) -> None:
    """Write a TIFF with further pages without tags; each gives the number of the one that follows."""
    tifffile.imwrite(path, PICTURE, metadata=None)
    data = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    (tags,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * tags, len(data))
    offsets = [first, *(len(data) + 6 * number for number in range(len(pages)))]
    for page in pages:
        data += struct.pack("<HI", 0, offsets[page])
    path.write_bytes(data)


def retagged(path: Path, tags: dict[str, tuple[Any, str]], **options: Any) -> None:
    """Write a TIFF and overwrite some of its tags with a value of another type."""
    tifffile.imwrite(path, PICTURE, **options)
    with tifffile.TiffFile(path, mode="r+") as file:
        for name, (value, dtype) in tags.items():
            file.pages.first.tags[name].overwrite(value, dtype=dtype)


TILES = {"tile": (16, 16), "compression": "zlib"}
HEADERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a page that follows itself": (lambda path: followed(path, 1), "circular|one page"),
    "pages in a circle": (lambda path: followed(path, 2, 3, 2), "circular|one page"),
    "a circle of 200 pages": (lambda path: followed(path, *range(2, 200), 1), "circular|one page"),
    "a negative width": (
        lambda path: retagged(path, {"ImageWidth": (-1, "b")}, **TILES),
        "width or height|one page",
    ),
    "many widths": (
        lambda path: retagged(path, {"ImageWidth": ((2**25,) * 65, "I")}),
        "width or height|cannot be read",
    ),
    "pixels of an unknown type": (
        lambda path: retagged(path, {"BitsPerSample": (22540, "H")}, compression="zlib"),
        "type of its pixels is unknown|cannot be read|ids must be",
    ),
    "odd numbers of bits": (
        lambda path: retagged(
            path,
            {"SamplesPerPixel": (9, "H"), "BitsPerSample": ((-128, 127) * 600, "b")},
            **TILES,
        ),
        "cannot be read",
    ),
}
SEGMENTS: dict[str, tuple[Callable[[Path], None], str]] = {
    f"tiles with a {tag} of {side}": (
        partial(retagged, tags={tag: (side, "I")}, **TILES),
        "declares",
    )
    for tag, side in {"TileWidth": 2**31 - 16, "TileLength": 2**28}.items()
}


@pytest.mark.parametrize(
    ("read", "write", "message"),
    [
        *(
            (read, *HEADERS[name])
            for name in HEADERS
            for read in (image_shape, read_image, read_labels)
        ),
        *((read, *SEGMENTS[name]) for name in SEGMENTS for read in (read_image, read_labels)),
    ],
)
def test_damaged_tiffs(
    read: Callable[[Path], Any],
    write: Callable[[Path], None],
    message: str,
    tmp_path: Path,
    recwarn: pytest.WarningsRecorder,
) -> None:
    path = tmp_path / "a.tiff"
    write(path)
    with pytest.raises((ImageError, LabelMapError), match=message) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must name the columns .* or image,seconds; it has no columns"),
        ("\ufeff", "must name the columns .* or image,seconds; it has no columns"),
        ('"a\nb",c', "it has 'a.*b', 'c'"),
        ('Img Name,Real Running Time\na,"5\nb,6', "line 2: a double quote is not closed"),
        ('Img Name,Real Running Time\na,"5\nb,6"', "line 2 has the running time 5 b,6"),
    ],
)
def test_damaged_runtimes(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "runtime.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScoresError, match=message) as error:
        read_runtimes(path)
    assert "\n" not in str(error.value)


def test_a_height_of_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "masks.csv"
    path.write_text('id,annotation,width,height\na,1 3,30,"20\nb"\n')
    with pytest.raises(LabelMapError, match="states the size 20 b × 30, but the image is 20 × 30"):
        read_mask_table(path)["a"].open((20, 30))


def test_an_id_of_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "masks.csv"
    path.write_text('id,predicted\n"a\nb",1 3\n')
    with pytest.raises(ScoresError, match="line 3 has an id of several lines"):
        read_mask_table(path)


def test_a_damaged_file_in_one_thread_is_no_fault_in_another(tmp_path: Path) -> None:
    sound, damaged = tmp_path / "sound.tiff", tmp_path / "damaged.tiff"
    write_labels(sound, PICTURE)
    retagged(damaged, {"Compression": (9, "I")}, **TILES)
    data = bytearray(damaged.read_bytes())
    data[data.index(struct.pack("<HH", 259, 4)) + 2] = 99  # a type that there is not
    damaged.write_bytes(data)
    with pytest.raises(LabelMapError, match="invalid data type 99"):
        read_labels(damaged)
    done = threading.Event()

    def read_damaged() -> None:
        while not done.is_set():
            with pytest.raises(LabelMapError):
                read_labels(damaged)

    thread = threading.Thread(target=read_damaged)
    thread.start()
    try:
        for _ in range(200):
            assert read_labels(sound).shape == PICTURE.shape
    finally:
        done.set()
        thread.join()
