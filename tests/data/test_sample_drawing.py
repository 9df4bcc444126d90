"""The parts of the built-in sample: cells are valid label maps, each microscope shows what it should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import regionprops

from cellbench.data.sample_optics import OPTICS, Conditions
from cellbench.data.sample_shapes import MIN_AREA, CellShapes, draw_cells, smooth_field

USUAL = Conditions(light=1, photons=1000, unevenness=0, blur=1, contrast=1, hue=0.5)
ROUND = CellShapes((14, 24), (1, 1.5), 0.1, 1, coverage=0.25, clustering=0.6)


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(60, 140),
    width=st.integers(60, 140),
    elongation=st.floats(1, 4),
    wobble=st.floats(0, 0.4),
    coverage=st.floats(0.05, 0.5),
    clustering=st.floats(0, 1),
)
def test_drawn_cells_are_a_valid_label_map(
    seed: int,
    height: int,
    width: int,
    elongation: float,
    wobble: float,
    coverage: float,
    clustering: float,
) -> None:
    shapes = CellShapes((12, 20), (1, elongation), wobble, 2, coverage, clustering)
    labels = draw_cells(np.random.default_rng(seed), (height, width), shapes)
    assert labels.shape == (height, width)
    assert np.array_equal(np.unique(labels[labels > 0]), np.arange(1, labels.max() + 1))
    for cell in regionprops(labels):
        assert cell.area >= MIN_AREA
        assert ndimage.label(cell.image)[1] == 1


@pytest.mark.parametrize("coverage", [0.1, 0.3])
def test_cells_cover_what_was_asked(coverage: float) -> None:
    shapes = CellShapes((14, 20), (1, 1.2), 0.05, 0, coverage, 0.3)
    labels = draw_cells(np.random.default_rng(1), (200, 300), shapes)
    assert np.mean(labels > 0) == pytest.approx(coverage, abs=0.02)


def test_clustering_makes_cells_touch() -> None:
    pieces = {}
    for clustering in (0.0, 1.0):
        shapes = CellShapes((14, 20), (1, 1.2), 0.05, 0, 0.15, clustering)
        labels = draw_cells(np.random.default_rng(2), (300, 300), shapes)
        pieces[clustering] = ndimage.label(labels > 0)[1] / labels.max()
    assert pieces[1.0] < 0.3 < 0.6 < pieces[0.0]


@pytest.mark.parametrize("scale", [1, 5.5, 40, 500])
def test_smooth_field_is_standardised(scale: float) -> None:
    field = smooth_field(np.random.default_rng(0), (90, 70), scale)
    assert field.shape == (90, 70)
    assert field.dtype == np.float32
    assert field.mean() == pytest.approx(0, abs=1e-3)
    assert field.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("modality", OPTICS)
def test_pictures_are_in_range_even_without_cells(modality: str) -> None:
    for coverage in (0.0, 0.3):
        rng = np.random.default_rng(3)
        labels = draw_cells(rng, (80, 100), CellShapes((12, 18), (1, 2), 0.1, 1, coverage, 0.5))
        image = OPTICS[modality](rng, labels, USUAL)
        assert image.shape[:2] == (80, 100)
        assert image.shape[2:] == ((3,) if modality == "brightfield" else ())
        assert image.dtype == np.float32
        assert 0 <= image.min() < image.max() <= 1


def mean_brightness(modality: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    labels = draw_cells(rng, (256, 256), ROUND)
    image = OPTICS[modality](rng, labels, USUAL)
    return image[labels > 0].mean(axis=0), image[labels == 0].mean(axis=0)


def test_fluorescent_cells_glow() -> None:
    cells, ground = mean_brightness("fluorescence")
    assert cells > 2 * ground


def test_stained_nuclei_are_dark_and_the_stroma_is_pink() -> None:
    cells, ground = mean_brightness("brightfield")
    assert (cells < ground).all()
    assert cells[2] > cells[0] > cells[1]
    assert ground[0] > ground[2] > ground[1]


def test_phase_contrast_cells_are_dark_on_gray() -> None:
    cells, ground = mean_brightness("phase-contrast")
    assert cells < ground - 0.05


def test_relief_leaves_the_mean_and_raises_the_spread() -> None:
    rng = np.random.default_rng(4)
    labels = draw_cells(rng, (256, 256), ROUND)
    image = OPTICS["DIC"](rng, labels, USUAL)
    assert image[labels > 0].mean() == pytest.approx(image[labels == 0].mean(), abs=0.05)
    assert image[labels > 0].std() > 1.5 * image[labels == 0].std()
