"""Several networks of which each image is given to one."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn


class Streams(nn.Module):
    """A classifier of images and one stream for each of its classes.

    Of the streams of one kind the first is the leader: the others can follow it, weight by weight.

    Args:
        classifier: thumbnails to logits, see :class:`~cellbench.networks.group_classifier.GroupClassifier`.
        streams: one for each class, each with a ``network`` that has an ``encoder``.
        leaders: for each stream the number of the one that it follows; its own for a leader.
    """

    def __init__(
        self, classifier: nn.Module, streams: Sequence[nn.Module], leaders: Sequence[int]
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.streams = nn.ModuleList(streams)
        self.leaders = tuple(leaders)

    @property
    def encoder(self) -> nn.ModuleList:
        """All that learns at the rate of an encoder."""
        return nn.ModuleList(each.network.encoder for each in self.streams)  # type: ignore[misc, union-attr]

    @torch.no_grad()
    def follow(self, optimizer: torch.optim.Optimizer) -> None:
        """Let the streams that follow take over their leader's weights and statistics.

        The optimiser's moments are taken over too: a stream that goes its own way one day starts as if
        it had learned all along.
        """
        for follower, leader in self._pairs():
            for mine, its in zip(follower.buffers(), leader.buffers(), strict=True):
                mine.copy_(its)
            for mine, its in zip(follower.parameters(), leader.parameters(), strict=True):
                mine.copy_(its)
                if its in optimizer.state:
                    optimizer.state[mine] = {
                        name: _copy(value) for name, value in optimizer.state[its].items()
                    }

    def _pairs(self) -> Iterator[tuple[nn.Module, nn.Module]]:
        for index, leader in enumerate(self.leaders):
            if index != leader:
                yield self.streams[index], self.streams[leader]


def _copy(value: Any) -> Any:  # noqa: ANN401  (what an optimiser keeps)
    return value.clone() if isinstance(value, torch.Tensor) else value
