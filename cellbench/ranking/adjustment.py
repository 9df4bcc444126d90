"""Adjusting p values for multiple testing, under the names of R's ``p.adjust``."""

from typing import Literal, get_args

import numpy as np

from cellbench.ranking.tables import Floats

Adjust = Literal["none", "holm", "hochberg", "bonferroni", "BH", "BY"]

ADJUSTMENTS: tuple[Adjust, ...] = get_args(Adjust)


def adjust_p_values(p: Floats, method: Adjust) -> Floats:
    """Adjust p values along the last axis.

    Args:
        p: (…, n) p values, no NaN.
        method: as R names them. ``none``; ``bonferroni``: n p; ``holm`` (Holm 1979) and ``hochberg``
            (Hochberg 1988): (n − i + 1) p of the i-th smallest, made to rise from the smallest up, or
            to fall from the largest down; ``BH`` (Benjamini and Hochberg 1995): n p / i, made to fall
            from the largest down; ``BY`` (Benjamini and Yekutieli 2001): the same, times
            1 + 1/2 + … + 1/n.

    Returns:
        Adjusted p values, at most 1, of the same shape.

    Examples:
        >>> p = np.array([0.01, 0.04, 0.03])
        >>> adjust_p_values(p, "holm").tolist()
        [0.03, 0.06, 0.06]
        >>> adjust_p_values(p, "BH").round(3).tolist()
        [0.03, 0.04, 0.04]
    """
    count = p.shape[-1]
    if method == "none" or count == 0:
        return p
    if method == "bonferroni":
        scaled: Floats = np.minimum(p * count, 1.0)
        return scaled
    order = np.argsort(p, axis=-1, kind="stable")
    scaled = np.take_along_axis(p, order, axis=-1) * _factors(count, method)
    if method == "holm":
        monotone = np.maximum.accumulate(scaled, axis=-1)
    else:
        monotone = np.minimum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    adjusted: Floats = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(monotone, 1.0), axis=-1)
    return adjusted


def _factors(count: int, method: Adjust) -> Floats:
    """Return the factor of the p value at each place, the smallest first."""
    places = np.arange(1.0, count + 1)
    if method in ("holm", "hochberg"):
        return places[::-1]
    dependence = np.sum(1 / places) if method == "BY" else 1.0
    return dependence * count / places
