"""HoVer against the original's steps and scikit-image: `make bench`."""

import numpy as np
import pytest
from crowded import crowded_pair
from original_hover import MARGIN, energy_and_markers, original_cells, original_maps
from peers import medians, report
from skimage.measure import label
from skimage.morphology import remove_small_holes, remove_small_objects
from skimage.segmentation import expand_labels, watershed

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap
from cellbench.representations import Boundary, HoVer
from cellbench.representations.boundary import BACKGROUND, INTERIOR
from cellbench.representations.components import components
from cellbench.representations.watershed import watershed as our_watershed

NOISE = 0.1


def noisy_maps(labels: LabelMap) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    maps = HoVer().encode(labels)
    foreground = 0.1 + 0.8 * maps["foreground"] + rng.normal(0, NOISE, maps["foreground"].shape)
    hv = maps["hv"] + rng.normal(0, NOISE, maps["hv"].shape)
    return {"foreground": foreground.astype(np.float32), "hv": hv.astype(np.float32)}


def test_distance_maps_against_the_originals_steps() -> None:
    labels, _ = crowded_pair(1000, 500)
    hv = HoVer().encode(labels)["hv"]
    edges = np.concatenate([labels[:MARGIN].ravel(), labels[:, :MARGIN].ravel()])
    off_border = ~np.isin(labels, edges)
    np.testing.assert_array_equal(hv[:, off_border], original_maps(labels)[:, off_border])
    ours, theirs = medians(lambda: HoVer().encode(labels), lambda: original_maps(labels), rounds=3)
    assert report("distance maps, 1000 × 1000", ours, "the original's steps", theirs) >= 100


@pytest.mark.parametrize(
    ("side", "cells", "least", "rounds"), [(1000, 500, 4, 5), (4000, 8000, 8, 1)]
)
def test_decoding_against_the_originals_steps(
    side: int, cells: int, least: float, rounds: int
) -> None:
    labels, _ = crowded_pair(side, cells)
    maps = noisy_maps(labels)
    decoded = HoVer().decode(maps)
    original = original_cells(maps["foreground"][0], maps["hv"]).astype(np.int32)
    found = match_cells(original, decoded, threshold=0.95)
    assert 2 * found.tp >= 0.999 * (found.true_cells + found.predicted_cells)
    ours, theirs = medians(
        lambda: HoVer().decode(maps),
        lambda: original_cells(maps["foreground"][0], maps["hv"]),
        rounds=rounds,
    )
    what = f"decoding HoVer, {side} × {side}"
    assert report(what, ours, "the original's steps", theirs) >= least


def test_watershed_against_scikit_image() -> None:
    labels, _ = crowded_pair(1000, 500)
    maps = noisy_maps(labels)
    energy, markers, mask = energy_and_markers(maps["foreground"][0], maps["hv"])
    heights = np.rint((energy + 1) * 65535).astype(np.uint16)
    parts = components(mask.astype(np.uint8), 1, connectivity=4)
    cells, theirs = our_watershed(heights, markers, parts), watershed(energy, markers, mask=mask)
    ids = np.zeros(cells.max() + 1, int)
    marked = (markers > 0) & (theirs > 0)
    ids[cells[marked]] = markers[marked]
    assert (ids[cells] == theirs)[theirs > 0].mean() >= 0.999
    ours, peer = medians(
        lambda: our_watershed(heights, markers, parts),
        lambda: watershed(energy, markers, mask=mask),
    )
    assert report("watershed, 1000 × 1000", ours, "scikit-image", peer) >= 8


def test_boundary_decoding_against_scikit_image() -> None:
    labels, _ = crowded_pair(1000, 500)
    maps = Boundary().encode(labels)

    def official() -> (
        LabelMap
    ):  # scikit-image 0.26 names the largest that goes, not the smallest that stays
        interior = remove_small_holes(maps["classes"][INTERIOR] > 0, max_size=63)
        cores = remove_small_objects(label(interior), max_size=15)
        grown = expand_labels(cores, distance=2)
        return np.where(maps["classes"][BACKGROUND] > 0, cores, grown)

    np.testing.assert_array_equal(Boundary().decode(maps) > 0, official() > 0)
    ours, theirs = medians(lambda: Boundary().decode(maps), official)
    assert report("decoding boundaries, 1000 × 1000", ours, "scikit-image", theirs) >= 1.5
