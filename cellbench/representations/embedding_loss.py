"""The loss of Embedding: Lovász hinge of memberships, even sigmas, seeds; without a loop over cells."""

from collections.abc import Mapping
from typing import NamedTuple

import torch

from cellbench.representations.embedding import LARGEST_LOGARITHM, TYPICAL_SIGMA

NEGLIGIBLE = 1e-3
"""Pixels of other cells or the background with a lower membership do not count."""

_LEAST_MARGIN = 8  # pixels around a cell whose membership is computed; at least half of its side


class Cells(NamedTuple):
    """All cells of a batch.

    Attributes:
        ids: (B·H·W,) the cell of each pixel, −1 in the background.
        pixels: (P,) the pixels of all cells.
        centres: (N, 2) float32, row and column.
        sizes: (N,) number of pixels.
        shares: (N,) weight of each cell; those of an image add up to 1 / B.
        boxes: (N, 4) first row, row after the last, first column, column after the last.
        images: (N,) number of the image.
    """

    ids: torch.Tensor
    pixels: torch.Tensor
    centres: torch.Tensor
    sizes: torch.Tensor
    shares: torch.Tensor
    boxes: torch.Tensor
    images: torch.Tensor


class Pairs(NamedTuple):
    """Pairs of a cell and a pixel of its surroundings, sorted by cells.

    Attributes:
        cells: (Q,) the cell.
        pixels: (Q,) the pixel.
        inside: (Q,) whether the pixel belongs to the cell.
    """

    cells: torch.Tensor
    pixels: torch.Tensor
    inside: torch.Tensor


def pixel_positions(batch: int, height: int, width: int, device: torch.device) -> torch.Tensor:
    """Return row and column of every pixel of a batch, (B·H·W, 2) float32.

    Args:
        batch: number of images B.
        height: H.
        width: W.
        device: device of the result.
    """
    rows, columns = torch.arange(height, device=device), torch.arange(width, device=device)
    grid = torch.cartesian_prod(rows, columns).reshape(-1, 2)
    return grid.float().repeat(batch, 1)


