"""Each kind of perturbation does what docs/robustness.md says, in numbers."""

import math

import cv2
import numpy as np
import pytest
from skimage.color import rgb_from_hed

from cellbench.data.perturb.blur import disc_kernel, path_kernel
from cellbench.data.perturb.kinds import image_rng, is_for, perturb_pixels
from cellbench.data.perturb.pixels import in_8_bits
from cellbench.data.perturb.severities import GEOMETRIC, KINDS
from cellbench.images import normalise

STEPS = range(1, 6)


def perturbed(pixels: np.ndarray, kind: str, severity: int = 1, seed: int = 0) -> np.ndarray:
    return perturb_pixels(pixels, KINDS[kind], severity, image_rng(seed, kind, "stem"))


def halves(
    low: float = 100, high: float = 200, side: int = 200, dtype: str = "float64"
) -> np.ndarray:
    """Return a dark half and a bright half: the range is exactly from low to high."""
    pixels = np.full((side, side, 1), low, dtype)
    pixels[:, side // 2 :] = high
    return pixels


def noisy_ramp(dtype: str = "uint8", largest: float = 255, channels: int = 1) -> np.ndarray:
    rng = np.random.default_rng(5)
    ramp = np.linspace(0, 0.8, 120)[None, :, None] + rng.uniform(0, 0.2, (90, 120, channels))
    scaled = ramp / ramp.max() * largest
    return (scaled if dtype.startswith("float") else np.rint(scaled)).astype(dtype)


@pytest.mark.parametrize("severity", STEPS)
def test_gaussian_noise_has_its_standard_deviation(severity: int) -> None:
    noise = perturbed(halves(1000, 1100), "gaussian-noise", severity) - halves(1000, 1100)
    expected = 100 * (0.04, 0.08, 0.12, 0.18, 0.26)[severity - 1]
    assert noise.std() == pytest.approx(expected, rel=0.02)
    assert abs(noise.mean()) < 4 * expected / 200
    normal = np.abs(noise) < expected  # 68 % of a normal distribution
    assert normal.mean() == pytest.approx(0.6827, abs=0.01)


@pytest.mark.parametrize("severity", STEPS)
def test_poisson_noise_has_the_variance_of_the_photons(severity: int) -> None:
    pixels = halves(100, 200)
    pixels[:100, 100:] = 150
    noise = perturbed(pixels, "poisson-noise", severity) - pixels
    photons = (60, 30, 15, 8, 4)[severity - 1]
    assert (noise[:, :100] == 0).all()  # no light at the lower end of the range
    for part, light in ((noise[:100, 100:], 0.5), (noise[100:, 100:], 1.0)):
        assert part.var() == pytest.approx(100**2 * light / photons, rel=0.05)
        assert abs(part.mean()) < 4 * 100 * math.sqrt(light / photons) / 100


# 8 bits lose more of a low contrast; a photon more or less differs where rounding decides about it.
@pytest.mark.parametrize("kind", sorted({*KINDS} - {"contrast", "jpeg", "poisson-noise"}))
def test_a_severity_means_the_same_for_8_bits_16_bits_and_floats(kind: str) -> None:
    """The images that models see are equal but for the rounding of 8 bits."""
    gray = kind not in ("channel-swap", "stain-shift")
    exact = np.clip(noisy_ramp("float64", 1, 1 if gray else 3) * 0.6 + 0.2, 0, 1)
    exact[0, 0], exact[0, 1] = 0, 1  # all have the same black and white
    stored = [
        np.rint(exact * 255).astype(np.uint8),
        np.rint(exact * 65535).astype(np.uint16),
        exact.astype(np.float32),
    ]
    severity = min(2, len(KINDS[kind].strengths))
    seen = [normalise(perturbed(each, kind, severity)).astype(int) for each in stored]
    for other in seen[1:]:
        assert np.percentile(np.abs(other - seen[0]), 97) <= 4


def test_poisson_noise_is_equal_in_8_and_16_bits() -> None:
    pixels = halves(50, 150, dtype="uint8")
    first = perturbed(pixels, "poisson-noise", 1).astype(float) - pixels
    deep = (
        perturbed(pixels.astype(np.uint16) * 100, "poisson-noise", 1).astype(float) / 100 - pixels
    )
    assert first[:, 100:].std() == pytest.approx(deep[:, 100:].std(), rel=0.02)


@pytest.mark.parametrize("radius", KINDS["defocus"].strengths)
def test_the_disc_has_the_width_and_the_sum_of_a_disc(radius: float) -> None:
    kernel = disc_kernel(radius)
    assert kernel.sum() == pytest.approx(1)
    places = np.arange(len(kernel)) - len(kernel) // 2
    variance = (kernel * places[:, None] ** 2).sum()
    # That of a disc, r²/4, and that of a pixel, whose light is all counted at its middle.
    assert variance == pytest.approx(radius**2 / 4 + 1 / 12, abs=0.08)
    np.testing.assert_allclose(kernel, kernel.T)


def test_defocus_spreads_a_point_and_keeps_its_light() -> None:
    pixels = np.zeros((41, 41, 2), np.float64)
    pixels[20, 20] = 1000, 500
    blurred = perturbed(pixels, "defocus", 4)
    expected = np.zeros((41, 41))
    expected[16:25, 16:25] = disc_kernel(4) * 1000
    np.testing.assert_allclose(blurred[..., 0], expected, atol=1e-9)
    assert blurred[..., 1].sum() == pytest.approx(500)


@pytest.mark.parametrize("length", KINDS["motion-blur"].strengths)
@pytest.mark.parametrize("angle", [0, 0.4, math.pi / 4, math.pi / 2, 2.5])
def test_the_path_has_its_length_and_direction(length: float, angle: float) -> None:
    kernel = path_kernel(length, angle)
    assert kernel.sum() == pytest.approx(1)
    rows, columns = np.indices(kernel.shape) - len(kernel) // 2
    along = rows * math.sin(angle) + columns * math.cos(angle)
    across = columns * math.sin(angle) - rows * math.cos(angle)
    assert (kernel * along).sum() == pytest.approx(0, abs=1e-9)
    # An even distribution over the length; sharing between pixels adds less than 1/4.
    assert length**2 / 12 - 0.05 < (kernel * along**2).sum() < length**2 / 12 + 0.3
    assert (kernel * across**2).sum() < 0.3
    values, vectors = np.linalg.eigh(
        [[(kernel * a * b).sum() for a in (rows, columns)] for b in (rows, columns)]
    )
    direction = vectors[:, np.argmax(values)]
    assert abs(direction @ (math.sin(angle), math.cos(angle))) > 0.995


def test_all_channels_move_in_one_direction_that_the_seed_draws() -> None:
    pixels = np.zeros((61, 61, 3))
    pixels[30, 30] = 900, 600, 300
    first = perturbed(pixels, "motion-blur", 5)
    np.testing.assert_allclose(first[..., 0], 3 * first[..., 2], atol=1e-9)
    assert not np.allclose(first, perturbed(pixels, "motion-blur", 5, seed=1))


@pytest.mark.parametrize("severity", STEPS)
def test_contrast_shrinks_towards_the_mean(severity: int) -> None:
    changed = perturbed(halves(), "contrast", severity)
    factor = (0.7, 0.5, 0.3, 0.15, 0.07)[severity - 1]
    assert changed.mean() == pytest.approx(150)
    assert changed.std() == pytest.approx(50 * factor)


def test_gamma_keeps_the_ends_of_the_range() -> None:
    pixels = np.linspace(0, 100, 101).repeat(101).reshape(101, 101, 1)
    changed = perturbed(pixels, "gamma", 3)
    inside = (pixels >= 1) & (pixels <= 99)
    expected = 1 + 98 * ((pixels - 1) / 98) ** 2
    np.testing.assert_allclose(changed[inside], expected[inside], atol=1e-9)
    np.testing.assert_array_equal(changed[~inside], pixels[~inside])


@pytest.mark.parametrize("severity", STEPS)
def test_the_light_falls_from_one_place_to_the_farthest_corner(severity: int) -> None:
    pixels = np.full((80, 120, 1), 500.0)
    pixels[0, 0] = 0  # the lower level; it keeps its value
    pixels[::7, ::7] = 0
    share = perturbed(pixels, "uneven-light", severity)[..., 0] / 500
    lit = pixels[..., 0] > 0
    lost = (0.2, 0.35, 0.5, 0.65, 0.8)[severity - 1]
    assert share[lit].max() == pytest.approx(1, abs=0.01)
    assert share[lit].min() == pytest.approx(1 - lost, abs=0.02)
    rows, columns = np.nonzero(lit)
    powers = np.stack([rows**2 + columns**2, rows, columns, np.ones(len(rows))], axis=1)
    _, residuals, _, _ = np.linalg.lstsq(powers.astype(float), share[lit], rcond=None)
    assert residuals[0] < 1e-9  # a paraboloid


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "bool"])
def test_inversion_twice_is_the_image(dtype: str) -> None:
    pixels = noisy_ramp(dtype, 1 if dtype == "bool" else 120, 3)
    once = perturbed(pixels, "inversion")
    pixels = in_8_bits(pixels)
    assert (once.min(), once.max()) == (pixels.min(), pixels.max())
    assert np.corrcoef(once.ravel().astype(float), pixels.ravel())[0, 1] < -0.9
    np.testing.assert_array_equal(perturbed(once, "inversion"), pixels)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("severity", STEPS)
