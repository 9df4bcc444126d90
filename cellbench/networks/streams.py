"""Several networks of which each image is given to one."""

from collections.abc import Mapping, Sequence
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
    def follow(self, optimizer: torch.optim.Optimizer | None = None) -> None:
        """Let the streams that follow take over their leader's weights and statistics.

        Args:
            optimizer: its moments are taken over too: a stream that goes its own way from now on starts
                as if it had learned all along.
        """
        for index, leader in self._followers():
            follower, leading = self.streams[index], self.streams[leader]
            for mine, its in zip(follower.buffers(), leading.buffers(), strict=True):
                mine.copy_(its)
            for mine, its in zip(follower.parameters(), leading.parameters(), strict=True):
                mine.copy_(its)
                if optimizer is not None and its in optimizer.state:
                    optimizer.state[mine] = {
                        name: _copy(value) for name, value in optimizer.state[its].items()
                    }

    def followed(self, state: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
        """Give a state dict in which the streams that follow have their leader's values.

        Args:
            state: values by name.
            prefix: what stands before the names of this module's own.
        """
        found = dict(state)
        for index, leader in self._followers():
            mine, its = (f"{prefix}streams.{number}." for number in (index, leader))
            for name in state:
                if name.startswith(mine):
                    found[name] = state[its + name.removeprefix(mine)]
        return found

    def _followers(self) -> list[tuple[int, int]]:
        """Give the number of each stream that follows, and of its leader."""
        return [(index, leader) for index, leader in enumerate(self.leaders) if index != leader]


def _copy(value: Any) -> Any:  # noqa: ANN401  (what an optimiser keeps)
    return value.clone() if isinstance(value, torch.Tensor) else value
