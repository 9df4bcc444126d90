"""The overlap of the windows of dense models, changed for one run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cellbench.errors import UsageError
from cellbench.models.dense_segmenter import DenseSegmenter
from cellbench.models.segmenter import Segmenter


def windowed_parts(models: Sequence[Segmenter], overlap: float | None) -> list[DenseSegmenter]:
    """Return the parts of models that segment in windows; none where the overlap stays as it is.

    Args:
        models: the models of an ensemble.
        overlap: share of a window that its neighbour covers too; None keeps that of each model.

    Raises:
        UsageError: if the overlap is out of its range, or a model has no windows.
    """
    if overlap is None:
        return []
    if not 0 <= overlap < 1:
        raise UsageError(f"overlap {overlap}: must be at least 0 and below 1")
    found: list[DenseSegmenter] = []
    for model in models:
        parts = [each for each in model.modules() if isinstance(each, DenseSegmenter)]
        if not parts or any(
            type(each).predict_maps is not DenseSegmenter.predict_maps for each in parts
        ):
            raise UsageError(
                f"{model.model_name()}: does not segment in windows with an overlap; leave the option "
                "--overlap out"
            )
        found += parts
    return found


@contextmanager
def overlapping(models: Sequence[Segmenter], overlap: float | None) -> Iterator[None]:
    """Set the overlap of the windows of models for the length of a block.

    Args:
        models: as in [`windowed_parts`][].
        overlap: as in [`windowed_parts`][].

    Raises:
        UsageError: as in [`windowed_parts`][].
    """
    parts = windowed_parts(models, overlap)
    before = [part.overlap for part in parts]
    try:
        for part in parts:
            part.overlap = overlap if overlap is not None else part.overlap
        yield
    finally:
        for part, value in zip(parts, before, strict=True):
            part.overlap = value
