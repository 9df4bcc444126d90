"""Starts one program, waits for it, and reports how it ended. Run as a script, by ``process.py``.

A program inherits the peak memory of the process that starts it, and outlives it when that is killed.
So it is started from here: this script is small, and ends all it started when its input closes.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time


def main(report: int, words: list[str]) -> None:
    """Run the program; write wall_s, cpu_s, peak_memory_mb and exit_code as JSON.

    Args:
        report: file descriptor for the JSON.
        words: the program and its arguments.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    start = time.perf_counter()
    program = subprocess.Popen(words, stdin=subprocess.DEVNULL, close_fds=True)
    _, status, usage = os.wait4(program.pid, 0)
    ended = {
        "wall_s": time.perf_counter() - start,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_memory_mb": usage.ru_maxrss / 1024,
        "exit_code": os.waitstatus_to_exitcode(status),
    }
    os.write(report, json.dumps(ended).encode())


def _end_with_parent() -> None:
    """Kill the whole group when the parent closes our input, be it by dying."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), sys.argv[2:])
    except OSError as error:
        sys.exit(f"cannot be started: {error}")
