"""Freed memory is used again."""

import platform
import subprocess
import sys

import pytest

COUNT = """
from resource import RUSAGE_SELF, getrusage

def faults():
    before = getrusage(RUSAGE_SELF).ru_minflt
    bytearray(2**26)
    return getrusage(RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
"""
KEEP = "from cellbench.training.memory import keep_freed_memory\nkeep_freed_memory()\n"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has this setting")
def test_freed_memory_is_not_mapped_again() -> None:
    kept, returned = (
        int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for code in (KEEP + COUNT, COUNT)
    )
    assert kept < returned / 10
