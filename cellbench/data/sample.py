"""The built-in sample: synthetic pictures of four modalities, drawn in seconds, and one real picture."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from cellbench.data.folder import MANIFEST, MODALITIES, SPLITS, read_modalities, write_manifest
from cellbench.data.sample_optics import OPTICS, Conditions
from cellbench.data.sample_shapes import CellShapes, FloatImage, draw_cells
from cellbench.errors import DatasetError
from cellbench.files import written_whole
from cellbench.labels import LabelMap, label_path, write_labels

SYNTHETIC = "cellbench sample"
"""The value of the manifest's column ``source`` for synthetic pictures."""

_REAL = "DSB 2018 (BBBC038), shipped with StarDist"
_REAL_NAME = "fluorescence_dsb2018.tif"
_REAL_FOLDER = Path(__file__).with_name("real")  # its README.md states origin and licence
_SEED = 2022
_PER_MODALITY = {"train": 6, "tune": 2, "test": 3}
_SIDES = (192, 384)
_LARGE = {"phase-contrast_09": (600, 700)}
_JPEG_QUALITY = 95

_SHAPES = {
    "fluorescence": (
        CellShapes((15, 25), (1.0, 1.5), 0.16, 1.0, coverage=0.25, clustering=0.55),
        CellShapes((12, 16), (1.0, 1.8), 0.19, 1.0, coverage=0.35, clustering=0.70),
        CellShapes((28, 40), (1.1, 1.8), 0.35, 2.0, coverage=0.35, clustering=0.60),
    ),
    "brightfield": (
        CellShapes((13, 21), (1.0, 1.8), 0.26, 1.0, coverage=0.25, clustering=0.45),
        CellShapes((12, 16), (1.5, 3.5), 0.24, 2.0, coverage=0.15, clustering=0.25),
        CellShapes((20, 34), (1.0, 1.5), 0.32, 2.0, coverage=0.35, clustering=0.50),
    ),
    "phase-contrast": (
        CellShapes((20, 36), (1.2, 2.5), 0.40, 3.0, coverage=0.25, clustering=0.60),
        CellShapes((12, 15), (2.5, 4.5), 0.08, 3.0, coverage=0.20, clustering=0.75),
        CellShapes((16, 26), (1.0, 1.4), 0.24, 1.0, coverage=0.25, clustering=0.60),
    ),
    "DIC": (
        CellShapes((24, 38), (1.0, 1.3), 0.19, 1.0, coverage=0.18, clustering=0.60),
        CellShapes((13, 20), (1.0, 2.2), 0.24, 1.0, coverage=0.20, clustering=0.60),
        CellShapes((22, 32), (1.3, 2.5), 0.35, 3.0, coverage=0.22, clustering=0.50),
    ),
}
"""Three kinds of cells per modality, used in turn: usual, small or thin, large or irregular."""


@dataclass(frozen=True)
class _Format:
    """A file format: extension, number type, and colours with or without an alpha channel."""

    suffix: str
    dtype: type[np.generic] = np.uint8
    largest: int = 255
    alpha: bool = False


# 4095: cameras with 12 bits write 16-bit files that are dark when shown unscaled.
_FORMATS = {
    "fluorescence": (
        _Format(".tif", np.uint16, 4095),
        _Format(".png"),
        _Format(".tiff", np.uint16, 60000),
        _Format(".tif", np.float32, 1),
        _Format(".bmp"),
    ),
    "brightfield": (
        _Format(".png"),
        _Format(".jpg"),
        _Format(".tiff"),
        _Format(".png", alpha=True),
        _Format(".bmp"),
    ),
    "phase-contrast": (_Format(".png"), _Format(".tif", np.uint16, 4095), _Format(".bmp")),
    "DIC": (_Format(".tiff", np.uint16, 4095), _Format(".png"), _Format(".png", np.uint16, 65535)),
}


@dataclass(frozen=True)
class _Picture:
    """One synthetic picture, which is determined by its place in the sample."""

    modality: str
    split: str
    place: int  # among the pictures of its modality, over all splits

    @property
    def stem(self) -> str:
        return f"{self.modality.lower()}_{self.place:02d}"

    @property
    def format(self) -> _Format:
        formats = _FORMATS[self.modality]
        return formats[self.place % len(formats)]

    @property
    def name(self) -> str:
        return self.stem + self.format.suffix

    def draw(self) -> tuple[FloatImage, LabelMap]:
        """Draw the picture, (H, W) or (H, W, 3) in [0, 1], and its label map."""
        rng = np.random.default_rng((_SEED, MODALITIES.index(self.modality), self.place))
        rows, columns = (int(side) for side in rng.integers(*_SIDES, 2, endpoint=True))
        shapes = _SHAPES[self.modality][self.place % 3]
        shifted = self.split == "test"
        labels = draw_cells(
            rng,
            _LARGE.get(self.stem, (rows, columns)),
            _shifted_shapes(shapes) if shifted else shapes,
        )
        return OPTICS[self.modality](rng, labels, _conditions(rng, shifted)), labels


