"""Windows of images: their size, and how image and labels are resized and padded."""

import numpy as np
import pytest
from label_maps import discs

from cellbench.training.windows import cut_window, draw_side


def sides(
    shape: tuple[int, int], crop_size: int, smallest: float | None, largest: float
) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.array([draw_side(shape, crop_size, smallest, largest, rng) for _ in range(2000)])


@pytest.mark.parametrize(
    ("shape", "smallest", "largest", "expected"),
    [
        ((1000, 1000), None, 2.0, (64, 256)),
        ((200, 150), None, 2.0, (64, 150)),  # not larger than the image
        ((50, 90), None, 2.0, (64, 64)),  # enlarged as much as allowed, the rest is padding
        ((1000, 1000), 0.25, 2.0, (64, 512)),
        ((200, 150), 0.25, 2.0, (64, 512)),
        ((200, 150), 1.0, 2.0, (64, 128)),
        ((1000, 1000), 0.5, 1.0, (128, 256)),
    ],
)
def test_windows_have_the_sides_that_the_zooms_ask_for(
    shape: tuple[int, int],
    smallest: float | None,
    largest: float,
    expected: tuple[int, int],
) -> None:
    drawn = sides(shape, 128, smallest, largest)
    assert expected[0] <= drawn.min() <= expected[0] * 1.01
    assert expected[1] * 0.99 <= drawn.max() <= expected[1]
    assert np.median(drawn) == pytest.approx(np.sqrt(expected[0] * expected[1]), rel=0.06)


def test_a_shrunk_image_is_padded_on_the_right_and_below() -> None:
    image = np.full((256, 200, 3), 80, np.uint8)
    labels = np.ones((256, 200), np.uint16)
    pixels, cells = cut_window(image, labels, (128, 512), (128, 128), np.random.default_rng(0))
    assert cells.dtype == np.int32
    assert (cells[:64, :50] == 1).all()
    assert (pixels[:64, :50] == 80).all()
    assert not cells[64:].any()
    assert not pixels[:, 50:].any()
    tiny, _ = cut_window(image, labels, (128, 10**6), (128, 128), np.random.default_rng(0))
    assert np.count_nonzero(tiny[..., 0]) == 1


@pytest.mark.parametrize("side", [32, 50, 64, 100, 160, 256, 400])
@pytest.mark.parametrize("shape", [(64, 64), (17, 40), (1, 64)])
def test_image_and_labels_stay_in_register_at_every_zoom(side: int, shape: tuple[int, int]) -> None:
    labels = discs(shape=(160, 220), radius=14, spacing=36, seed=5)
    image = np.repeat(255 * (labels > 0).astype(np.uint8)[..., None], 3, axis=2)
    agreement = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        pixels, cells = cut_window(image, labels, (64, side), shape, rng)
        assert pixels.shape == (*shape, 3)
        assert cells.shape == shape
        assert set(np.unique(cells)) <= set(np.unique(labels))
        agreement.append(((pixels[..., 0] > 127) == (cells > 0)).mean())
    assert np.mean(agreement) > 0.97


@pytest.mark.parametrize("side", [40, 100, 230, 256, 300, 500])
def test_no_zoom_moves_labels_against_the_image(side: int) -> None:
    labels = discs(shape=(300, 300), radius=30, spacing=90, seed=1)
    image = np.repeat(255 * (labels > 0).astype(np.uint8)[..., None], 3, axis=2)
    rng = np.random.default_rng(1)
    shifts = []
    for _ in range(20):
        pixels, cells = cut_window(image, labels, (64, side), (64, 64), rng)
        if cells.any():
            centre = np.argwhere(cells).mean(axis=0)
            seen = np.average(np.indices((64, 64)), axis=(1, 2), weights=pixels[..., 0])
            shifts.append(seen - centre)
    assert len(shifts) >= 15
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.1
    assert np.abs(shifts).max() < 0.5
