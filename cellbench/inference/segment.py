"""Segmenting images with a trained model."""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from cellbench.errors import CellbenchError, ImageError
from cellbench.evaluation.runtimes import RUNTIME_COLUMNS, RUNTIME_FILE, rank_runtime_seconds
from cellbench.files import write_rows
from cellbench.images import image_files, read_image
from cellbench.labels import LabelMap, label_path, relabel, write_labels
from cellbench.models.base import InstanceSegmentationModel

_log = logging.getLogger(__name__)


def segment_image(model: InstanceSegmentationModel, image: npt.NDArray[np.floating]) -> LabelMap:
    """Segment one image of any size.

    Args:
        model: a loaded model; on a GPU it runs in mixed precision.
        image: (H, W, 3) in [0, 1], as :func:`cellbench.images.read_image` gives it.

    Returns:
        (H, W) label map, ids 1 … N.
    """
    pixels = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32)).permute(2, 0, 1)
    on_gpu = model.device.type == "cuda"
    mixed = torch.autocast("cuda", _half_precision()) if on_gpu else nullcontext()
    with torch.inference_mode(), mixed:
        return relabel(model.segment(pixels))


def _half_precision() -> torch.dtype:
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


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
    model: InstanceSegmentationModel,
    files: dict[str, Path],
    outputs: str | Path,
    progress: Callable[[Iterable[str]], Iterable[str]] = lambda stems: stems,
) -> list[str]:
    """Segment image files; write ``<stem>_label.tiff`` and ``runtime.csv``.

    A bad image is reported and the rest go on. A time runs from opening the image to the written
    label map, without the loading of the model.

    Args:
        model: a loaded model.
        files: images by stem.
        outputs: folder of the label maps.
        progress: wraps the stems, such as a progress bar.

    Returns:
        The stems that failed.
    """
    failed: list[str] = []
    times: list[tuple[str, float, float]] = []
    for stem in progress(list(files)):
        start = time.perf_counter()
        try:
            label_path(outputs, stem).unlink(missing_ok=True)
            image = read_image(files[stem])
            write_labels(label_path(outputs, stem), segment_image(model, image))
        except (CellbenchError, OSError, MemoryError, torch.OutOfMemoryError) as error:
            _log.error("%s", " ".join(str(error).split()) or f"{files[stem]}: out of memory")
            failed.append(stem)
            continue
        seconds = time.perf_counter() - start
        height, width = image.shape[:2]
        times.append((files[stem].name, seconds, rank_runtime_seconds(seconds, height, width)))
    write_runtimes(Path(outputs) / RUNTIME_FILE, times)
    return failed


def write_runtimes(path: Path, times: Iterable[tuple[str, float, float]]) -> None:
    """Write the official runtime CSV: image name, seconds, seconds beyond the tolerance."""
    rows = (dict(zip(RUNTIME_COLUMNS, time, strict=True)) for time in times)
    write_rows(path, RUNTIME_COLUMNS, rows)
