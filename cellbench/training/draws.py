"""Which patches an epoch uses: a function of the run's seed and the steps done, and nothing else."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Sampler


class Draw(NamedTuple):
    """One training patch: the index of its image, and the seed of all that is random about it."""

    image: int
    seed: int


class EpochDraws(Sampler[Draw]):
    """Draw images by weight, each with its own seed for everything random about the patch.

    A resumed run therefore continues exactly like one that was never stopped, and the number of
    workers does not matter.

    Args:
        weights: (N,) the probability of each image.
        count: number of draws in an epoch.
        seed: the run's seed.
        steps: returns the number of optimiser steps done at the start of the epoch.
    """

    def __init__(
        self, weights: torch.Tensor, count: int, seed: int, steps: Callable[[], int]
    ) -> None:
        self._weights = weights
        self._count = count
        self._seed = seed
        self._steps = steps

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Draw]:
        state = np.random.SeedSequence([self._seed, self._steps()]).generate_state(1)
        generator = torch.Generator().manual_seed(int(state[0]))
        images = torch.multinomial(
            self._weights, self._count, replacement=True, generator=generator
        )
        seeds = torch.randint(2**62, (self._count,), generator=generator)
        return map(Draw, images.tolist(), seeds.tolist())
