"""challengeR's own bootstrap, with its two defects, to compare with published figures."""

from typing import Literal, get_args

import numpy as np
import pandas as pd

from cellbench.choices import Scheme
from cellbench.ranking.schemes import Rule
from cellbench.ranking.tables import Floats

Compatibility = Literal["challengeR"]

COMPATIBILITIES: tuple[Compatibility, ...] = get_args(Compatibility)


def challenger_values(rule: Rule, table: pd.DataFrame, counts: Floats) -> Floats:
    """Aggregate drawn cases as challengeR 1.0.5 does.

    Its drawn copies keep the name of their case. In rank-then-…, the k copies of a case are pooled
    and ranked as one group of k T values, and each of the k copies counts: a rank r becomes
    k (r − 1) + 1 with ties ``min``, k r with ``max`` and k r − (k − 1) / 2 with ``average``, so that
    a case weighs k² (its issue #16). In test-then-rank, a case counts once however often it was
    drawn. mean-then-rank and median-then-rank are correct. (R has no ties ``dense``; they
    do not see copies.)

    Args:
        rule: how to rank.
        table: index cases, columns algorithms, NaN missing.
        counts: (samples, cases), how often each case was drawn.

    Returns:
        (samples, algorithms), as [`cellbench.ranking.schemes.Rule.values`][] returns them. Where no
        case was drawn twice, the two are equal.
    """
    if rule.options.scheme == Scheme.TEST_THEN_RANK:
        return rule.values(table, (counts > 0).astype(float))
    if not rule.options.scheme.ranks_cases:
        return rule.values(table, counts)
    numbers = rule.turned(table)
    drawn = [int(copies) for copies in np.unique(counts) if copies > 0]
    ranks = np.concatenate([rule.case_ranks(numbers, copies=copies) for copies in drawn])
    pooled = np.concatenate([copies * (counts == copies) for copies in drawn], axis=1)
    return rule.aggregate(ranks, pooled.astype(float))
