"""Segmenting images with a trained model."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from cellbench.errors import CellbenchError, ImageError
from cellbench.evaluation.runtimes import RUNTIME_FILE, rank_runtime_seconds, write_runtimes
from cellbench.images import image_files, read_raw
from cellbench.inference.augmented import augmented_maps
from cellbench.inference.ensemble import mean_maps, routed, with_dense_maps
from cellbench.inference.tiles import segment_in_tiles
from cellbench.labels import LabelMap, label_path, write_labels
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.dense import DenseModel
from cellbench.networks.precision import half_precision
from cellbench.representations.base import NumpyMaps

Models = InstanceSegmentationModel | Sequence[InstanceSegmentationModel]
Precision = Literal["auto", "bf16", "32"]

_IMAGE_ERRORS = (CellbenchError, OSError, MemoryError, RuntimeError, ValueError)

_log = logging.getLogger(__name__)


def read_model_image(model: Models, path: str | Path) -> npt.NDArray[np.float32]:
    """Read an image file with the normalisation that the model was trained with.

    Args:
        model: a loaded model, or the models of an ensemble, which all have the same class.
        path: the image file.

    Returns:
        (H, W, 3) in [0, 1].

    Raises:
        ImageError: if the file cannot be read as an image.
    """
    first = model if isinstance(model, InstanceSegmentationModel) else model[0]
    return np.divide(first.normalise(read_raw(path)), 255, dtype=np.float32)


def segment_image(
    model: Models,
    image: npt.NDArray[np.floating],
    *,
    precision: Precision = "auto",
    augment: bool = False,
) -> LabelMap:
    """Segment one image of any size; a large one in tiles, see :mod:`~cellbench.inference.tiles`.

    Args:
        model: a loaded model, or the models of an ensemble (see :func:`load_models`).
        image: (H, W, 3) in [0, 1], as :func:`read_model_image` returns it, or
            :func:`cellbench.images.read_image` if the model has the challenge's normalisation. Values
            that are not finite are replaced, because they would spread over much of the prediction.
        precision: ``auto`` uses half precision where the hardware is fast in it, ``bf16`` always,
            ``32`` never.
        augment: average over the eight orientations of the image; this takes eight times as long.

    Returns:
        (H, W) label map, ids 1 … N.

    Raises:
        UsageError: if several models or orientations are to be averaged, and a model does not predict
            dense maps.
    """
    models = [model] if isinstance(model, InstanceSegmentationModel) else list(model)
    pixels = image_tensor(image)
    with torch.inference_mode(), _autocast(models[0].device.type, precision):
        if len(models) == 1 and not augment:
            return models[0].segment_tiled(pixels)
        streams = routed([with_dense_maps(each) for each in models], pixels)

        def segment(tile: torch.Tensor) -> LabelMap:
            return streams[0].representation.decode(_mean(streams, tile.permute(2, 0, 1), augment))

        return segment_in_tiles(segment, pixels.permute(1, 2, 0))


def predict_maps(
    models: Sequence[InstanceSegmentationModel],
    image: npt.NDArray[np.floating],
    *,
    precision: Precision = "auto",
    augment: bool = False,
) -> NumpyMaps:
    """Predict the activated maps of one image, averaged over models; see :func:`segment_image`.

    Args:
        models: one loaded model, or those of an ensemble; of several routers the first chooses.
        image: as in :func:`segment_image`, but not cut into tiles.
        precision: as in :func:`segment_image`.
        augment: as in :func:`segment_image`.

    Returns:
        (C, H, W) float32 for each map.

    Raises:
        UsageError: if a model does not predict dense maps.
    """
    pixels = image_tensor(image)
    with torch.inference_mode(), _autocast(models[0].device.type, precision):
        return _mean(routed([with_dense_maps(each) for each in models], pixels), pixels, augment)


def _mean(streams: Sequence[DenseModel], pixels: torch.Tensor, augment: bool) -> NumpyMaps:
    return mean_maps(
        augmented_maps(each, pixels) if augment else each.predict_maps(pixels) for each in streams
    )


def image_tensor(image: npt.NDArray[np.floating]) -> torch.Tensor:
    """Turn an image into a tensor of finite values.

    Args:
        image: (H, W, 3); NaN and −∞ become 0, ∞ becomes 1.

    Returns:
        (3, H, W) float32.
    """
    finite = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    return torch.from_numpy(np.ascontiguousarray(finite)).permute(2, 0, 1)


def _autocast(device: str, precision: Precision) -> AbstractContextManager[object]:
    half = torch.bfloat16 if precision == "bf16" else half_precision(device)
    return nullcontext() if half is None or precision == "32" else torch.autocast(device, half)


def find_images(inputs: str | Path) -> dict[str, Path]:
    """Return the image files of a folder, or the one file, by stem.

    Args:
        inputs: an image file, or a folder of images.

    Raises:
        ImageError: if there is no image.
    """
    path = Path(inputs)
    if path.is_dir():
        files = image_files(path)
        if not files:
            raise ImageError(f"{path}: the folder contains no images")
        return files
    if not path.is_file():
        raise ImageError(f"{path}: no such file or folder")
    return {path.stem: path}


def segment_files(
    model: Models,
    files: dict[str, Path],
    outputs: str | Path,
    progress: Callable[[Iterable[str]], Iterable[str]] = lambda stems: stems,
    *,
    precision: Precision = "auto",
    augment: bool = False,
) -> list[str]:
    """Segment image files; write ``<stem>_label.tiff`` and ``runtime.csv``.

    If an image fails, the error is logged and the others are segmented. The time of an image is from
    opening it to the written label map; it does not include loading the model.

    Args:
        model: a loaded model, or the models of an ensemble.
        files: image files by stem.
        outputs: folder for the label maps.
        progress: function that wraps the stems, for example in a progress bar.
        precision: as in :func:`segment_image`.
        augment: as in :func:`segment_image`.

    Returns:
        The stems that failed.
    """
    failed: list[str] = []
    times: list[tuple[str, float, float]] = []
    try:
        for stem in progress(list(files)):
            start = time.perf_counter()
            try:
                label_path(outputs, stem).unlink(missing_ok=True)
                image = read_model_image(model, files[stem])
                labels = segment_image(model, image, precision=precision, augment=augment)
                write_labels(label_path(outputs, stem), labels)
            except _IMAGE_ERRORS as error:
                _log.error("%s", _error_message(error, files[stem]))
                failed.append(stem)
                continue
            seconds = time.perf_counter() - start
            height, width = image.shape[:2]
            times.append((files[stem].name, seconds, rank_runtime_seconds(seconds, height, width)))
    finally:  # also when the run is interrupted
        write_runtimes(Path(outputs) / RUNTIME_FILE, times)
    return failed


def _error_message(error: Exception, file: Path) -> str:
    if isinstance(error, CellbenchError | OSError):  # they name the file
        return " ".join(str(error).split())
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return f"{file}: out of memory"
    return f"{file}: {' '.join(str(error).split())}"
