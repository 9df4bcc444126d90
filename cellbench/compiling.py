"""Machine code for the few loops that NumPy cannot run: compiled on the first call, and cached on disk."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit


def compiled(function: Any) -> Any:  # noqa: ANN401  (numba's functions have no type)
    """Return a function that is compiled when it is first called with arguments of new types.

    It runs on one thread without the interpreter's lock, and divides as NumPy does: Python's check for
    division by zero would prevent vectorised loops. If the cache can be written neither beside the package
    nor in the user's home, each process compiles the function again.

    Args:
        function: a function that Numba can compile.
    """
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        return njit(nogil=True, error_model="numpy")(function)


def in_one_layout(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array in the layout for which functions are compiled: row after row, and read-only.

    Numba compiles a function again, which takes seconds, for arrays whose columns come first, for every
    nth row, and for read-only arrays, as those from files are.

    Args:
        array: any array.

    Returns:
        A view, or a copy if the numbers are not stored row after row.

    Examples:
        >>> in_one_layout(np.zeros((2, 3)).T).flags.c_contiguous
        True
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
