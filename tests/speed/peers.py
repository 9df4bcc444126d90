"""Timing against peers: interleaved rounds, medians, peak memory of a process of its own."""

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np


def medians(*calls: Callable[[], object], rounds: int = 5) -> list[float]:
    """Time the calls in turn, after one round unmeasured; give each one's median in seconds."""
    times: list[list[float]] = [[] for _ in calls]
    for number in range(rounds + 1):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            if number:
                taken.append(time.perf_counter() - start)
    return [float(np.median(taken)) for taken in times]


def processor_seconds(call: Callable[[], object], rounds: int = 5) -> float:
    """Return the median processor time of the rounds after the first, without other processes."""
    taken = []
    for _ in range(rounds + 1):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return float(np.median(taken[1:]))


def report(what: str, ours: float, peer: str, theirs: float) -> float:
    """Print a comparison, and return how many times faster we are."""
    ratio = theirs / ours
    print(f"\n{what}: {ours * 1e3:.1f} ms, {peer} {theirs * 1e3:.1f} ms, {ratio:.1f} times faster")
    return ratio


# ru_maxrss would begin at the peak of the process that started this one.
_MEASURE = """
import time

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

def measured(call):
    before, start = peak(), time.perf_counter()
    call()
    return time.perf_counter() - start, peak() - before
"""


def in_a_process(code: str) -> list[float]:
    """Run code that may call ``measured``, and give the numbers that it prints.

    ``measured(call)`` gives seconds, and by how many MiB the call raised the process's peak of memory.
    """
    answer = subprocess.run(
        [sys.executable, "-c", _MEASURE + code], capture_output=True, text=True, check=True
    )
    return [float(word) for word in answer.stdout.split()]
