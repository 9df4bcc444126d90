"""How this process gets memory from the system."""

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # numbers of glibc's malloc.h


def keep_freed_memory() -> None:
    """Use freed memory again, in huge pages, instead of giving it back to the system.

    A training step frees as many tensors as it makes. By default each large one is mapped anew and
    cleared page by page, which takes a seventh to a fifth of a ConvNeXt's step on a processor. Where the
    C library is not glibc nothing changes.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch reads it at its first large tensor
    tune = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if tune is not None:
        tune(_MMAP_MAX, 0)
        tune(_TRIM_THRESHOLD, -1)
