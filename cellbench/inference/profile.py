"""How fast a model is and what it needs: time, memory, parameters and operations by size of the image."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import as_file, files
from inspect import signature
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.flop_counter import FlopCounterMode

from cellbench.boards.provenance import describe_hardware
from cellbench.errors import CellbenchError, UsageError
from cellbench.images import read_image
from cellbench.inference.checkpoint import ModelClass, load_model, move_to_device
from cellbench.inference.ensemble import routed, why_not_dense
from cellbench.inference.profile_table import Profile, file_name
from cellbench.inference.segment import Precision, predict_maps, segment_image
from cellbench.labels import LabelMap, label_path, read_labels
from cellbench.models import list_models, model_class
from cellbench.models.dense_segmenter import DenseSegmenter, RoutingSegmenter
from cellbench.models.segmenter import Segmenter
from cellbench.networks.precision import half_precision
from cellbench.representations import Representation

_CHECKPOINTS = ("checkpoints/best.ckpt", "checkpoints/last.ckpt")
_PICTURE = "fluorescence_dsb2018"
_PRECISIONS = {torch.bfloat16: "bf16", torch.float16: "fp16", None: "32"}
# Linux keeps a process's peak of memory here, and starts again when a 5 is written.
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def make_or_load(
    word: str,
    device: str | torch.device | None = None,
    *,
    model_class_of_checkpoint: ModelClass | None = None,
) -> Segmenter:
    """Return the model that a user names.

    Args:
        word: the name of a registered model, which gets its default options and random weights; or a
            checkpoint; or the folder of a training run, whose best checkpoint is loaded.
        device: as in [`load_model`][cellbench.inference.checkpoint.load_model].
        model_class_of_checkpoint: ``model_class`` of
            [`load_model`][cellbench.inference.checkpoint.load_model].

    Raises:
        UsageError: if it is none of these, or the device does not exist.
        CheckpointError: if the checkpoint cannot be loaded.
    """
    if word in list_models():
        chosen = model_class(word)
        options: dict[str, Any] = (
            {"pretrained": False} if "pretrained" in signature(chosen).parameters else {}
        )
        return move_to_device(chosen(**options), device)
    path = Path(word)
    found = [path / each for each in _CHECKPOINTS if (path / each).is_file()]
    if not path.is_file() and not found:
        raise UsageError(
            f"{word}: not a model, a checkpoint or a run folder with checkpoints/best.ckpt; the models are "
            f"{', '.join(list_models())}"
        )
    checkpoint = path if path.is_file() else found[0]
    return load_model(checkpoint, device, model_class=model_class_of_checkpoint)


def profile_model(
    name: str,
    model: Segmenter,
    size: int,
    precision: Precision = "auto",
    repeats: int = 5,
) -> Profile:
    """Measure a model on one image, after one repetition that is not measured.

    The network sees a real fluorescence image, repeated to the size. What is decoded are the maps of the
    image's true label map, so that the time of decoding does not depend on the weights.

    Args:
        name: name of the model in the table.
        model: a model in evaluation mode.
        size: height and width of the image.
        precision: as in [`segment_image`][cellbench.inference.segment.segment_image].
        repeats: number of repetitions.

    Returns:
        The row of the table.
    """
    image, labels = profiling_image(size)
    representation = _separate_representation(model, image)

    def run_network() -> object:
        if representation is None:
            return segment_image(model, image, precision=precision)
        return predict_maps([model], image, precision=precision)

    with FlopCounterMode(display=False) as counter:
        run_network()
    _restart_peak_memory(model.device)
    network_s = _median_time(run_network, repeats, model.device)
    decoding_s = None
    if representation is not None:
        maps = representation.encode(labels)
        representation.decode(maps)  # compiles its loops, or loads them from the cache
        decoding_s = _median_time(lambda: representation.decode(maps), repeats)
    latency_s = network_s + (decoding_s or 0.0)
    return Profile(
        model=name,
        size=size,
        precision=_actual_precision(model.device.type, precision),
        device=model.device.type,
        parameters=sum(each.numel() for each in model.parameters()),
        macs=int(counter.get_total_flops()) // 2,
        network_s=network_s,
        decoding_s=decoding_s,
        latency_s=latency_s,
        images_per_s=1 / latency_s,
        peak_memory_mb=_peak_memory_mb(model.device),
        repeats=repeats,
    )


def profiling_image(size: int) -> tuple[npt.NDArray[np.float32], LabelMap]:
    """Return a real image with its true label map, repeated side by side to a size.

    The image is that of the built-in sample, from DSB 2018 (Caicedo et al. 2019).

    Args:
        size: height and width in pixels.

    Returns:
        (size, size, 3) in [0, 1], and (size, size) with one id for each cell of each copy.
    """
    with as_file(files("cellbench.data") / "real") as folder:
        image = read_image(folder / f"{_PICTURE}.tif")
        labels = read_labels(label_path(folder, _PICTURE)).astype(np.int32)
    copies = [-(-size // side) for side in labels.shape]
    number = np.arange(copies[0] * copies[1], dtype=np.int32).reshape(copies)
    offsets = np.kron(number, np.full(labels.shape, labels.max(), np.int32))
    tiled = np.tile(labels, copies)
    return (
        np.ascontiguousarray(np.tile(image, (*copies, 1))[:size, :size]),
        np.ascontiguousarray(np.where(tiled > 0, tiled + offsets, 0)[:size, :size]),
    )


def environment_file(device: torch.device) -> str:
    """Return the name of the table for this machine and a device.

    Args:
        device: device of the models.
    """
    if device.type == "cuda":
        return file_name("cuda", torch.cuda.get_device_name(device), None, torch.__version__)
    cpu = str(describe_hardware()["cpu"])
    return file_name(device.type, cpu, torch.get_num_threads(), torch.__version__)


def profiles(
    words: Sequence[str],
    sizes: Sequence[int],
    precisions: Sequence[Precision],
    device: str | None = None,
    repeats: int = 5,
    *,
    model_class_of_checkpoint: ModelClass | None = None,
) -> Iterator[tuple[torch.device, Profile]]:
    """Measure models one after the other, each at all sizes and precisions.

    Args:
        words: what to measure, see [`make_or_load`][].
        sizes: heights and widths of the images.
        precisions: see [`profile_model`][]; of two that mean the same one is measured.
        device: see [`make_or_load`][].
        repeats: see [`profile_model`][].
        model_class_of_checkpoint: see [`make_or_load`][].

    Yields:
        The device and the row of each measurement, as soon as it is done.

    Raises:
        CellbenchError: if the memory is too small for a size, or as [`make_or_load`][].
    """
    for word in words:
        model = make_or_load(word, device, model_class_of_checkpoint=model_class_of_checkpoint)
        kind = model.device.type
        distinct = {_actual_precision(kind, each): each for each in precisions}
        for size in sizes:
            for precision in distinct.values():
                try:
                    profile = profile_model(word, model, size, precision, repeats)
                except (MemoryError, torch.OutOfMemoryError) as error:
                    raise CellbenchError(
                        f"{word}: out of memory for an image of {size} × {size} pixels; leave this size out"
                    ) from error
                yield model.device, profile
        del model  # the next one is loaded into memory that is free
        gc.collect()


def _separate_representation(
    model: Segmenter, image: npt.NDArray[np.float32]
) -> Representation | None:
    """Return what decodes the maps of a model; None if the model segments in another way."""
    if not isinstance(model, DenseSegmenter | RoutingSegmenter) or why_not_dense(model):
        return None
    with torch.inference_mode():
        return routed([model], torch.from_numpy(image).permute(2, 0, 1))[0].representation


def _median_time(
    call: Callable[[], object], repeats: int, device: torch.device | None = None
) -> float:
    seconds = []
    for _ in range(repeats):
        _wait_for(device)
        start = time.perf_counter()
        call()
        _wait_for(device)
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def _wait_for(device: torch.device | None) -> None:
    if device is not None and device.type == "cuda":
        torch.cuda.synchronize(device)


def _actual_precision(device: str, precision: Precision) -> str:
    if precision == "auto":
        return _PRECISIONS[half_precision(device)]
    return precision


def _restart_peak_memory(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif _RESET.exists():
        _RESET.write_text("5", encoding="ascii")


def _peak_memory_mb(device: torch.device) -> float | None:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    if device.type != "cpu" or not _RESET.exists():
        return None
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kibibytes) * 1024 / 1e6
