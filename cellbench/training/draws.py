"""Which patches an epoch uses: a function of the run's seed and the steps done, and nothing else."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Sampler

from cellbench.errors import UsageError

_TIES = 9  # decimals, so that rounding errors do not decide between equal shares


class Draw(NamedTuple):
    """One training patch: the index of its image, and the seed of all that is random about it."""

    image: int
    seed: int


class EpochDraws(Sampler[Draw]):
    """Draw images by weight, each with its own seed for everything random about the patch.

    A resumed run therefore continues exactly like one that was never stopped, and the number of
    workers does not matter.

    If the images belong to several parts, such as datasets, the number of draws from each part
    follows the sum of its weights without chance, see [`part_of_each_draw`][]; within a part, images
    are drawn at random. Each batch of 9 then has 8 images of a part with the weight 8/9 and 1 of a
    part with 1/9. In a run with several processes, Lightning distributes the draws of an epoch at
    random: the shares are exact in the whole epoch, but only approximate in the batch of a process.

    Args:
        weights: (N,) the probability of each image.
        count: number of draws in an epoch.
        seed: the run's seed.
        steps: returns the number of optimiser steps done at the start of the epoch.
        parts: (N,) number of the part to which each image belongs, from 0; by default all belong to one.

    Raises:
        UsageError: if an epoch is too short for one draw from each part.
    """

    def __init__(
        self,
        weights: torch.Tensor,
        count: int,
        seed: int,
        steps: Callable[[], int],
        parts: Sequence[int] | None = None,
    ) -> None:
        self._weights = weights
        self._count = count
        self._seed = seed
        self._steps = steps
        self._parts = torch.zeros(len(weights), dtype=torch.long)
        if parts is not None:
            self._parts = torch.tensor(parts)
        shares = torch.bincount(self._parts, weights.double())
        self._order = torch.from_numpy(part_of_each_draw(shares.numpy(), count))
        drawn = torch.bincount(self._order, minlength=len(shares))
        if bool(((shares > 0) & (drawn == 0)).any()):
            raise UsageError(
                f"data.patches_per_epoch {count}: too few for one patch of each of data.roots with "
                "these data.shares; increase it"
            )

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Draw]:
        state = np.random.SeedSequence([self._seed, self._steps()]).generate_state(1)
        generator = torch.Generator().manual_seed(int(state[0]))
        images = torch.empty(self._count, dtype=torch.long)
        for part in range(int(self._parts.max()) + 1):
            chosen = self._order == part
            if not bool(chosen.any()):
                continue
            images[chosen] = torch.multinomial(
                self._weights * (self._parts == part),
                int(chosen.sum()),
                replacement=True,
                generator=generator,
            )
        seeds = torch.randint(2**62, (self._count,), generator=generator)
        return map(Draw, images.tolist(), seeds.tolist())


def part_of_each_draw(
    shares: Sequence[float] | npt.NDArray[np.floating], count: int
) -> npt.NDArray[np.int64]:
    """Return from which part each draw comes, so that the counts follow the shares at all times.

    Each draw comes from the part whose count is furthest behind its share. After any number of
    draws, the count of each part therefore differs from its share by less than one draw, or by a
    little more if there are many parts.

    Args:
        shares: the share of each part; only their proportions matter.
        count: number of draws.

    Returns:
        (count,) the number of a part for each draw.

    Examples:
        >>> part_of_each_draw([2, 1], 6).tolist()
        [0, 1, 0, 0, 1, 0]
    """
    fractions = np.asarray(shares, dtype=float) / np.sum(shares)
    drawn = np.zeros(len(fractions))
    order = np.empty(count, dtype=np.int64)
    for index in range(count):
        behind = (index + 1) * fractions - drawn
        order[index] = np.argmax(np.round(behind, _TIES))
        drawn[order[index]] += 1
    return order
