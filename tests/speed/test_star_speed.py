"""Star distances and suppression against stardist's C++: `make bench`."""

import numpy as np
import numpy.typing as npt
import pytest
from crowded import crowded_pair
from peers import medians, report
from stardist.geometry import polygons_to_label, star_dist
from stardist.nms import non_maximum_suppression

from cellbench.evaluation import match_cells
from cellbench.representations import StarConvex
from cellbench.representations.star_maps import star_distances
from cellbench.representations.star_polygons import (
    Polygons,
    draw_polygons,
    find_candidates,
    suppress_worse,
)


@pytest.mark.parametrize("side", [256, 1000])
def test_star_distances_against_stardist(side: int) -> None:
    labels = crowded_pair(1000, 500)[0][:side, :side]
    distances = star_dist(labels, 32, mode="cpp")
    np.testing.assert_array_equal(star_distances(labels), distances.transpose(2, 0, 1))
    ours, theirs = medians(lambda: star_distances(labels), lambda: star_dist(labels, 32))
    assert report(f"star distances {side} × {side}", ours, "stardist", theirs) >= 1.8


@pytest.mark.parametrize("grid", [1, 2])
def test_suppression_and_drawing_against_stardist(grid: int) -> None:
    labels = crowded_pair(1000, 500)[0]
    probability, distances = _disturbed(labels)
    channels_last = np.ascontiguousarray(distances.transpose(1, 2, 0))[::grid, ::grid]

    def keep_ours() -> Polygons:
        candidates = find_candidates(probability, distances, 0.5, grid)
        return candidates.taken(suppress_worse(candidates, 0.4, labels.shape))

    def keep_theirs() -> tuple[npt.NDArray[np.float32], ...]:
        thresholds = {"nms_thresh": 0.4, "prob_thresh": 0.5}
        scores = probability[::grid, ::grid]
        return non_maximum_suppression(channels_last, scores, (grid, grid), b=0, **thresholds)

    mine, (points, scores, lengths) = keep_ours(), keep_theirs()
    peer = Polygons(points.astype(np.float32), lengths, scores)
    kept, kept_by_peer = (draw_polygons(each, labels.shape).labels for each in (mine, peer))
    found = match_cells(kept_by_peer, kept, threshold=0.9)
    assert found.tp >= 0.99 * max(len(points), len(mine.points))
    ours, theirs = medians(keep_ours, keep_theirs, rounds=3)
    assert report(f"suppression 1000 × 1000, grid {grid}", ours, "stardist", theirs) >= 2
    ours, theirs = medians(
        lambda: draw_polygons(mine, labels.shape),
        lambda: polygons_to_label(lengths, points, labels.shape, prob=scores),
    )
    assert report(f"drawing {len(points)} polygons", ours, "stardist", theirs) >= 5


def _disturbed(
    labels: npt.NDArray[np.int32],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Encode, and disturb as a network would."""
    rng = np.random.default_rng(0)
    maps = StarConvex().encode(labels)
    probability, distances = maps["probability"][0], maps["distances"]
    probability *= rng.normal(1, 0.05, probability.shape).astype(np.float32)
    distances *= rng.normal(1, 0.1, distances.shape).astype(np.float32)
    return probability, distances.clip(1e-3)
