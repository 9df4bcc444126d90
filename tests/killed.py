"""Processes that are killed at some moment."""

import subprocess
import sys
import time
from pathlib import Path


def run_and_kill(code: str, *arguments: Path, after_s: float) -> None:
    """Run code in a process of its own, and kill it.

    Args:
        code: the code; it prints a line when it begins with what may be interrupted.
        arguments: what it finds in ``sys.argv[1:]``.
        after_s: time between that line and the kill, in seconds.
    """
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after_s)
        process.kill()
