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
from cellbench.images import image_files, read_image
from cellbench.inference.augmented import augmented_maps
from cellbench.inference.ensemble import mean_maps
from cellbench.inference.tiles import segment_in_tiles
from cellbench.labels import LabelMap, label_path, write_labels
from cellbench.models.base import InstanceSegmentationModel
from cellbench.networks.precision import half_precision
from cellbench.representations.base import NumpyMaps

Models = InstanceSegmentationModel | Sequence[InstanceSegmentationModel]
Precision = Literal["auto", "bf16", "32"]

_OF_ONE_IMAGE = (CellbenchError, OSError, MemoryError, RuntimeError, ValueError)

_log = logging.getLogger(__name__)


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
        image: (H, W, 3) in [0, 1], as :func:`cellbench.images.read_image` gives it.
        precision: ``auto`` is half precision where the hardware is fast in it, ``bf16`` is half
            precision everywhere, ``32`` nowhere.
        augment: average over the image's eight positions; it takes eight times as long.

    Returns:
        (H, W) label map, ids 1 … N.
    """
    models = [model] if isinstance(model, InstanceSegmentationModel) else list(model)
    chosen = _chosen(models, _pixels(image))

    def segment(tile: npt.NDArray[np.floating]) -> LabelMap:
        maps = _mean(chosen, _pixels(tile), precision, augment)
        return chosen[0].representation.decode(maps)

    return segment_in_tiles(segment, image)


def predict_maps(
    models: Sequence[InstanceSegmentationModel],
    image: npt.NDArray[np.floating],
    *,
    precision: Precision = "auto",
    augment: bool = False,
) -> NumpyMaps:
    """Predict the activated maps of one image, averaged over models; see :func:`segment_image`.

    Of models with several streams the first chooses one for all.

    What is not a number counts as black, lest it spread over all that the network sees with it.

    Returns:
        (C, H, W) float32 for each map.
    """
    pixels = _pixels(image)
    return _mean(_chosen(models, pixels), pixels, precision, augment)


def _mean(
    streams: Sequence[InstanceSegmentationModel],
    pixels: torch.Tensor,
    precision: Precision,
    augment: bool,
) -> NumpyMaps:
    predict = augmented_maps if augment else InstanceSegmentationModel.predict_maps
    with torch.inference_mode(), _autocast(streams[0].device.type, precision):
        return mean_maps(predict(each, pixels) for each in streams)


def choose_stream(model: InstanceSegmentationModel, image: npt.NDArray[np.floating]) -> int:
    """Give the number of the stream that a model chooses for an image (H, W, 3) in [0, 1]."""
    with torch.inference_mode():
        return model.choose(_pixels(image))


def _chosen(
    models: Sequence[InstanceSegmentationModel], pixels: torch.Tensor
) -> list[InstanceSegmentationModel]:
    """Give each model's stream for an image; the first model chooses for all."""
    with torch.inference_mode():
        index = models[0].choose(pixels)
    return [each.stream(index) for each in models]


def _pixels(image: npt.NDArray[np.floating]) -> torch.Tensor:
    finite = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    return torch.from_numpy(np.ascontiguousarray(finite)).permute(2, 0, 1)


def _autocast(device: str, precision: Precision) -> AbstractContextManager[object]:
    half = torch.bfloat16 if precision == "bf16" else half_precision(device)
    return nullcontext() if half is None or precision == "32" else torch.autocast(device, half)


def find_images(inputs: str | Path) -> dict[str, Path]:
    """List the images of a folder, or the one file, by stem.

    Raises:
        ImageError: if there is none.
    """
    path = Path(inputs)
    if path.is_dir():
        files = image_files(path)
        if not files:
            raise ImageError(f"{path}: holds no images")
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

    A bad image is reported and the rest go on. A time runs from opening the image to the written
    label map, without the loading of the model.

    Args:
        model: a loaded model, or the models of an ensemble.
        files: images by stem.
        outputs: folder of the label maps.
        progress: wraps the stems, such as a progress bar.
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
                image = read_image(files[stem])
                labels = segment_image(model, image, precision=precision, augment=augment)
                write_labels(label_path(outputs, stem), labels)
            except _OF_ONE_IMAGE as error:
                _log.error("%s", _told(error, files[stem]))
                failed.append(stem)
                continue
            seconds = time.perf_counter() - start
            height, width = image.shape[:2]
            times.append((files[stem].name, seconds, rank_runtime_seconds(seconds, height, width)))
    finally:  # those of a run that is stopped, too
        write_runtimes(Path(outputs) / RUNTIME_FILE, times)
    return failed


def _told(error: Exception, file: Path) -> str:
    if isinstance(error, CellbenchError | OSError):  # they name the file
        return " ".join(str(error).split())
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return f"{file}: out of memory"
    return f"{file}: {' '.join(str(error).split())}"