def test_jpeg_has_its_quality(severity: int, channels: int) -> None:
    pixels = noisy_ramp(channels=channels)
    quality = (50, 30, 20, 12, 7)[severity - 1]
    encoded = cv2.imencode(".jpg", pixels[..., ::-1].copy(), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    expected = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED).reshape(pixels.shape)[..., ::-1]
    np.testing.assert_array_equal(perturbed(pixels, "jpeg", severity), expected)
    # 16 bits that hold 257 times the same values are compressed alike.
    deep = pixels.astype(np.uint16) * 257
    deep[0, 0], deep[0, 1] = 0, 65535
    pixels[0, 0], pixels[0, 1] = 0, 255
    found = perturbed(deep, "jpeg", severity) / 257
    np.testing.assert_allclose(found, perturbed(pixels, "jpeg", severity), atol=1e-9)


def test_low_resolution_keeps_means_and_loses_details() -> None:
    stripes = np.tile(np.array([0.0, 100.0]), 60)[None, :, None].repeat(60, axis=0)
    changed = perturbed(stripes, "low-resolution", 2)
    np.testing.assert_allclose(changed, 50)
    assert perturbed(halves(), "low-resolution", 5).mean() == pytest.approx(150, abs=1)


@pytest.mark.parametrize("severity", STEPS)
def test_the_share_of_saturated_pixels(severity: int) -> None:
    pixels = np.random.default_rng(0).permutation(30000).reshape(100, 100, 3).astype(float)
    changed = perturbed(pixels, "saturation", severity)
    share = (0.02, 0.05, 0.1, 0.2, 0.3)[severity - 1]
    for index in range(3):
        plane = changed[..., index]
        assert (plane == plane.max()).mean() == pytest.approx(share, abs=1e-3)
    below = changed < changed.max(axis=(0, 1))
    np.testing.assert_array_equal(changed[below], pixels[below])


