"""What the kernel counts for the threads of a program."""

import os
import time

import pytest

from cellbench.entrants.process_tree import busiest_since, thread_seconds


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
