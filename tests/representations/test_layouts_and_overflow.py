"""Arrays in any layout are decoded without compiling again, and huge numbers without warnings."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from numba.core.registry import CPUDispatcher

from cellbench.labels import LabelMap
from cellbench.representations import REPRESENTATIONS, Contour

LAYOUTS: dict[str, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    "columns first": np.asfortranarray,
    "read-only": lambda array: np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape),
    "every second": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
}


@pytest.fixture
def three_cells() -> LabelMap:
    """Two cells that touch and one beside them."""
    labels = np.zeros((60, 80), np.int32)
    labels[5:20, 8:30], labels[5:20, 30:50], labels[30:55, 20:60] = 1, 2, 3
    return labels


def signatures() -> dict[tuple[str, str], int]:
    """Return how many versions of each function are compiled, by its module and name."""
    modules = [module for name, module in sys.modules.items() if name.startswith("cellbench.")]
    return {
        (module.__name__, name): len(value.signatures)
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, CPUDispatcher)
    }


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", sorted(REPRESENTATIONS))
def test_no_layout_is_compiled_again(name: str, layout: str, three_cells: LabelMap) -> None:
    representation, laid = REPRESENTATIONS[name](), LAYOUTS[layout]
    encoded = representation.encode(three_cells)
    representation.targets(three_cells)
    maps = {each: np.ascontiguousarray(values, np.float32) for each, values in encoded.items()}
    decoded = representation.decode(maps)
    foreground = representation.foreground(maps)
    compiled = signatures()

    representation.targets(laid(three_cells))
    for each, values in representation.encode(laid(three_cells)).items():
        np.testing.assert_array_equal(values, encoded[each])
    odd = {each: laid(values) for each, values in maps.items()}
    np.testing.assert_array_equal(representation.decode(odd), decoded)
    np.testing.assert_array_equal(representation.foreground(odd), foreground)
    assert signatures() == compiled


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("huge", [1e30, -1e30, 3e38, -3e38])
@pytest.mark.parametrize("name", sorted(REPRESENTATIONS))
def test_huge_numbers_cause_no_warning(name: str, huge: float, three_cells: LabelMap) -> None:
    representation = REPRESENTATIONS[name]()
    encoded = representation.encode(three_cells)
    for where in (np.s_[:, 10, 15], np.s_[:]):
        for changed in ([each] for each in encoded), [list(encoded)]:
            for names in changed:
                maps = {each: np.array(values, np.float32) for each, values in encoded.items()}
                for each in names:
                    maps[each][where] = huge
                assert representation.decode(maps).shape == three_cells.shape
                assert np.isfinite(representation.foreground(maps)).all()


@pytest.mark.parametrize("huge", [1e30, -1e30, 3e38, -3e38])
@pytest.mark.parametrize("names", [["fourier"], ["offset"], ["uncertainty"], [*Contour().channels]])
def test_a_pixel_with_huge_numbers_is_no_outline(
    names: list[str], huge: float, three_cells: LabelMap
) -> None:
    maps = Contour().encode(three_cells)
    alone = Contour().decode(maps)
    for each in names:
        maps[each][:, 10, 15] = huge
    np.testing.assert_array_equal(Contour().decode(maps), alone)
