"""Memory of processes on NVIDIA graphics cards, as the driver's own library (NVML) reports it.

Runs without other packages, because the supervisor of a program imports it.
"""

import ctypes
from collections.abc import Collection

_LIBRARY = "libnvidia-ml.so.1"
_MOST_PROCESSES = 256
_SUCCESS = 0
_UNKNOWN = 2**64 - 1  # where the driver cannot tell, as inside some virtual machines


class _Process(ctypes.Structure):
    """nvmlProcessInfo_t of the third version of the call."""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("used", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


class GraphicsMemory:
    """Asks the driver how much memory processes use on all graphics cards.

    Attributes:
        known: whether the driver is installed and answers.
    """

    def __init__(self) -> None:
        self._cards: list[ctypes.c_void_p] = []
        self.known = False
        try:
            self._library = ctypes.CDLL(_LIBRARY)
            self._find_cards()
        except (OSError, AttributeError):  # no driver, or one before 2021
            self._cards = []

    def _find_cards(self) -> None:
        count = ctypes.c_uint()
        if self._library.nvmlInit_v2() != _SUCCESS:
            return
        self._library.nvmlDeviceGetCount_v2(ctypes.byref(count))
        for index in range(count.value):
            card = ctypes.c_void_p()
            if self._library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(card)) == _SUCCESS:
                self._cards.append(card)
        self._running = self._library.nvmlDeviceGetComputeRunningProcesses_v3
        self.known = bool(self._cards)

    def used_by(self, processes: Collection[int]) -> int:
        """Return the memory that processes use together on all cards, in bytes.

        Args:
            processes: process ids.
        """
        used = 0
        for card in self._cards:
            count = ctypes.c_uint(_MOST_PROCESSES)
            found = (_Process * _MOST_PROCESSES)()
            if self._running(card, ctypes.byref(count), found) == _SUCCESS:
                used += sum(
                    each.used
                    for each in found[: count.value]
                    if each.pid in processes and each.used != _UNKNOWN
                )
        return used
