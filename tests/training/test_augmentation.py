"""Changes of training patches, each against torchvision's."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torchvision.transforms.v2 import functional

from cellbench.training.augmentation import Augmentation, colour_matrix, moved, tone_table

Bytes = npt.NDArray[np.uint8]

STAINED = np.random.default_rng(0).integers(40, 200, (24, 32, 3), dtype=np.uint8)
GRAY = np.repeat(STAINED[..., :1], 3, axis=2)
IDS = np.arange(24 * 32, dtype=np.int32).reshape(24, 32)


def planes(image: Bytes) -> torch.Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1) / np.float32(255))


@pytest.mark.parametrize(
    ("change", "size"), [("gamma", 0.5), ("gamma", 2.0), ("brightness", 1.3), ("contrast", 0.7)]
)
def test_tones_are_those_of_torchvision(change: str, size: float) -> None:
    expected = getattr(functional, f"adjust_{change}")(planes(STAINED), size)
    table = tone_table(STAINED, **{change: size})
    np.testing.assert_allclose(table[STAINED.transpose(2, 0, 1)] / 255, expected, atol=0.003)


def test_tones_are_changed_one_after_another_within_their_range() -> None:
    brighter = functional.adjust_brightness(functional.adjust_gamma(planes(STAINED), 0.6), 1.3)
    expected = functional.invert(functional.adjust_contrast(brighter, 1.3))
    table = tone_table(STAINED, gamma=0.6, brightness=1.3, contrast=1.3, inverted=True)
    np.testing.assert_allclose(table[STAINED.transpose(2, 0, 1)] / 255, expected, atol=0.003)
    assert table.min() == 0
    assert (np.diff(table.astype(int)) <= 0).all()


@pytest.mark.parametrize(
    ("options", "name", "arguments"),
    [
        ({}, "adjust_hue", (0,)),
        ({"saturation": 0.5}, "adjust_saturation", (0.5,)),
        ({"saturation": 1.2}, "adjust_saturation", (1.2,)),
        ({"hue": 1 / 3}, "adjust_hue", (1 / 3,)),
        ({"order": (2, 0, 1)}, "permute_channels", ([2, 0, 1],)),
        ({"gray": True}, "rgb_to_grayscale", (3,)),
    ],
)
def test_colours_are_those_of_torchvision(
    options: dict[str, object], name: str, arguments: tuple[object, ...]
) -> None:
    image = planes(STAINED) / 2 + 0.25  # nothing leaves [0, 1]
    expected = getattr(functional, name)(image, *arguments)
    changed = np.tensordot(colour_matrix(**options), image.numpy(), 1)  # type: ignore[arg-type]
    np.testing.assert_allclose(changed, expected, atol=2e-4)


def test_small_turns_of_hue_go_the_way_of_torchvision() -> None:
    reds = planes(np.full((1, 1, 3), (180, 60, 60), np.uint8))
    for hue in (-0.1, 0.1):
        expected = functional.adjust_hue(reds, hue).flatten()
        changed = colour_matrix(hue=hue) @ reds.flatten().numpy()
        np.testing.assert_allclose(changed, expected, atol=0.15)
        assert (changed[1] > changed[2]) == (expected[1] > expected[2]) == (hue > 0)


def test_white_stays_white_whatever_the_colours() -> None:
    matrix = colour_matrix(saturation=0.6, hue=0.07, order=(1, 2, 0))
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("strength", [0.0, 1.0, 20.0])
def test_patches_are_plain_arrays_in_range(strength: float) -> None:
    for seed in range(20):
        varied, ids = Augmentation(strength)(STAINED, IDS, np.random.default_rng(seed))
        assert varied.dtype == np.float32
        assert varied.flags.c_contiguous
        assert varied.shape == (3, *ids.shape)
        assert 0 <= varied.min() <= varied.max() <= 1


def test_no_strength_leaves_the_eight_positions_for_image_and_labels() -> None:
    seen = set()
    for seed in range(100):
        varied, ids = Augmentation(0)(STAINED, IDS, np.random.default_rng(seed))
        pixels = STAINED.reshape(-1, 3)[ids]
        np.testing.assert_array_equal(varied, pixels.transpose(2, 0, 1) / np.float32(255))
        seen.add((ids.shape, int(ids[0, 0])))
    assert len(seen) == 8


def test_positions_are_flips_and_turns() -> None:
    square = IDS[:24, :24]
    turns = [np.rot90(each, turn) for each in (square, square[:, ::-1]) for turn in range(4)]
    choices = np.ndindex(2, 2, 2)
    found = [moved(square, *map(bool, choice)).tobytes() for choice in choices]
    assert sorted(found) == sorted(turn.tobytes() for turn in turns)


def test_full_strength_changes_every_patch_and_repeats_with_the_seed() -> None:
    first, second, again = (
        Augmentation(20)(STAINED, IDS, np.random.default_rng(seed))[0] for seed in (1, 2, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape != second.shape or not np.array_equal(first, second)


def test_gray_patches_get_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellbench.training.augmentation._noise_levels", lambda: np.zeros(256))
    for seed in range(60):
        varied, _ = Augmentation(3)(GRAY, IDS, np.random.default_rng(seed))
        np.testing.assert_array_equal(varied[0], varied[1])
        np.testing.assert_array_equal(varied[0], varied[2])


def test_noise_has_the_deviation_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Augmentation, "_happens", lambda _, probability, __: probability == 0.1)
    monkeypatch.setattr("cv2.GaussianBlur", lambda image, *_: image)
    flat = np.full((64, 64, 3), 128, np.uint8)
    varied, _ = Augmentation()(flat, flat[..., 0], np.random.default_rng(0))
    assert varied.mean() == pytest.approx(128 / 255, abs=0.002)
    assert varied.std() == pytest.approx(0.05, abs=0.002)
    assert abs(np.corrcoef(varied[0].ravel(), varied[1].ravel())[0, 1]) < 0.05


def test_changes_are_as_frequent_as_the_strength_says() -> None:
    def share_changed(strength: float, image: Bytes) -> float:
        changed = 0
        for seed in range(400):
            varied, ids = Augmentation(strength)(image, IDS, np.random.default_rng(seed))
            plain = planes(image.reshape(-1, 3)[ids]).numpy()
            changed += not np.array_equal(varied, plain)
        return changed / 400

    assert share_changed(0, STAINED) == 0
    # 1 - .8 × .85 × .95 × .9 × .9 of the gray ones, and three more changes of the stained ones.
    assert share_changed(1, GRAY) == pytest.approx(0.477, abs=0.08)
    assert share_changed(1, STAINED) == pytest.approx(0.774, abs=0.08)
    assert share_changed(0.5, GRAY) < share_changed(1, GRAY)
