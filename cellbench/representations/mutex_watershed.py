"""The mutex watershed: clusters of pixels that attract and repel each other (Wolf et al. 2018 and 2020)."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled
from cellbench.representations.affinity_kernels import attracted_parts, root

Integers = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

_LEVELS = 65_535  # weights are compared as 16-bit numbers
_SMALLEST_TABLE = 1 << 10
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ divided by the golden ratio


@compiled
def mutex_watershed(
    affinities: Floats,
    inside: Flags,
    offsets: Integers,
    attractive: int,
    smallest_weight: float,
    repulsion: float,
    stride: int,
) -> Integers:
    """Join pixels in the order of the weights of their edges, unless a stronger edge forbids it.

    The edges of the first maps attract with a weight equal to the affinity. Those of the others repel
    with the probability that belongs to the odds ``repulsion`` · (1 − affinity) / affinity. All are
    processed from the largest weight, rounded to 16 bits, to ``smallest_weight``. An edge that attracts
    joins two clusters, unless an edge that repels, and came earlier, lies between them. Of equal
    weights, those that attract come first. With a ``smallest_weight`` of 0, and a ``repulsion`` and a
    ``stride`` of 1, this is the paper's algorithm 1.

    Without edges that repel, the clusters would be the parts that attracting edges join. Edges that
    repel only matter inside such a part. So parts without any are finished, and no other edge is
    sorted; this changes no result.

    Args:
        affinities: (K, H, W); what is not a number neither attracts nor repels.
        inside: (H, W) the foreground; edges to other pixels are ignored.
        offsets: (K, 2) rows and columns from the first pixel of an edge to the second; rows are at least 0.
        attractive: number of maps whose edges attract, those of direct neighbours.
        smallest_weight: edges of a smaller weight are ignored.
        repulsion: factor on the odds that an edge repels.
        stride: edges repel only if the row and the column of their first pixel are divisible by it.

    Returns:
        (H · W) for each pixel another of its cluster, see
        [`root`][cellbench.representations.affinity_kernels.root].
    """
    parts = attracted_parts(affinities[:attractive], inside, offsets[:attractive], smallest_weight)
    rules = (attractive, smallest_weight, repulsion, stride)
    parents: Integers = parts.copy()
    contested = _contested_parts(affinities, parts, offsets, rules)
    for place in range(len(parts)):
        if contested[parts[place]]:
            parents[place] = place
    firsts, seconds = _sorted_edges(affinities, parts, contested, offsets, rules)
    _join(parents, firsts, seconds)
    return parents


@compiled
def _level(affinity: np.float32, attracts: bool, smallest_weight: float, repulsion: float) -> int:
    """Return the weight of an edge as a 16-bit number, −1 where the edge is ignored."""
    weight = np.float64(affinity)
    if not attracts:
        odds = repulsion * (1 - weight)
        weight = odds / (odds + weight)
    if not weight >= smallest_weight:  # also what is not a number
        return -1
    return int(min(max(weight, 0), 1) * _LEVELS + 0.5)


@compiled
def _first(right: int, stride: int) -> int:
    """Return the first column, divisible by the stride, from which an edge does not leave the map."""
    return -(min(right, 0) // stride) * stride


@compiled
def _contested_parts(
    affinities: Floats, parts: Integers, offsets: Integers, rules: tuple[int, float, float, int]
) -> Flags:
    """Return by the first pixel of a part whether an edge inside of it repels."""
    attractive, smallest_weight, repulsion, stride = rules
    _, height, width = affinities.shape
    contested = np.zeros(len(parts), np.bool_)
    for channel in range(attractive, len(offsets)):
        down, right = offsets[channel]
        step = down * width + right
        for row in range(0, height - down, stride):
            for column in range(_first(right, stride), width - max(0, right), stride):
                place = row * width + column
                part = parts[place]
                if part == parts[place + step] and not contested[part]:
                    affinity = affinities[channel, row, column]
                    contested[part] = _level(affinity, False, smallest_weight, repulsion) >= 0
    return contested


@compiled
def _sorted_edges(
    affinities: Floats,
    parts: Integers,
    contested: Flags,
    offsets: Integers,
    rules: tuple[int, float, float, int],
) -> tuple[Integers, Integers]:
    """Return both pixels of each edge in contested parts, those of the largest weight first.

    The second pixel of an edge that repels is written as −1 − pixel.
    """
    attractive, smallest_weight, repulsion, stride = rules
    _, height, width = affinities.shape
    ends = np.zeros(_LEVELS + 2, np.int64)
    firsts, seconds = np.empty(0, np.int32), np.empty(0, np.int32)
    for filling in (False, True):
        if filling:
            ends = np.cumsum(ends)
            firsts, seconds = np.empty(ends[-1], np.int32), np.empty(ends[-1], np.int32)
        for channel in range(len(offsets)):
            attracts = channel < attractive
            down, right = offsets[channel]
            step = down * width + right
            every = 1 if attracts else stride
            for row in range(0, height - down, every):
                for column in range(_first(right, every), width - max(0, right), every):
                    place = row * width + column
                    part = parts[place]
                    if part != parts[place + step] or not contested[part]:
                        continue
                    affinity = affinities[channel, row, column]
                    level = _level(affinity, attracts, smallest_weight, repulsion)
                    if level < 0:
                        continue
                    rank = _LEVELS - level
                    if filling:
                        firsts[ends[rank]] = place
                        seconds[ends[rank]] = place + step if attracts else -1 - place - step
                        ends[rank] += 1
                    else:
                        ends[rank + 1] += 1
    return firsts, seconds


@compiled
def _join(parents: Integers, firsts: Integers, seconds: Integers) -> None:
    """Join clusters along the edges in their order.

    A table holds all pairs of clusters that must not be joined, and each cluster has a linked list of
    its pairs. When two clusters are joined, the one with the shorter list gets the name of the other,
    and its pairs are entered again with this name.
    """
    repelling = (seconds < 0).sum()
    others, following = np.empty(2 * repelling, np.int32), np.empty(2 * repelling, np.int32)
    heads = np.full(len(parents), -1, np.int32)
    lengths = np.zeros(len(parents), np.int32)
    table, pairs, nodes = np.full(_SMALLEST_TABLE, -1, np.int64), 0, 0
    for edge in range(len(firsts)):
        first, second = np.int64(firsts[edge]), np.int64(seconds[edge])
        repels = second < 0
        first, second = root(parents, first), root(parents, -1 - second if repels else second)
        if first == second:
            continue
        key, slot = _find(table, first, second)
        if table[slot] == key:
            continue
        if repels:
            table[slot] = key
            pairs += 1
            for one, other in ((first, second), (second, first)):
                others[nodes], following[nodes], heads[one] = other, heads[one], nodes
                lengths[one] += 1
                nodes += 1
        else:
            kept, gone = (first, second) if lengths[first] >= lengths[second] else (second, first)
            parents[gone] = kept
            node = heads[gone]
            while node >= 0:
                after = following[node]
                other = root(parents, others[node])
                key, slot = _find(table, kept, other)
                if table[slot] != key:
                    table[slot] = key
                    pairs += 1
                    following[node], heads[kept] = heads[kept], node
                    lengths[kept] += 1
                    if 2 * pairs > len(table):
                        table = _enlarged(table)
                node = after
        if 2 * pairs > len(table):
            table = _enlarged(table)


@compiled
def _find(table: Longs, first: int, second: int) -> tuple[np.int64, int]:
    """Return the number of a pair of clusters, and its place in the table or the free place for it."""
    key = np.int64(min(first, second)) << 32 | np.int64(max(first, second))
    slot = _slot(key, len(table))
    while table[slot] != -1 and table[slot] != key:
        slot = (slot + 1) & (len(table) - 1)
    return key, slot


@compiled
def _slot(key: np.int64, places: int) -> int:
    """Return the place in a table, of a power of two places, at which the search for a pair begins."""
    return int((np.uint64(key) * _SPREAD) >> np.uint64(32)) & (places - 1)


@compiled
def _enlarged(table: Longs) -> Longs:
    """Return a table with the same pairs and twice as many places."""
    larger = np.full(2 * len(table), -1, np.int64)
    for key in table:
        if key >= 0:
            slot = _slot(key, len(larger))
            while larger[slot] != -1:
                slot = (slot + 1) & (len(larger) - 1)
            larger[slot] = key
    return larger