def find_cells(offset: torch.Tensor, seed: torch.Tensor) -> Cells:
    """Find the cells in encoded maps: all pixels of a cell point to the same centre, others do not.

    Args:
        offset: (B, 2, H, W) encoded offsets.
        seed: (B, 1, H, W) encoded seeds, 0 in the background.
    """
    batch, _, height, width = offset.shape
    places = pixel_positions(batch, height, width, offset.device)
    pixels = seed.reshape(-1).nonzero()[:, 0]
    targets = places[pixels] + flat(offset)[pixels]
    row, column = (2 * targets).round().long().unbind(1)
    of_pixel = pixels // (height * width)
    keys = (of_pixel * 2 * height + row) * 2 * width + column
    found, cells, sizes = torch.unique(keys, return_inverse=True, return_counts=True)
    count = len(found)
    images = found // (4 * height * width)
    centres = torch.stack([found // (2 * width) % (2 * height), found % (2 * width)], dim=1) / 2
    ids = torch.full((len(places),), -1, device=offset.device)
    ids[pixels] = cells
    boxes = torch.zeros(count, 4, dtype=torch.long, device=offset.device)
    for axis, positions in enumerate(places[pixels].long().unbind(1)):
        for side, rule in enumerate(("amin", "amax")):
            boxes[:, 2 * axis + side] = boxes[:, 2 * axis + side].scatter_reduce(
                0, cells, positions + side, rule, include_self=False
            )
    shares = 1 / (batch * images.bincount(minlength=batch)[images].float())
    return Cells(ids, pixels, centres, sizes, shares, boxes, images)


def pairs_around(cells: Cells, height: int, width: int) -> Pairs:
    """Pair each cell with the pixels of its box and of a margin around it.

    Args:
        cells: the cells of a batch.
        height: of the images.
        width: of the images.
    """
    top, bottom, left, right = cells.boxes.unbind(1)
    down = ((bottom - top) // 2).clamp(min=_LEAST_MARGIN)
    across = ((right - left) // 2).clamp(min=_LEAST_MARGIN)
    top, left = (top - down).clamp(min=0), (left - across).clamp(min=0)
    columns = (right + across).clamp(max=width) - left
    counts = ((bottom + down).clamp(max=height) - top) * columns
    numbers = torch.arange(len(counts), device=counts.device)
    of_pair = numbers.repeat_interleave(counts)
    ordinal = torch.arange(len(of_pair), device=counts.device)
    ordinal = ordinal - (counts.cumsum(0) - counts)[of_pair]
    corner = (cells.images * height + top) * width + left
    columns = columns[of_pair]
    down = ordinal.div(columns, rounding_mode="floor")
    pixels = corner[of_pair] + down * width + ordinal - down * columns
    return Pairs(of_pair, pixels, cells.ids[pixels] == of_pair)


def lovasz_hinge(membership: torch.Tensor, pairs: Pairs, cells: Cells) -> torch.Tensor:
    """Return the Lovász hinge loss (Berman et al. 2018) of each cell, (N,).

    The hinge error of a pixel in the cell is 2 − 2 × membership, that of another pixel 2 × membership.
    Sorted from the largest to the smallest, each error is multiplied by the increase of the Jaccard loss
    when its pixel becomes wrong too.

    Args:
        membership: (Q,) in [0, 1].
        pairs: the pairs; all pixels of each cell are among them.
        cells: the cells.
    """
    errors = 2 * torch.where(pairs.inside, 1 - membership, membership)
    order = (4.0 * pairs.cells.double() - errors.detach()).argsort()
    inside, of_pair = pairs.inside[order].long(), pairs.cells  # the cells stay in their order
    counts = of_pair.bincount(minlength=len(cells.sizes))
    starts = counts.cumsum(0) - counts
    hits = inside.cumsum(0)
    hits = hits - (hits - inside)[starts][of_pair]
    ordinal = torch.arange(1, len(order) + 1, device=order.device) - starts[of_pair]
    sizes = cells.sizes[of_pair]
    jaccard = 1 - (sizes - hits) / (sizes + ordinal - hits).float()
    before = jaccard.roll(1)
    before[starts] = 0
    return torch.zeros_like(cells.shares).index_add(0, of_pair, errors[order] * (jaccard - before))


def embedding_loss(
    outputs: Mapping[str, torch.Tensor],
    targets: Mapping[str, torch.Tensor],
    weights: tuple[float, float, float, float],
) -> torch.Tensor:
    """Return the loss of [`Embedding`][cellbench.representations.embedding.Embedding].

    Args:
        outputs: ``offset`` (B, 2, H, W) in pixels, ``sigma`` (B, S, H, W), logarithms of sigma / 8 px,
            and ``seed`` (B, 1, H, W), logits.
        targets: ``offset`` and ``seed`` as they are encoded.
        weights: of the Lovász hinge, of the evenness of sigma, of the seeds, and how many times more
            the seeds in cells count.
    """
    hinge_weight, evenness_weight, seed_weight, foreground_weight = weights
    offset, spread = outputs["offset"].float(), flat(outputs["sigma"].float())
    seed = outputs["seed"].float().sigmoid().reshape(-1)
    batch, _, height, width = offset.shape
    cells = find_cells(targets["offset"].float(), targets["seed"])
    own = cells.ids[cells.pixels]
    spreads = spread[cells.pixels]
    means = torch.zeros(len(cells.sizes), spread.shape[1], device=spread.device)
    means = means.index_add(0, own, spreads) / cells.sizes[:, None]
    uneven = (spreads - means.detach()[own]).square().mean(1)
    evenness = (uneven * (cells.shares / cells.sizes)[own]).sum()
    embeddings = pixel_positions(batch, height, width, offset.device) + flat(offset)
    kept = means.clamp(-LARGEST_LOGARITHM, LARGEST_LOGARITHM)
    precisions = 0.5 / TYPICAL_SIGMA**2 * torch.exp(-2 * kept)
    pairs = pairs_around(cells, height, width)
    with torch.no_grad():
        near = membership(embeddings, precisions, cells, pairs) > NEGLIGIBLE
        pairs = Pairs(*(each[near | pairs.inside] for each in pairs))
    members = membership(embeddings, precisions, cells, pairs)
    hinge = (lovasz_hinge(members, pairs, cells) * cells.shares).sum()
    truth, importance = torch.zeros_like(seed), torch.ones_like(seed)
    truth[pairs.pixels[pairs.inside]] = members.detach()[pairs.inside]
    importance[cells.pixels] = foreground_weight
    seeds = (importance * (seed - truth).square()).mean()
    return hinge_weight * hinge + evenness_weight * evenness + seed_weight * seeds


def membership(
    embeddings: torch.Tensor, precisions: torch.Tensor, cells: Cells, pairs: Pairs
) -> torch.Tensor:
    """Return how much the pixel of each pair belongs to its cell: a Gaussian around the centre, (Q,).

    Args:
        embeddings: (B·H·W, 2) positions in pixels to which the pixels point.
        precisions: (N, S) 1 / (2 sigma²) of each cell.
        cells: the cells.
        pairs: the pairs.
    """
    distances = (embeddings[pairs.pixels] - cells.centres[pairs.cells]).square()
    return torch.exp(-(distances * precisions[pairs.cells]).sum(1))


def flat(maps: torch.Tensor) -> torch.Tensor:
    """Return maps (B, C, H, W) as a list of pixels (B·H·W, C).

    Args:
        maps: the maps.
    """
    return maps.permute(0, 2, 3, 1).reshape(-1, maps.shape[1])