def make_sample(root: str | Path) -> None:
    """Write the built-in sample as a dataset folder; do nothing if it is complete.

    The pixels are always the same. The test split differs moderately from train and tune: larger and
    more crowded cells, and other light, stain and noise. The manifest is written last, so that an
    incomplete sample is recognised and written again.

    Args:
        root: the dataset folder; created if it does not exist.

    Raises:
        DatasetError: if the folder contains images of another dataset.
    """
    root = Path(root)
    pictures = list(_pictures())
    places = {picture.name: root / picture.split for picture in pictures}
    places[_REAL_NAME] = root / "test"
    _check_not_foreign(root, places)
    if _complete(root, places):
        return
    rows = [_write(picture, root / picture.split) for picture in pictures]
    write_manifest(root, [*rows, _write_real(root / "test")])


def _pictures() -> Iterator[_Picture]:
    for modality in MODALITIES:
        splits = [split for split in SPLITS for _ in range(_PER_MODALITY[split])]
        for place, split in enumerate(splits):
            yield _Picture(modality, split, place)


def _check_not_foreign(root: Path, places: dict[str, Path]) -> None:
    for image in sorted(root.glob("*/images/*")):
        if not image.name.startswith(".") and image.name not in places:
            raise DatasetError(
                f"{image}: does not belong to the sample; choose another folder for the sample"
            )


def _complete(root: Path, places: dict[str, Path]) -> bool:
    files = [
        file
        for name, folder in places.items()
        for file in (folder / "images" / name, label_path(folder / "labels", Path(name).stem))
    ]
    listed = read_modalities(root / MANIFEST)
    stems = {Path(name).stem for name in places}
    return listed.keys() >= stems and all(file.is_file() for file in files)


def _shifted_shapes(shapes: CellShapes) -> CellShapes:
    smallest, largest = shapes.diameter
    return replace(
        shapes, diameter=(1.1 * smallest, 1.2 * largest), coverage=min(1.25 * shapes.coverage, 0.4)
    )


def _conditions(rng: np.random.Generator, shifted: bool) -> Conditions:
    """Draw the conditions of a picture; shifted: dimmer, noisier, less even, blurrier, bluer, fainter."""
    return Conditions(
        light=rng.uniform(0.7, 0.9) if shifted else rng.uniform(0.85, 1.1),
        photons=rng.uniform(250, 800) if shifted else rng.uniform(300, 2000),
        unevenness=rng.uniform(0.2, 0.5) if shifted else rng.uniform(0.0, 0.4),
        blur=rng.uniform(0.8, 1.4) if shifted else rng.uniform(0.6, 1.2),
        contrast=rng.uniform(0.65, 0.95) if shifted else rng.uniform(0.8, 1.3),
        hue=rng.uniform(0.6, 1.0) if shifted else rng.uniform(0.0, 0.7),
    )


def real_picture() -> tuple[Path, Path]:
    """Return the files of the real picture that comes with the package: the image and its label map."""
    return _REAL_FOLDER / _REAL_NAME, label_path(_REAL_FOLDER, Path(_REAL_NAME).stem)


def _write(picture: _Picture, folder: Path) -> dict[str, object]:
    image, labels = picture.draw()
    pixels = _as_format(image, picture.format)
    _write_image(folder / "images" / picture.name, pixels)
    return _write_truth(picture.name, picture.modality, folder, pixels, labels, SYNTHETIC)


def _write_real(folder: Path) -> dict[str, object]:
    """Write the real picture (Caicedo et al. 2019) and its truth, which come with the package."""
    pixels, labels = map(tifffile.imread, real_picture())
    _write_image(folder / "images" / _REAL_NAME, pixels)
    return _write_truth(_REAL_NAME, "fluorescence", folder, pixels, labels, _REAL)


def _write_truth(
    name: str,
    modality: str,
    folder: Path,
    pixels: npt.NDArray[Any],
    labels: LabelMap,
    source: str,
) -> dict[str, object]:
    """Write a label map, and return the picture's row of the manifest."""
    write_labels(label_path(folder / "labels", Path(name).stem), labels)
    height, width = labels.shape
    return {
        "image": name,
        "split": folder.name,
        "modality": modality,
        "source": source,
        "height": height,
        "width": width,
        "channels": 1 if pixels.ndim == 2 else pixels.shape[2],
        "dtype": pixels.dtype.name,
        "cells": len(np.unique(labels)) - 1,
    }


def _as_format(image: FloatImage, form: _Format) -> npt.NDArray[Any]:
    """Scale [0, 1] to the format's numbers and add its alpha channel."""
    pixels = image * form.largest
    if form.alpha:
        pixels = np.dstack([pixels, np.full(image.shape[:2], form.largest)])
    return (pixels if form.dtype is np.float32 else np.rint(pixels)).astype(form.dtype)


def _write_image(path: Path, pixels: npt.NDArray[Any]) -> None:
    with written_whole(path) as temporary:
        if path.suffix in (".tif", ".tiff"):
            compression = "zlib" if path.suffix == ".tiff" else None
            tifffile.imwrite(temporary, pixels, compression=compression)
        else:
            # OpenCV's colours are blue, green, red, alpha
            swapped = pixels if pixels.ndim == 2 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
            quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix == ".jpg" else []
            temporary.write_bytes(cv2.imencode(path.suffix, swapped, quality)[1].tobytes())