def test_swapped_channels_are_the_same_channels_in_another_order() -> None:
    pixels = noisy_ramp(channels=5)
    pixels += np.arange(5, dtype=np.uint8)
    changed = perturbed(pixels, "channel-swap")
    order = [
        next(j for j in range(5) if np.array_equal(changed[..., i], pixels[..., j]))
        for i in range(5)
    ]
    assert sorted(order) == list(range(5))
    assert order != list(range(5))


@pytest.mark.parametrize("severity", STEPS)
def test_stains_grow_and_fall_by_the_strength(severity: int) -> None:
    amounts = np.array([[0.9, 0.1, 0.0], [0.1, 0.7, 0.0], [0.3, 0.3, 0.2], [0, 0, 0]])
    pixels = np.exp(-amounts @ rgb_from_hed)[:, None, :]
    pixels = np.vstack([pixels, np.zeros((1, 1, 3))])  # black, so that white is 1
    changed = perturbed(pixels, "stain-shift", severity)[:4, 0]
    found = -np.log(changed) @ np.linalg.inv(rgb_from_hed)
    strength = (0.1, 0.2, 0.3, 0.45, 0.6)[severity - 1]
    factors = found[2] / amounts[2]
    np.testing.assert_allclose(np.abs(factors - 1), strength, rtol=1e-6)
    np.testing.assert_allclose(found, amounts * factors, atol=1e-9)


