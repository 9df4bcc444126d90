"""Machine code for the few loops that NumPy cannot do: made when first called, and kept on disk."""

from typing import Any

from numba import njit


def compiled(function: Any) -> Any:  # noqa: ANN401  (numba's functions have no type)
    """Compile a function when it is first called, for each types of its arguments.

    It runs without the interpreter's lock, on one thread, and divides as NumPy does: Python's check for
    division by zero would keep loops from being vectorised. Where nothing can be written, neither beside
    the package nor in the user's home, each process compiles anew.
    """
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        return njit(nogil=True, error_model="numpy")(function)
