"""Writers of label maps in every format that is read, for tests."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import scipy.io
import tifffile
from PIL import Image

from cellbench.labels import LabelMap, open_labels

Writer = Callable[[Path, npt.NDArray[Any]], Any]

SHAPE = (70, 90)
CELLS = np.kron(np.arange(63).reshape(7, 9), np.ones((10, 10), int)) % 50


def tiff(**options: Any) -> Writer:
    return lambda path, labels: tifffile.imwrite(path, labels, **options)


def png(path: Path, labels: LabelMap) -> None:
    path.write_bytes(imagecodecs.png_encode(labels))


def npy(path: Path, labels: LabelMap) -> None:
    with path.open("wb") as file:
        np.save(file, labels)


def npz(path: Path, labels: LabelMap, save: Callable[..., None] = np.savez_compressed) -> None:
    with path.open("wb") as file:
        save(file, labels)


PALETTE = np.random.default_rng(0).integers(0, 2**16, (3, 256), np.uint16)


def as_colours(labels: npt.NDArray[Any], *, alpha: bool = False) -> npt.NDArray[Any]:
    """Return gray RGB, or RGBA whose background is transparent."""
    opaque = np.where(labels > 0, np.iinfo(labels.dtype).max, 0).astype(labels.dtype)
    return np.stack([*[labels] * 3, *[opaque] * alpha], axis=-1)


def colours_in_tiff(path: Path, labels: LabelMap, **options: Any) -> None:
    tifffile.imwrite(path, as_colours(labels), photometric="rgb", **options)


def palette_png(path: Path, labels: LabelMap) -> None:
    image = Image.fromarray(labels, "L").convert("P")
    image.putdata(labels.ravel().tolist())
    image.putpalette((PALETTE.T >> 8).astype(np.uint8).tobytes())
    image.save(path, "PNG")


def seg_npy(path: Path, labels: LabelMap) -> None:
    """Write what Cellpose writes: label map, outlines, flows and settings in one dictionary."""
    contents = {
        "outlines": labels > 0,
        "colors": np.zeros((3, 3), np.uint8),
        "masks": labels,
        "chan_choose": [0, 0],
        "ismanual": np.zeros(3, bool),
        "filename": "a.png",
        "flows": [np.zeros((2, 2, 3), np.uint8), [np.zeros(2), []], None],
        "est_diam": np.float64(30),
        "model_path": Path("models/cyto"),
    }
    with path.open("wb") as file:
        np.save(file, np.array(contents), allow_pickle=True)


def matlab(path: Path, labels: LabelMap, name: str = "inst_map", **options: Any) -> None:
    more = {"inst_type": np.ones((3, 1))} if name == "inst_map" else {}
    with path.open("wb") as file:
        scipy.io.savemat(file, {name: labels, **more}, **options)


WRITERS: dict[str, tuple[Writer, str]] = {
    "plain": (tiff(), "u2"),
    "one page of (1, H, W)": (lambda path, labels: tifffile.imwrite(path, labels[None]), "u2"),
    "strips": (tiff(rowsperstrip=7), "u4"),
    "tiles": (tiff(tile=(16, 32)), "u2"),
    "zlib": (tiff(compression="zlib"), "u2"),
    "zlib strips": (tiff(compression="zlib", rowsperstrip=7), "i4"),
    "zlib tiles": (tiff(compression="zlib", tile=(16, 32)), "u4"),
    "predictor": (tiff(compression="zlib", tile=(16, 32), predictor=True), "u2"),
    "lzw": (tiff(compression="lzw", rowsperstrip=9), "u1"),
    "big": (tiff(bigtiff=True, compression="zstd"), "i8"),
    "big-endian": (tiff(byteorder=">"), "u4"),
    "big-endian zlib": (tiff(byteorder=">", compression="zlib", tile=(32, 32)), "u8"),
    "bits": (tiff(), "?"),
    "bits in strips": (tiff(rowsperstrip=4, compression="packbits"), "?"),
    "imagej": (tiff(imagej=True), "u2"),
    "ome": (tiff(ome=True, tile=(16, 16)), "u2"),
    "png": (png, "u1"),
    "png of 16 bits": (png, "u2"),
    "npy": (npy, "u2"),
    "npy of bits": (npy, "?"),
    "npy, big-endian": (npy, ">u4"),
    "npy of 64 bits": (npy, ">u8"),
    "npy by columns": (lambda path, labels: npy(path, np.asfortranarray(labels)), "i8"),
    "npz": (npz, "u2"),
    "npz of 64 bits": (partial(npz, save=np.savez), "u8"),
    "npy of (1, H, W)": (lambda path, labels: npy(path, labels[None]), "u2"),
    "npy of (1, 1, H, W)": (lambda path, labels: npy(path, labels[None, None]), "i4"),
    "npy of (H, W, 1)": (lambda path, labels: npy(path, labels[..., None]), "u4"),
    "npy of (1, H, W) by columns": (
        lambda path, labels: npy(path, np.asfortranarray(labels[None])),
        "u2",
    ),
    "npy of gray colours": (lambda path, labels: npy(path, as_colours(labels)), "u1"),
    "npz of (H, W, 1)": (lambda path, labels: npz(path, labels[..., None]), "u2"),
    "page of (H, W, 1)": (lambda path, labels: tifffile.imwrite(path, labels[..., None]), "u2"),
    "floats": (tiff(), "f4"),
    "floats in strips": (tiff(compression="zlib", predictor=True, rowsperstrip=9), "f8"),
    "half floats": (tiff(byteorder=">"), "f2"),
    "npy of floats": (npy, ">f4"),
    "npz of floats by columns": (lambda path, labels: npz(path, np.asfortranarray(labels)), "f8"),
    "matlab of floats": (matlab, "f8"),
    "palette tiff": (tiff(photometric="palette", colormap=PALETTE), "u1"),
    "gray colours in tiff": (colours_in_tiff, "u1"),
    "gray colours in tiles": (partial(colours_in_tiff, tile=(16, 32), compression="zlib"), "u2"),
    "palette png": (palette_png, "u1"),
    "gray colours in png": (lambda path, labels: png(path, as_colours(labels)), "u1"),
    "gray colours in png, 16 bits": (lambda path, labels: png(path, as_colours(labels)), "u2"),
    "rgba png": (lambda path, labels: png(path, as_colours(labels, alpha=True)), "u1"),
    "cellpose": (seg_npy, "u2"),
    "cellpose, 32 bits": (seg_npy, ">u4"),
    "matlab": (matlab, "i4"),
    "matlab, compressed": (partial(matlab, do_compression=True), "u2"),
    "matlab of (H, W, 1)": (lambda path, labels: matlab(path, labels[..., None]), "u1"),
    "matlab, another name": (partial(matlab, name="labels"), "u2"),
    "npz by columns": (lambda path, labels: npz(path, np.asfortranarray(labels)), "u4"),
}


def by_bands(path: Path) -> LabelMap:
    opened = open_labels(path)
    bands = list(opened.bands())
    assert {band.dtype for band in bands} == {opened.dtype}
    assert all(band.dtype.isnative for band in bands)
    joined = np.concatenate(bands)
    assert joined.shape == opened.shape
    np.testing.assert_array_equal(np.concatenate(list(opened.bands())), joined)
    return joined
