"""Which counter counts the pairs of ids: the one in NumPy, or the compiled one where it pays."""

from threading import Lock, Thread

import numpy as np

from cellbench.evaluation.pairs import BandType, NumpyCounter, PairCounter, Window

MANY_IMAGES = 1000
"""Number of images of one size that is assumed where the caller does not know it."""

_COMPILED_FROM_PIXELS = 100_000_000
_LONGEST_WAIT_SECONDS = 0.9

_lock = Lock()
_loading: dict[BandType, Thread] = {}


def pair_counter(pixels: int, dtype: BandType, images: int = MANY_IMAGES) -> PairCounter:
    """Return the counter that is faster for this amount of work.

    The compiled counter is several times faster, but takes half a second to load.

    Args:
        pixels: pixels of one image.
        dtype: type of its bands, uint16 or uint32.
        images: number of such images that will be counted, approximately.

    Returns:
        A new counter.
    """
    if pixels * images >= _COMPILED_FROM_PIXELS and _compiled_counter_is_ready(dtype):
        from cellbench.evaluation.compiled import CompiledCounter

        return CompiledCounter()
    return NumpyCounter()


def _compiled_counter_is_ready(dtype: BandType) -> bool:
    """Start to load the compiled counter for a type on the first call; wait a second at most."""
    with _lock:
        thread = _loading.get(dtype)
        is_first_call = thread is None
        if thread is None:
            thread = _loading[dtype] = Thread(target=_load_compiled_counter, args=(dtype,))
            thread.start()
    if is_first_call:
        thread.join(_LONGEST_WAIT_SECONDS)
    return not thread.is_alive()


def _load_compiled_counter(dtype: BandType) -> None:
    """Load the machine code for a type from the cache, or compile it."""
    from cellbench.evaluation.compiled import CompiledCounter

    row = np.zeros((1, 1), dtype)
    CompiledCounter().add(row, row, Window(0, 1, 0, 1, 0, 1))
