"""Fitting the options of decoding to labelled images; the network does not change."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cellbench.data.folder import DatasetImage
from cellbench.errors import DatasetError, UsageError
from cellbench.evaluation import score_image
from cellbench.files import written_whole
from cellbench.inference.checkpoint import ModelClass, load_model
from cellbench.inference.ensemble import why_not_dense
from cellbench.inference.search import Decoding, Trial, best_trial, search
from cellbench.inference.segment import image_tensor, predict_maps, read_model_image
from cellbench.inference.tiles import middle
from cellbench.labels import LabelMap, read_labels, relabel
from cellbench.labels.diameters import median_diameters
from cellbench.models.checkpoint_keys import DECODING_KEY, DIAMETERS_KEY, TUNED_DIAMETERS_KEY
from cellbench.models.dense_segmenter import DenseSegmenter, RoutingSegmenter
from cellbench.models.segmenter import Segmenter
from cellbench.models.weights import read_checkpoint
from cellbench.models.weights_metadata import is_weights_file
from cellbench.representations import Representation

Progress = Callable[[Sequence[Any], str], Any]


def tune_checkpoint(
    checkpoint: Path,
    items: Sequence[DatasetImage],
    device: str | torch.device | None = None,
    progress: Progress = lambda each, _: each,
    *,
    model_class: ModelClass | None = None,
) -> dict[int, list[Trial]]:
    """Tune the decoding of a trained model, and store the best options in its checkpoint.

    If training did not store how large its cells were, the diameters of the cells in these images are
    stored too, and replace those of an earlier tuning.

    Args:
        checkpoint: a checkpoint file that training wrote; nothing else in it changes.
        items: images with label maps.
        device: device of the network; by default the first GPU, or the CPU where there is none.
        progress: as in [`tune_decoding`][].
        model_class: as in [`load_model`][cellbench.inference.checkpoint.load_model].

    Returns:
        The trials of each stream, see [`tune_streams`][].

    Raises:
        UsageError: if the model has no options to fit, or the file is a weights file.
    """
    if is_weights_file(checkpoint):
        raise UsageError(
            f"{checkpoint}: a weights file is not changed, because its checksum is published; tune the "
            "checkpoint that it was made from, and export it again"
        )
    model = load_model(checkpoint, device, model_class=model_class)
    trials = tune_streams(model, items, progress)
    store_decoding(checkpoint, tunable(model).representation.decoding())
    if DIAMETERS_KEY not in read_checkpoint(checkpoint):
        found = median_diameters(
            read_labels(item.labels) for item in items if item.labels is not None
        )
        _store(checkpoint, TUNED_DIAMETERS_KEY, list(found or ()))
    return trials


def tunable(model: Segmenter) -> DenseSegmenter | RoutingSegmenter:
    """Return a model whose decoding has options to fit unchanged, and refuse any other.

    Args:
        model: any model.

    Raises:
        UsageError: if the model has no options to fit.
    """
    if isinstance(model, DenseSegmenter | RoutingSegmenter) and not why_not_tunable(model):
        return model
    raise UsageError(why_not_tunable(model))


def why_not_tunable(model: Segmenter) -> str:
    """Return the reason why the decoding of a model cannot be tuned; empty if it can.

    Args:
        model: any model.
    """
    if reason := why_not_dense(model):
        reason += ", so there is no decoding to tune"
    elif (
        isinstance(model, DenseSegmenter | RoutingSegmenter) and not model.representation.decoding()
    ):
        name = type(model.representation).__name__
        reason = f"the decoding of its representation {name} has no options to tune"
    else:
        return ""
    return f"{model.model_name()}: {reason}"


def tune_streams(
    model: Segmenter,
    items: Sequence[DatasetImage],
    progress: Progress = lambda each, _: each,
) -> dict[int, list[Trial]]:
    """Tune the decoding of a model; of a router each stream on the images that it is chosen for.

    A stream that is chosen for no image, or that has no options to fit, keeps its options.

    Args:
        model: a loaded model.
        items: images with label maps.
        progress: as in [`tune_decoding`][].

    Returns:
        The trials of each stream, see [`tune_decoding`][], by its number; 0 for other models.

    Raises:
        UsageError: if the model has no options to fit.
    """
    tuned = tunable(model)
    if isinstance(tuned, DenseSegmenter):
        return {0: tune_decoding(tuned, items, progress)}
    chosen: dict[int, list[DatasetImage]] = {}
    for item in progress(_labelled(items), "choose"):
        with torch.inference_mode():
            index = tuned.choose(image_tensor(read_model_image(tuned, item.image)))
        chosen.setdefault(index, []).append(item)
    return {
        index: tune_decoding(tuned.stream(index), chosen[index], progress, router=tuned)
        for index in sorted(chosen)
        if tuned.stream(index).representation.TUNED
    }


def tune_decoding(
    model: DenseSegmenter,
    items: Sequence[DatasetImage],
    progress: Progress = lambda each, _: each,
    *,
    router: RoutingSegmenter | None = None,
) -> list[Trial]:
    """Find the decoding options with the highest mean F1, one option after the other.

    The network runs once for each image, for a whole slide on its middle; the maps are kept in a
    temporary folder, four bytes for each channel and pixel. An option changes only if another value is
    better. The search ends when a round over all options changes nothing, after at most three rounds.
    Afterwards the model has the best options. Images are decoded in parallel, on all processors.

    Args:
        model: a loaded model.
        items: images with label maps.
        progress: function that wraps a sequence, called with the sequence and the name of the work.
        router: the router that the model is a stream of; images are normalised as it does.

    Returns:
        Every trial in order; the best is the one with the highest F1, the first among equal ones.

    Raises:
        UsageError: if the representation of the model has no options to fit.
        DatasetError: if no image has a label map, or a label map does not have the size of its image.
    """
    representation = tunable(model).representation
    with (
        tempfile.TemporaryDirectory(prefix="cellbench-maps-") as folder,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        cases = [
            _predict(model, router or model, item, Path(folder) / str(number))
            for number, item in enumerate(progress(_labelled(items), "predict"))
        ]

        def score(decoding: Decoding) -> float:
            representation.set_decoding(decoding)
            scores = [pool.submit(_f1, representation, case) for case in cases]
            return float(np.mean([each.result() for each in progress(scores, "decode")]))

        trials = list(search(representation.TUNED, representation.decoding(), score))
    representation.set_decoding(best_trial(trials).decoding)
    return trials


def _labelled(items: Sequence[DatasetImage]) -> list[DatasetImage]:
    labelled = [item for item in items if item.labels is not None]
    if not labelled:
        raise DatasetError("no image of the tune split has a label map; add some to tune/labels")
    return labelled


def describe_tuning(checkpoint: Path, streams: Mapping[int, Sequence[Trial]]) -> list[str]:
    """Return a line for each stream: the chosen options of decoding, and the F1 before and after.

    If the F1 is 0 with all options, the line also says what to check. One more line names the diameters
    of cells, if they are those of the images for tuning.

    Args:
        checkpoint: the file.
        streams: its trials, as [`tune_checkpoint`][] returns them.
    """
    lines = []
    for index, trials in streams.items():
        best = best_trial(trials)
        chosen = ", ".join(f"{name} {value:g}" for name, value in best.decoding.items())
        stream = f", stream {index}" if [*streams] != [0] else ""
        change = f"mean F1 on the tune split {trials[0].f1:.4f} before, {best.f1:.4f} after"
        if best.f1 == 0:
            change = f"no cell matches yet: train longer, or check the label maps in tune/labels; {change}"
        lines.append(f"{checkpoint}{stream}: tuned to {chosen}; {change}")
    if diameters := read_checkpoint(checkpoint).get(TUNED_DIAMETERS_KEY):
        lower, median, upper = diameters
        lines.append(
            f"{checkpoint}: training stored no diameters of cells, so those of the tune split are stored "
            f"for --diameter: median {median:g} pixels, quartiles {lower:g} and {upper:g}"
        )
    return lines


def store_decoding(checkpoint: Path, decoding: Mapping[str, float]) -> None:
    """Write decoding options into a checkpoint; nothing else in it changes.

    Args:
        checkpoint: a file that [`cellbench.inference.load_model`][] can load.
        decoding: the value of each option.
    """
    _store(checkpoint, DECODING_KEY, dict(decoding))


def _store(checkpoint: Path, key: str, value: object) -> None:
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    content[key] = value
    with written_whole(checkpoint) as temporary:
        torch.save(content, temporary)


@dataclass(frozen=True)
class _Case:
    """The maps of one image, on disk, and its true cells."""

    maps: Mapping[str, Path]
    truth: LabelMap

    def load(self) -> dict[str, npt.NDArray[Any]]:
        # Copy-on-write, because decoding reads distances at its candidates only.
        return {name: np.load(path, mmap_mode="c") for name, path in self.maps.items()}


def _predict(model: DenseSegmenter, reader: Segmenter, item: DatasetImage, folder: Path) -> _Case:
    assert item.labels is not None
    image, labels = read_model_image(reader, item.image), read_labels(item.labels)
    item.check_sizes(image.shape, labels.shape)
    folder.mkdir()
    maps = predict_maps([model], middle(image))
    files = {name: folder / f"{name}.npy" for name in maps}
    for name, path in files.items():
        np.save(path, maps[name])
    return _Case(files, middle(labels).copy())


def _f1(representation: Representation, case: _Case) -> float:
    return score_image(case.truth, relabel(representation.decode(case.load())))[0].f1
