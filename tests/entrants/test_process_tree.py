"""What the kernel counts for the threads of a program."""

import os
import subprocess
import sys
import time

import pytest

from cellbench.entrants.process_tree import (
    busiest_since,
    descendants,
    processor_seconds,
    thread_seconds,
)


def test_the_thread_that_ran_longest_is_taken() -> None:
    """Neither the one that waited longest, nor the one that ran longest before."""
    before = {"1": (50.0, 3.0), "2": (1.0, 1.0)}
    now = {"1": (50.5, 9.0), "2": (3.0, 1.25), "3": (0.75, 20.0)}
    assert busiest_since(before, now) == (2.0, 0.25)
    assert busiest_since({}, now) == (50.5, 9.0)
    assert busiest_since(before, {}) == (0.0, 0.0)


def test_the_kernel_counts_the_time_of_threads() -> None:
    before = thread_seconds([os.getpid()])
    if not before:
        pytest.skip("this kernel does not count how long threads wait")
    begun, busy_until = time.perf_counter(), time.thread_time() + 0.2
    while time.thread_time() < busy_until:
        pass
    ran, waited = busiest_since(before, thread_seconds([os.getpid()]))
    wall = time.perf_counter() - begun
    assert 0.19 < ran <= wall + 0.01
    assert 0 <= waited <= wall - 0.19


def test_a_thread_of_low_priority_does_not_wait_for_others() -> None:
    """Otherwise a thread that only spins beside the work would be subtracted from the time."""
    spin = "import os; os.nice(1); print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE) as spinner:
        assert spinner.stdout is not None
        spinner.stdout.readline()
        time.sleep(0.1)
        seconds = thread_seconds([spinner.pid])
        spinner.kill()
    assert [waited for _, waited in seconds.values()] in ([0.0], [])


def test_processes_that_nobody_waits_for_are_counted() -> None:
    spin = "import time\nwhile time.process_time() < 0.1: pass"
    child = subprocess.Popen([sys.executable, "-c", spin])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.pid not in descendants(os.getpid())
    ended = descendants(os.getpid(), with_ended=True)
    assert processor_seconds([pid for pid in ended if pid == child.pid]) >= 0.09
    child.wait()
