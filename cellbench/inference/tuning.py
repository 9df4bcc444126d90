"""Fitting the options of decoding to labelled images, the network as it is."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from cellbench.images import read_image
from cellbench.inference.checkpoint import load_model
from cellbench.inference.segment import choose_stream, predict_maps
from cellbench.inference.tiles import middle
from cellbench.labels import LabelMap, read_labels, relabel
from cellbench.models.base import DECODING_KEY, InstanceSegmentationModel
from cellbench.representations import Representation

Decoding = dict[str, float]
Progress = Callable[[Sequence[Any], str], Any]

_ROUNDS = 3


@dataclass(frozen=True)
class Trial:
    """One set of decoding options and what it scored.

    Attributes:
        option: the option that was varied; empty for the options at the start.
        decoding: the value of each option.
        f1: mean F1 over the images, by the rules of the challenge.
    """

    option: str
    decoding: Decoding
    f1: float


def progress_bar(items: Sequence[Any], what: str) -> Any:  # noqa: ANN401  (tqdm ships loose types)
    """Show on a terminal how far a sequence is worked through; it goes when that is done."""
    from tqdm import tqdm

    return tqdm(items, desc=what, unit="image", leave=False, disable=None)


def tune_checkpoint(
    checkpoint: Path,
    items: Sequence[DatasetImage],
    device: str | torch.device | None = None,
    progress: Progress = lambda each, _: each,
) -> dict[int, list[Trial]]:
    """Tune the decoding of a trained model and store the best in its checkpoint; all else in it stays.

    Args:
        checkpoint: a file that training wrote.
        items: images with label maps.
        device: where the network runs; the first GPU, else the CPU, unless given.
        progress: as in :func:`tune_decoding`.

    Returns:
        The trials of each stream, see :func:`tune_streams`.
    """
    model = load_model(checkpoint, device)
    trials = tune_streams(model, items, progress)
    store_decoding(checkpoint, model.representation.decoding())
    return trials


def tune_streams(
    model: InstanceSegmentationModel,
    items: Sequence[DatasetImage],
    progress: Progress = lambda each, _: each,
) -> dict[int, list[Trial]]:
    """Tune the decoding of each stream of a model on the images that the model chooses it for.

    A stream that is chosen for none keeps its options. Most models have one stream, themselves.

    Args:
        model: a loaded model.
        items: images with label maps.
        progress: as in :func:`tune_decoding`.

    Returns:
        The trials of each stream that is chosen, see :func:`tune_decoding`, by its number.
    """
    if model.stream(0) is model:
        return {0: tune_decoding(model, items, progress)}
    chosen: dict[int, list[DatasetImage]] = {}
    for item in progress(_labelled(items), "choose"):
        chosen.setdefault(choose_stream(model, read_image(item.image)), []).append(item)
    return {
        index: tune_decoding(model.stream(index), chosen[index], progress)
        for index in sorted(chosen)
    }


def tune_decoding(
    model: InstanceSegmentationModel,
    items: Sequence[DatasetImage],
    progress: Progress = lambda each, _: each,
) -> list[Trial]:
    """Find the decoding options with the highest mean F1, one option after the other.

    The network runs once for each image, of a slide on one tile; its maps are kept in a temporary
    folder, four bytes for each channel and pixel. An option keeps its value where no other is better.
    The search ends when a round over all options changes none, after three at most. The model is left
    with the best. Images are decoded side by side, as many as there are processors.

    Args:
        model: a loaded model.
        items: images with label maps.
        progress: wraps a sequence that is worked through, given what it is.

    Returns:
        Every trial in order; the best is the one with the highest F1, the first of equals.

    Raises:
        UsageError: if the model's representation has no options to fit.
        DatasetError: if there is no image with a label map, or one whose label map has another size.
    """
    representation = model.representation
    if not representation.TUNED:
        raise UsageError(f"{model.model_name()}: its decoding has no options to fit")
    labelled = _labelled(items)
    with (
        tempfile.TemporaryDirectory(prefix="cellbench-maps-") as folder,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        cases = [
            _predict(model, item, Path(folder) / str(number))
            for number, item in enumerate(progress(labelled, "predict"))
        ]

        def score(decoding: Decoding) -> float:
            representation.set_decoding(decoding)
            scores = [pool.submit(_f1, representation, case) for case in cases]
            return float(np.mean([each.result() for each in progress(scores, "decode")]))

        trials = list(_search(representation.TUNED, representation.decoding(), score))
    representation.set_decoding(best_trial(trials).decoding)
    return trials


def _labelled(items: Sequence[DatasetImage]) -> list[DatasetImage]:
    labelled = [item for item in items if item.labels is not None]
    if not labelled:
        raise DatasetError("tune: no image has a label map; add some to tune/labels")
    return labelled


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Give the trial with the highest F1, the first of equals."""
    return max(trials, key=lambda trial: trial.f1)


def _search(
    candidates: Mapping[str, Sequence[float]],
    start: Decoding,
    score: Callable[[Decoding], float],
) -> Iterator[Trial]:
    """Vary one option at a time around the best so far, and never try the same twice."""
    best = Trial("", start, score(start))
    yield best
    tried = [start]
    for _ in range(_ROUNDS):
        before = best
        for option, values in candidates.items():
            centre = best.decoding
            for value in values:
                decoding = {**centre, option: value}
                if decoding in tried:
                    continue
                tried.append(decoding)
                trial = Trial(option, decoding, score(decoding))
                yield trial
                best = best_trial([best, trial])
        if best is before:
            return


def describe_tuning(checkpoint: Path, streams: Mapping[int, Sequence[Trial]]) -> list[str]:
    """Say how a tuned checkpoint decodes and what that changed, in a line for each stream.

    Args:
        checkpoint: the file.
        streams: its trials, as :func:`tune_checkpoint` gives them.
    """
    lines = []
    for index, trials in streams.items():
        best = best_trial(trials)
        chosen = ", ".join(f"{name} {value:g}" for name, value in best.decoding.items())
        stream = f", stream {index}" if [*streams] != [0] else ""
        change = f"mean F1 {trials[0].f1:.4f} before, {best.f1:.4f} now"
        lines.append(f"{checkpoint}{stream}: decodes with {chosen}: {change}")
    return lines


def store_decoding(checkpoint: Path, decoding: Mapping[str, float]) -> None:
    """Write decoding options into a checkpoint; all else in it stays.

    Args:
        checkpoint: a file that :func:`cellbench.inference.load_model` can load.
        decoding: the value of each option.
    """
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    content[DECODING_KEY] = dict(decoding)
    with written_whole(checkpoint) as temporary:
        torch.save(content, temporary)


@dataclass(frozen=True)
class _Case:
    """The maps of one image, on disk, and its true cells."""

    maps: Mapping[str, Path]
    truth: LabelMap

    def load(self) -> dict[str, npt.NDArray[Any]]:
        # Copied where written to: decoding reads distances at its candidates only.
        return {name: np.load(path, mmap_mode="c") for name, path in self.maps.items()}


def _predict(model: InstanceSegmentationModel, item: DatasetImage, folder: Path) -> _Case:
    assert item.labels is not None
    image, labels = read_image(item.image), read_labels(item.labels)
    item.check_sizes(image.shape, labels.shape)
    folder.mkdir()
    files = {}
    for name, values in predict_maps([model], middle(image)).items():
        files[name] = folder / f"{name}.npy"
        np.save(files[name], values)
    return _Case(files, middle(labels).copy())


def _f1(representation: Representation, case: _Case) -> float:
    prediction = relabel(representation.decode(case.load()))
    return score_image(case.truth, prediction)[0].f1
