"""Searching for the options of decoding with the highest score."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Decoding = dict[str, float]

_ROUNDS = 3


@dataclass(frozen=True)
class Trial:
    """One set of decoding options and its score.

    Attributes:
        option: the option that was varied; empty for the initial options.
        decoding: the value of each option.
        f1: mean F1 over the images, by the rules of the challenge.
    """

    option: str
    decoding: Decoding
    f1: float


def best_trial(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the highest F1, the first among equal ones.

    Args:
        trials: at least one trial.
    """
    return max(trials, key=lambda trial: trial.f1)


def search(
    candidates: Mapping[str, Sequence[float]],
    start: Decoding,
    score: Callable[[Decoding], float],
) -> Iterator[Trial]:
    """Vary one option at a time around the best so far, and never try the same options twice.

    The search ends when a round over all options changes nothing, after at most three rounds.

    Args:
        candidates: the values to try of each option.
        start: the initial options.
        score: returns the mean F1 of options.

    Yields:
        Every trial, the initial options first.
    """
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
