"""Start one program, wait for it, and report how it ended. ``process.py`` runs this file as a script.

A program inherits the peak memory of the process that starts it, and keeps running when that process
is killed. So this small script starts it, and stops it when the script's own input closes.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time


def main(report: int, words: list[str]) -> None:
    """Run a program and write wall_s, cpu_s, peak_memory_mb and exit_code as JSON.

    Args:
        report: file descriptor to write the JSON to.
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
    """Kill this process group when the parent closes our input, also by being killed itself."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), sys.argv[2:])
    except OSError as error:
        sys.exit(f"cannot be started: {error}")
