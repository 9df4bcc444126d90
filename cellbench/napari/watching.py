"""Watches a network while it segments: counts the windows, and stops at the next layer when asked to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cellbench.inference.scaling import Diameter, scaling_of
from cellbench.models.dense_segmenter import DenseSegmenter, RoutingSegmenter
from cellbench.models.segmenter import Segmenter

_ORIENTATIONS = 8


class Cancelled(Exception):  # noqa: N818  (nothing went wrong)
    """The user has cancelled."""


@contextmanager
def watched(
    model: nn.Module, is_cancelled: Callable[[], bool], on_windows: Callable[[int], object]
) -> Iterator[None]:
    """Watch a model in a block.

    Args:
        model: a loaded model.
        is_cancelled: asked before each layer of the network.
        on_windows: called with the number of windows of each batch that is predicted.

    Yields:
        Nothing.

    Raises:
        Cancelled: out of the model, as soon as ``is_cancelled`` returns True.
    """

    def before(_module: nn.Module, _inputs: object) -> None:
        if is_cancelled():
            raise Cancelled

    def after(_module: nn.Module, inputs: tuple[object, ...], _outputs: object) -> None:
        if inputs and isinstance(inputs[0], torch.Tensor):
            on_windows(len(inputs[0]))

    hooks = [each.register_forward_pre_hook(before) for each in model.modules()]
    hooks += [
        each.register_forward_hook(after)
        for each in model.modules()
        if isinstance(each, DenseSegmenter)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def count_windows(
    model: Segmenter, sides: tuple[int, int], *, diameter: Diameter, augment: bool
) -> int:
    """Return how many windows of an image a model predicts.

    Args:
        model: a loaded model.
        sides: height and width of the image in pixels.
        diameter: diameter of the cells, as in [`segment_image`][cellbench.inference.segment.segment_image].
        augment: whether eight orientations are averaged.

    Returns:
        The number, which is a little too low for slides that are cut into tiles; 0 if it is not known.
    """
    stream = model.stream(0) if isinstance(model, RoutingSegmenter) else model
    if not isinstance(stream, DenseSegmenter) or diameter == "auto":
        return 0
    scale = scaling_of(model, diameter).scale
    step = max(1, int(stream.window * (1 - stream.overlap)))
    count = _ORIENTATIONS if augment else 1
    for side in sides:
        beyond = max(0, round(side * scale) - stream.window)
        count *= 1 - (-beyond // step)
    return count
