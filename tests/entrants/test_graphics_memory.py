"""Memory on graphics cards, with a library that answers as NVML does."""

import ctypes
from typing import Any

import pytest

from cellbench.entrants.graphics_memory import GraphicsMemory, _Process


class Driver:
    """Two cards; process 7 uses 100 and 20 bytes on them, process 8 uses 3, that of 9 is not known."""

    def nvmlInit_v2(self) -> int:  # noqa: N802  (NVML's names)
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802, ANN401
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: int, card: Any) -> int:  # noqa: N802, ANN401
        card._obj.value = index + 1
        return 0

    def nvmlDeviceGetComputeRunningProcesses_v3(  # noqa: N802
        self,
        card: ctypes.c_void_p,
        count: Any,  # noqa: ANN401
        found: Any,  # noqa: ANN401
    ) -> int:
        running = [(7, 100), (8, 3), (9, 2**64 - 1)] if card.value == 1 else [(7, 20)]
        for place, (pid, used) in enumerate(running):
            found[place] = _Process(pid, used, 0, 0)
        count._obj.value = len(running)
        return 0


def test_the_memory_of_all_cards_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: Driver())
    memory = GraphicsMemory()
    assert memory.known
    assert memory.used_by({7: 0}) == 120
    assert memory.used_by([8, 9]) == 3
    assert memory.used_by([]) == 0


def test_without_a_driver_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("ctypes.CDLL", absent)
    memory = GraphicsMemory()
    assert not memory.known
    assert memory.used_by([1]) == 0
