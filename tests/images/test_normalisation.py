"""The official script's steps are the oracle of the normalisation, on random and on real images."""

import warnings
from pathlib import Path
from typing import Literal

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import Array, official, picture
from skimage.io import imread

from cellbench.images import image_shape, normalise, read_raw

OPEN_CELLS = Path(__file__).parents[2] / "shared" / "data" / "open-cells"


SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int8", "int16", "int32", "uint32"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_integers_give_the_official_bytes(dtype: str, data: st.DataObject) -> None:
    channel = data.draw(arrays.arrays(dtype, SHAPES))
    np.testing.assert_array_equal(normalise(channel), official(channel))


@pytest.mark.parametrize(("dtype", "width"), [("float16", 16), ("float32", 32), ("float64", 64)])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_floats_give_the_official_bytes(
    dtype: str, width: Literal[16, 32, 64], data: st.DataObject
) -> None:
    # From 8 on, a spread is never between the official 0.001 and our relative threshold.
    values = st.floats(8, 16384, width=width) | st.just(0.0)
    channel = data.draw(arrays.arrays(dtype, SHAPES, elements=values))
    np.testing.assert_array_equal(normalise(channel), official(channel))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (640, 900), (90, 80, 3), (9, 8, 5)])
def test_large_and_odd_shapes_give_the_official_bytes(dtype: str, shape: tuple[int, ...]) -> None:
    array = (np.random.default_rng(1).gamma(2, 30, shape).clip(0, 255) - 20).clip(0).astype(dtype)
    np.testing.assert_array_equal(normalise(array), official(array))
    np.testing.assert_array_equal(normalise(array[::-1, ::2]), official(array[::-1, ::2]))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        pytest.param(np.zeros((2, 2), np.uint8), 0, id="all zero"),
        pytest.param(np.zeros((2, 2), np.float64), 0, id="all zero float"),
        pytest.param(np.full((2, 2), 7, np.uint8), 7, id="constant is left"),
        pytest.param(np.full((2, 2), 300, np.uint16), 255, id="constant is clipped, not wrapped"),
        pytest.param(np.full((2, 2), -5, np.int32), 0, id="negative constant is clipped"),
        pytest.param(np.full((2, 2), 1e30, np.float32), 255, id="large float is clipped"),
        pytest.param(np.full((2, 2), np.nan), 0, id="NaN is 0"),
        pytest.param(np.full((2, 2), -np.inf, np.float32), 0, id="infinity is 0"),
        pytest.param(np.ones((2, 2), bool), 1, id="True is 1"),
        pytest.param(np.zeros((2, 2), bool), 0, id="False is 0"),
    ],
)
def test_flat_channels(array: Array, expected: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(normalise(array), np.full((2, 2, 3), expected, np.uint8))


@pytest.mark.parametrize("scale", [1e-30, 1e-5, 1.0, 1e30, 1e300])
def test_float_scale_does_not_matter(scale: float) -> None:
    array = np.linspace(1, 100, 400).reshape(20, 20)
    assert np.ptp(normalise(array * scale).astype(int) - normalise(array)) <= 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_spread_beyond_the_float_type(dtype: type[np.floating]) -> None:
    array = np.array([[-1, 1, 0.5, 0.25, 0]], dtype) * np.finfo(dtype).max
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = normalise(array)
    np.testing.assert_array_equal(result, official(array / 4))


def test_not_finite_pixels_do_not_move_the_others() -> None:
    array = picture("float32") + 1
    array[3, 4:7] = np.nan, np.inf, -np.inf
    expected = np.where(np.isfinite(array), array, 0)
    np.testing.assert_array_equal(normalise(array), official(expected))


def real_images() -> list[Path]:
    """List about forty images, spread over folders and kinds."""
    kinds: dict[tuple[str, str, str], list[Path]] = {}
    for path in sorted(OPEN_CELLS.glob("*/images/*")):
        key = (path.parts[-3], path.stem.rstrip("0123456789"), path.suffix)
        kinds.setdefault(key, []).append(path)
    share = max(1, 40 // max(1, len(kinds)))
    return [path for found in kinds.values() for path in found[:: len(found) // share + 1]]


@pytest.mark.skipif(
    not OPEN_CELLS.is_dir(), reason="needs the open-cells images beside the project"
)
def test_real_images_give_the_official_bytes() -> None:
    for path in real_images():
        array = tifffile.imread(path) if path.suffix in (".tif", ".tiff") else imread(path)
        assert image_shape(path) == array.shape[:2]
        np.testing.assert_array_equal(normalise(read_raw(path)), official(array), err_msg=str(path))
