"""Several networks, one of which is used for each image."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn


class Streams(nn.Module):
    """A classifier of images and one stream for each of its classes.

    The first stream of each kind is the leader; the others of that kind can copy its weights.

    Args:
        classifier: thumbnails to logits, see
            [`GroupClassifier`][cellbench.networks.group_classifier.GroupClassifier].
        streams: one for each class, each with a ``network`` that has an ``encoder``.
        leaders: for each stream the number of its leader; a leader has its own number.
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
        """The encoders of all streams."""
        return nn.ModuleList(each.network.encoder for each in self.streams)  # type: ignore[misc, union-attr]

    @torch.no_grad()
    def follow(self, optimizer: torch.optim.Optimizer | None = None) -> None:
        """Copy the weights and statistics of each leader to the streams that follow it.

        Args:
            optimizer: its moments are copied too, so that each stream continues as if it had been
                trained all along.
        """
        for index, leader in self._followers():
            follower, source = self.streams[index], self.streams[leader]
            for to, from_ in zip(follower.buffers(), source.buffers(), strict=True):
                to.copy_(from_)
            for to, from_ in zip(follower.parameters(), source.parameters(), strict=True):
                to.copy_(from_)
                if optimizer is not None and from_ in optimizer.state:
                    optimizer.state[to] = {
                        name: _copy(value) for name, value in optimizer.state[from_].items()
                    }

    def followed(self, state: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
        """Return a state dict in which streams that follow have the values of their leader.

        Args:
            state: values by name.
            prefix: what stands before the names of this module.
        """
        found = dict(state)
        for index, leader in self._followers():
            follower_prefix, leader_prefix = (
                f"{prefix}streams.{number}." for number in (index, leader)
            )
            for name in state:
                if name.startswith(follower_prefix):
                    found[name] = state[leader_prefix + name.removeprefix(follower_prefix)]
        return found

    def _followers(self) -> list[tuple[int, int]]:
        """Return the number of each stream that follows, and of its leader."""
        return [(index, leader) for index, leader in enumerate(self.leaders) if index != leader]


def _copy(value: Any) -> Any:  # noqa: ANN401  (what an optimiser keeps)
    return value.clone() if isinstance(value, torch.Tensor) else value
