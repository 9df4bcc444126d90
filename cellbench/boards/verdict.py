"""Who leads a board, and whether the images are enough to say so."""

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from cellbench.boards.schema import MetricName

FEW_IMAGES = 10
"""With fewer images than this, no lead is called established: the bootstrap then redraws the same few
images again and again, and the normal approximation of the tests no longer holds."""


class Claim(NamedTuple):
    """What a sentence says after the names of the leaders.

    Attributes:
        before: the words before the names of other algorithms; all words where none is named.
        names: these other algorithms, apart from the words so that a page can mark them as names.
        after: the words after them.
    """

    before: str
    names: tuple[str, ...] = ()
    after: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.before}{_listed(self.names)}{self.after}"


@dataclass(frozen=True)
class Verdict:
    """What a board says about its first algorithm.

    Attributes:
        leaders: the algorithms of the best rank; more than one where they share it.
        runners_up: the algorithms of the next rank; none where all algorithms share the first.
        images: how many images (or other cases) were ranked.
        told_apart: whether the only leader is significantly better than each of the runners-up, on at
            least ``FEW_IMAGES`` images.
        contradicted: whether a runner-up is significantly better than the leader, image by image. The
            ranking scheme and the test can disagree, for example where one image decides a mean.
        stays_first: share of the bootstrap samples in which the first of ``leaders`` has rank 1.
        all_failed: whether no leader has a usable result on any image.
        unit: what a case is called, for the sentence.
    """

    leaders: tuple[str, ...]
    runners_up: tuple[str, ...]
    images: int
    told_apart: bool
    contradicted: bool
    stays_first: float
    all_failed: bool = False
    unit: str = "image"

    @property
    def claim(self) -> Claim:
        """The sentence without its subject, to follow the names of the leaders."""
        others = self.runners_up
        if self.all_failed:  # then they are worst and first at once: all algorithms failed
            return Claim(f"failed on {self._images}, so there is nothing to rank.")
        if len(self.leaders) > 1:
            return Claim(f"share the first rank on {self._images}.")
        if not others:
            return Claim("is the only algorithm, so there is nothing to compare it with.")
        if self.images >= FEW_IMAGES and self.contradicted:
            verb = "is" if len(others) == 1 else "are"
            after = f" {verb} significantly better in a test on {self._images}."
            return Claim("ranks first, but ", others, after)
        if not self.told_apart:
            verb = "is" if self.images == 1 else "are"
            before = f"ranks first, but {self._images} {verb} too few to tell it apart from "
            return Claim(before, others, ".")
        return Claim(
            f"ranks first on {self._images}, significantly ahead of ",
            others,
            f", and stays first in {_percent(self.stays_first)} of the bootstrap samples.",
        )

    @property
    def sentence(self) -> str:
        """One plain sentence: who leads, on how many images, and whether that is established."""
        return f"{_listed(self.leaders)} {self.claim.text}"

    @property
    def _images(self) -> str:
        return f"{self.images} {self.unit}{'' if self.images == 1 else 's'}"


def verdict(
    leaderboard: pd.DataFrame,
    significance: pd.DataFrame,
    bootstrap: pd.DataFrame,
    *,
    unit: str = "image",
) -> Verdict:
    """Judge who leads a board, and whether its images are enough to say so.

    The tests are those of the combined ranks (the metric ``challenge``) where running times are
    ranked, and of the value alone where they are not: always of what decides the leaderboard.

    Args:
        leaderboard: the board's leaderboard.csv, best first.
        significance: its significance.csv.
        bootstrap: its bootstrap.csv.
        unit: what a case is called in the sentence, such as "image" or "case".

    Returns:
        The facts, and a plain sentence that states them.

    Examples:
        >>> leaderboard = pd.DataFrame({"rank": [1, 2], "algorithm": ["a", "b"], "images": 1})
        >>> leaderboard["failed"] = 0
        >>> tests = pd.DataFrame({"metric": ["f1"], "better": "a", "worse": "b", "significant": False})
        >>> draws = pd.DataFrame({"metric": ["challenge"], "algorithm": "a", "rank": 1, "frequency": 1})
        >>> verdict(leaderboard, tests, draws).sentence
        'a ranks first, but 1 image is too few to tell it apart from b.'
    """
    ranks = leaderboard["rank"]
    leaders = tuple(leaderboard.loc[ranks == ranks.min(), "algorithm"])
    later = ranks[ranks > ranks.min()]
    runners_up = tuple(leaderboard.loc[ranks == later.min(), "algorithm"])
    images = int(leaderboard["images"].iloc[0])
    decides = significance
    if (significance["metric"] == MetricName.CHALLENGE).any():
        decides = significance[significance["metric"] == MetricName.CHALLENGE]
    found = decides.loc[decides["significant"].astype(bool), ["better", "worse"]]
    pairs = set(found.itertuples(index=False, name=None))
    ahead = all((leaders[0], other) in pairs for other in runners_up)
    return Verdict(
        leaders=leaders,
        runners_up=runners_up,
        images=images,
        told_apart=len(leaders) == 1 and bool(runners_up) and images >= FEW_IMAGES and ahead,
        contradicted=any((other, leaders[0]) in pairs for other in runners_up),
        stays_first=_share_of_first(bootstrap, leaders[0]),
        all_failed=bool(
            (leaderboard["failed"] == leaderboard["images"])[ranks == ranks.min()].all()
        ),
        unit=unit,
    )


def _share_of_first(bootstrap: pd.DataFrame, algorithm: str) -> float:
    of_all = bootstrap["metric"] == MetricName.CHALLENGE
    first = of_all & (bootstrap["algorithm"] == algorithm) & (bootstrap["rank"] == 1)
    return float(bootstrap.loc[first, "frequency"].sum())


def _percent(share: float) -> str:
    """Return a share in words; what is not quite all or nothing is not rounded to it."""
    if 0.999 < share < 1:
        return "more than 99.9 %"
    return f"{100 * share:.3g} %"


def _listed(names: tuple[str, ...]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
