"""Compiled merging of fragments of cells: those without an outline between them are one cell."""

import numpy as np
import numpy.typing as npt

from cellbench.compiling import compiled

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@compiled
def merge_fragments(
    labels: Integers, count: int, flows: Floats, outline: Floats, threshold: float, smallest: float
) -> None:
    """Merge neighbouring fragments between which there is too little evidence of an outline.

    The evidence is a mean along their common border. At each edge between two pixels, it is the smaller of
    two values: how much the flows on both sides point away from the edge, from −1 to 1, and the probability
    of an outline. In a thin cell, all pixels are outlines, but the flows do not diverge; where flows are
    noisy, there is no outline. A fragment becomes part of the neighbour to which there is least evidence,
    if that is the larger one; then the evidence along common borders is added up, and so on.

    Args:
        labels: (H, W) ids, changed.
        count: the largest id.
        flows: (2, H, W) predicted flows, of length 1 or shorter.
        outline: (H, W) probability of an outline.
        threshold: evidence from which neighbours stay separate.
        smallest: fragments of fewer pixels are merged whatever the evidence.
    """
    pixels = np.zeros(count + 1, np.int64)
    for place in range(labels.size):
        pixels[labels.flat[place]] += 1
    firsts, seconds, evidence = _borders(labels, flows, outline)
    owners = np.arange(count + 1)
    while len(firsts) > 0:
        firsts, seconds, evidence = _summed(firsts, seconds, evidence, count)
        best, values = _best(firsts, seconds, evidence, count)
        merged = False
        for label in range(1, count + 1):
            other = best[label]
            larger = pixels[other] > pixels[label] or (
                pixels[other] == pixels[label] and other < label
            )
            if other > 0 and larger and (values[label] < threshold or pixels[label] < smallest):
                owners[label] = other
                merged = True
        if not merged:
            break
        pixels = _settle(owners, pixels)
        firsts, seconds = owners[firsts], owners[seconds]
        apart = firsts != seconds
        firsts, seconds, evidence = firsts[apart], seconds[apart], evidence[:, apart]
    for place in range(labels.size):
        labels.flat[place] = owners[labels.flat[place]]


@compiled
def _settle(owners: Positions, pixels: Positions) -> Positions:
    """Make the last owner in the chain of each id its direct owner, and return the pixels of the owners."""
    sums = np.zeros_like(pixels)
    for label in range(len(owners)):
        last = owners[label]
        while owners[last] != last:
            last = owners[last]
        owners[label] = last
        sums[last] += pixels[label]
    return sums


@compiled
def _borders(
    labels: Integers, flows: Floats, outline: Floats
) -> tuple[Positions, Positions, Values]:
    """Return the ids on both sides of each edge between two fragments, and its evidence and length."""
    height, width = labels.shape
    firsts, seconds = [0 for _ in range(0)], [0 for _ in range(0)]
    evidence = [0.0 for _ in range(0)]
    for row in range(height):
        for column in range(width):
            label = labels[row, column]
            if label == 0:
                continue
            for axis in range(2):
                near_row, near = row + 1 - axis, column + axis
                if near_row == height or near == width:
                    continue
                other = labels[near_row, near]
                if other == 0 or other == label:  # Numba has no `in` for these
                    continue
                # Also a pixel further from the edge: flows that are predicted at an edge are blurred.
                apart = flows[axis, near_row, near] - flows[axis, row, column]
                apart += _beyond(labels, flows, axis, near_row, near, 1)
                apart -= _beyond(labels, flows, axis, row, column, -1)
                drawn = outline[near_row, near] + outline[row, column]
                firsts.append(label)
                seconds.append(other)
                evidence.append(min(apart / 4, drawn / 2))
    both = np.ones((2, len(evidence)))
    both[0] = np.array(evidence)
    return np.array(firsts, np.int64), np.array(seconds, np.int64), both


@compiled
def _summed(
    firsts: Positions, seconds: Positions, evidence: Values, count: int
) -> tuple[Positions, Positions, Values]:
    """Return each pair of neighbours once, the smaller id first, with the sums of evidence and length."""
    keys = np.minimum(firsts, seconds) * (count + 1) + np.maximum(firsts, seconds)
    order = np.argsort(keys)
    pairs = [0 for _ in range(0)]
    sums = np.zeros((2, len(keys)))
    for index in order:
        if len(pairs) == 0 or pairs[-1] != keys[index]:
            pairs.append(keys[index])
        sums[0, len(pairs) - 1] += evidence[0, index]
        sums[1, len(pairs) - 1] += evidence[1, index]
    left = np.array(pairs, np.int64)
    return left // (count + 1), left % (count + 1), sums[:, : len(pairs)]


@compiled
def _best(
    firsts: Positions, seconds: Positions, evidence: Values, count: int
) -> tuple[Positions, Values]:
    """Return, by id, the neighbour with the least evidence of an outline, 0 if none, and the evidence."""
    best, values = np.zeros(count + 1, np.int64), np.full(count + 1, np.inf)
    for index in range(len(firsts)):
        value = evidence[0, index] / evidence[1, index]
        for label, other in (
            (firsts[index], seconds[index]),
            (seconds[index], firsts[index]),
        ):
            if value < values[label]:
                best[label], values[label] = other, value
    return best, values


@compiled
def _beyond(
    labels: Integers, flows: Floats, axis: int, row: int, column: int, direction: int
) -> float:
    """Return the flow along an axis one pixel further from an edge, or here if that is another fragment."""
    height, width = labels.shape
    far_row, far = row + direction * (1 - axis), column + direction * axis
    inside = 0 <= far_row < height and 0 <= far < width
    if inside and labels[far_row, far] == labels[row, column]:
        return float(flows[axis, far_row, far])
    return float(flows[axis, row, column])
