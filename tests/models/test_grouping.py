"""Groups of images: the rules of the code and of the paper, to their limits."""

import numpy as np
import numpy.typing as npt
import pytest
from skimage.color import rgb2hsv

from cellbench.errors import UsageError
from cellbench.labels import LabelMap
from cellbench.models import grouping
from cellbench.models.grouping import VARIANTS, Variant, grouping_rules

Image = npt.NDArray[np.uint8]


def flat(*rgb: int) -> Image:
    return np.full((200, 200, 3), rgb, np.uint8)


def cell(pixels: int) -> LabelMap:
    labels = np.ones(200 * 200, np.uint16)
    labels[pixels:] = 0
    labels[-3:] = 2
    return labels.reshape(200, 200)


GRAY = flat(90, 90, 90)
DULL = flat(120, 110, 115)  # saturation .08, value .47
AT_THE_LIMIT = flat(100, 90, 95)  # saturation .1 exactly
DULL_AND_BRIGHT = flat(240, 230, 235)  # saturation .04, value .94
DULL_AND_DARK = flat(20, 19, 19)  # saturation .05, value .08
VIVID = flat(120, 40, 60)  # saturation .67, value .47
VIVID_AND_BRIGHT = flat(240, 40, 60)


@pytest.mark.parametrize(
    ("image", "pixels", "code", "paper"),
    [
        (GRAY, 39_000, 0, 0),
        (GRAY * 0, 10, 0, 0),
        (DULL, 39_000, 1, 2),
        (AT_THE_LIMIT, 100, 1, 3),
        (DULL_AND_BRIGHT, 100, 3, 3),
        (DULL_AND_DARK, 100, 3, 3),
        (VIVID, 100, 3, 1),
        (VIVID, 39_000, 2, 1),
        (VIVID_AND_BRIGHT, 8_000, 3, 3),
        (VIVID_AND_BRIGHT, 8_001, 3, 2),
        (VIVID_AND_BRIGHT, 30_000, 3, 2),
        (VIVID_AND_BRIGHT, 30_001, 2, 2),
    ],
)
def test_both_variants(image: Image, pixels: int, code: int, paper: int) -> None:
    expected: dict[Variant, int] = {"code": code, "paper": paper}
    for variant, group in expected.items():
        rules = VARIANTS[variant]
        assert rules.group(image, cell(pixels)) == group
        assert rules.group(image / np.float32(255), cell(pixels)) == group
        assert len(rules.describe()) == 4


def test_no_cell_is_not_a_large_one() -> None:
    assert VARIANTS["paper"].group(VIVID_AND_BRIGHT, np.zeros((200, 200), int)) == 3


def test_ids_may_be_anything() -> None:
    labels = cell(9_000).astype(np.int64) * 10**12
    assert VARIANTS["paper"].group(VIVID_AND_BRIGHT, labels) == 2


def test_colours_are_those_of_scikit_image_whatever_the_bands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (70, 33, 3), dtype=np.uint8)
    image[:5] = 0
    truth = rgb2hsv(image)[..., 1:].mean(axis=(0, 1))
    monkeypatch.setattr(grouping, "_BAND", 100)
    np.testing.assert_allclose(grouping._mean_saturation_and_value(image), truth, rtol=1e-12)
    labels = np.repeat([0, 1, 2, 2, 2, 0, 3], 10)[:, None] * np.ones((1, 33), int)
    assert grouping._largest_cell(labels) == 30 * 33


def test_numbers_can_be_changed() -> None:
    rules = grouping_rules("code", saturation=0.7, value=[0.2, 0.5], largest_cell=None)
    assert (rules.value, rules.largest_cell) == ((0.2, 0.5), 30_000)
    assert rules.group(VIVID, cell(5)) == 1
    assert "saturation <= 0.7, value 0.2 to 0.5" in rules.describe()
    with pytest.raises(UsageError, match="smallest and the largest"):
        grouping_rules("code", value=[0.6, 0.1])
    with pytest.raises(UsageError, match="choose from code, paper"):
        grouping_rules("readme")  # type: ignore[arg-type]
