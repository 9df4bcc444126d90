"""The choice between the counters: by the amount of work, and safe from several threads."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import numpy as np
import pytest

from cellbench.evaluation import counting
from cellbench.evaluation.compiled import CompiledCounter
from cellbench.evaluation.counting import pair_counter
from cellbench.evaluation.pairs import BandType, NumpyCounter

DTYPE: BandType = np.dtype(np.uint16)


@pytest.fixture(autouse=True)
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_loading", {})


def test_small_work_is_not_worth_loading() -> None:
    assert isinstance(pair_counter(1000, DTYPE, images=10), NumpyCounter)
    assert counting._loading == {}


def test_large_work_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_LONGEST_WAIT_SECONDS", 60)
    assert isinstance(pair_counter(10**8, DTYPE, images=1), CompiledCounter)


class SlowDict(dict[BandType, Thread]):
    """Lets other threads run before a value is stored."""

    def __setitem__(self, key: BandType, value: Thread) -> None:
        time.sleep(0.01)
        super().__setitem__(key, value)


def test_threads_load_each_type_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[BandType] = []
    monkeypatch.setattr(counting, "_loading", SlowDict())
    monkeypatch.setattr(counting, "_load_compiled_counter", loaded.append)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: pair_counter(10**8, DTYPE), range(8)))
    assert loaded == [DTYPE]