def test_which_images_a_kind_is_for() -> None:
    colour, gray = noisy_ramp(channels=3), noisy_ramp().repeat(3, axis=2)
    bright = 255 - colour // 3
    for kind in set(KINDS) - {"channel-swap", "stain-shift"}:
        assert is_for(kind, gray, None, "")
    assert is_for("channel-swap", colour, None, "fluorescence")
    assert not is_for("channel-swap", gray, None, "fluorescence")
    assert not is_for("channel-swap", noisy_ramp(channels=2), 1, "")  # the second is alpha
    assert is_for("stain-shift", colour, None, "brightfield")
    assert not is_for("stain-shift", colour, None, "fluorescence")
    assert is_for("stain-shift", bright, None, "")
    assert not is_for("stain-shift", colour // 4, None, "")
    assert not is_for("stain-shift", noisy_ramp(channels=4), None, "brightfield")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "uint16", "int16", "uint32", "float32", "float64"]
)
def test_type_alpha_and_size_stay(kind: str, dtype: str) -> None:
    pixels = noisy_ramp(dtype, 1 if dtype == "bool" else 120, 4)
    pixels[..., 3] = 1
    rng = image_rng(0, kind, "a")
    changed = perturb_pixels(pixels, KINDS[kind], 1, rng, alpha=3)
    pixels = in_8_bits(pixels)  # black and white would have no room for a perturbation
    assert changed.dtype == pixels.dtype
    np.testing.assert_allclose(changed[..., 3].astype(float), 255 if dtype == "bool" else 1)
    assert changed.min() >= 0
    if kind not in GEOMETRIC:
        assert changed.shape == pixels.shape
        two_values = dtype == "bool" and kind in ("gamma", "saturation")  # nothing between the ends
        assert np.array_equal(changed, pixels) == two_values


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"channel-swap", "stain-shift"}))
@pytest.mark.parametrize("value", [0, 7])
def test_images_of_one_value_and_of_one_pixel(kind: str, value: int) -> None:
    for shape in ((1, 1, 1), (30, 1, 3), (20, 30, 1)):
        changed = perturbed(np.full(shape, value, np.uint8), kind)
        assert changed.dtype == np.uint8
        np.testing.assert_allclose(changed, value, atol=2)


def test_gray_stays_gray_and_values_that_are_not_finite_count_as_black() -> None:
    gray = noisy_ramp().repeat(3, axis=2)
    noisy = perturbed(gray, "gaussian-noise", 3)
    assert (noisy == noisy[..., :1]).all()
    floats = noisy_ramp("float32", 1)
    floats[0, 0], floats[0, 1] = np.nan, np.inf
    assert np.isfinite(perturbed(floats, "defocus", 3)).all()


def test_random_numbers_depend_on_seed_kind_and_stem_alone() -> None:
    def first(*words: object) -> float:
        return float(image_rng(*words).random())  # type: ignore[arg-type]

    base = first(0, "jpeg", "a")
    assert base == first(0, "jpeg", "a")
    assert base not in (first(1, "jpeg", "a"), first(0, "gamma", "a"), first(0, "jpeg", "b"))
