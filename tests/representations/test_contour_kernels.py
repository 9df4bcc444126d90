"""Outlines, Fourier coefficients and refinement vectors against scikit-image and NumPy."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from label_maps import blocky_maps, discs, touching
from skimage.measure import find_contours

from cellbench.labels import LabelMap
from cellbench.representations.contour_cells import basis, outlines
from cellbench.representations.contour_kernels import point_to_outlines, trace, transform
from cellbench.representations.contour_maps import find_pieces

Floats = npt.NDArray[np.floating]


def traced(labels: LabelMap) -> list[Floats]:
    points, starts = trace(*find_pieces(labels))
    return [points[start:end] for start, end in pairwise(starts)]


def evenly_spaced(polygon: Floats, count: int) -> Floats:
    """Points along a closed polygon, (count, 2), in equal distances."""
    closed = np.concatenate([polygon, polygon[:1]])
    lengths = np.append(0, np.cumsum(np.hypot(*np.diff(closed, axis=0).T)))
    places = np.arange(count) / count * lengths[-1]
    return np.stack([np.interp(places, lengths, values) for values in closed.T], axis=1)


@settings(max_examples=30)
@given(labels=blocky_maps(ids=1, scale=1, cells=9))
def test_outlines_are_those_of_scikit_image(labels: LabelMap) -> None:
    for piece, ours in enumerate(traced(labels), start=1):
        inside = np.pad(find_pieces(labels)[0] == piece, 1).astype(float)
        theirs = max(
            find_contours(inside, 0.5, fully_connected="high"),
            key=lambda each: np.ptp(each, axis=0).prod(),
        )
        assert {*map(tuple, ours)} == {*map(tuple, theirs - 1)}
        assert len(ours) == len(theirs) - 1


@pytest.mark.parametrize("labels", [discs(), touching()])
def test_outlines_run_counter_clockwise_around_all_but_half_a_pixel(labels: LabelMap) -> None:
    pieces, _ = find_pieces(labels)
    for cell, polygon in enumerate(traced(labels), start=1):
        rows, columns = polygon.T
        area = np.dot(np.roll(rows, 1), columns) - np.dot(rows, np.roll(columns, 1))
        assert area / 2 == pytest.approx((pieces == cell).sum() - 0.5)


@pytest.mark.parametrize("labels", [discs(), touching()])
def test_coefficients_are_those_of_the_fourier_transform(labels: LabelMap) -> None:
    order, count = 6, 20_000
    points, starts = trace(*find_pieces(labels))
    centres, coefficients = transform(points, starts, order)
    for index, polygon in enumerate(traced(labels)):
        waves = np.fft.fft(evenly_spaced(polygon, count), axis=0) / count
        np.testing.assert_allclose(centres[index], waves[0].real, atol=1e-3)
        first = np.stack([2 * waves[1].real, -2 * waves[1].imag], axis=1)
        shift = -np.arctan2(first[1, 0] - first[0, 1], np.trace(first))
        for harmonic in range(1, order + 1):
            wave = 2 * waves[harmonic] * np.exp(1j * harmonic * shift)
            ours = coefficients[index, 4 * harmonic - 4 : 4 * harmonic].reshape(2, 2)
            np.testing.assert_allclose(ours, np.stack([wave.real, -wave.imag], axis=1), atol=2e-3)


def test_high_orders_are_the_outline_itself() -> None:
    points, starts = trace(*find_pieces(discs()))
    centres, coefficients = transform(points, starts, 60)
    for index, polygon in enumerate(traced(discs())):
        sampled = outlines(coefficients[index : index + 1], 200)[0].T + centres[index]
        gaps = np.abs(sampled[:, None] - evenly_spaced(polygon, 2000)).sum(axis=2).min(axis=1)
        assert gaps.max() < 0.1


def test_the_basis_is_cosines_and_sines_of_one_period() -> None:
    waves = basis(2, 8)
    np.testing.assert_allclose(waves[0, ::2], [1, 0, -1, 0], atol=1e-6)
    np.testing.assert_allclose(waves[1, ::2], [0, 1, 0, -1], atol=1e-6)
    np.testing.assert_allclose(waves[2, ::2], [1, -1, 1, -1], atol=1e-6)


@pytest.mark.parametrize("grid", [1, 2, 3])
@pytest.mark.parametrize("labels", [discs((50, 60)), touching((40, 50), cells=8)])
def test_refinements_lead_to_the_nearest_point_of_an_outline(labels: LabelMap, grid: int) -> None:
    vectors = point_to_outlines(*trace(*find_pieces(labels)), labels.shape, grid, 3.0)
    dense = np.concatenate([evenly_spaced(each, 40 * len(each)) for each in traced(labels)])
    pixels = np.stack(np.mgrid[: labels.shape[0] : grid, : labels.shape[1] : grid])
    assert vectors.shape == pixels.shape
    nearest = distances(pixels, dense)
    lengths = np.hypot(*vectors)
    assert not vectors[:, nearest > 3.02].any()
    near = nearest < 2.98
    between = near & (lengths < nearest - 0.02)  # several points are equally near
    assert (lengths[near] < nearest[near] + 0.02).all()
    assert between.sum() < 0.3 * near.sum()
    assert distances(pixels + vectors, dense)[near & ~between].max() < 0.02


def distances(places: Floats, points: Floats) -> Floats:
    """Distance of places (2, H, W) to the nearest of points (N, 2)."""
    ways = np.moveaxis(places, 0, -1)[:, :, None] - points
    nearest: Floats = np.hypot(ways[..., 0], ways[..., 1]).min(axis=2)
    return nearest
