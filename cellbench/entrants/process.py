"""One program, run to its end and measured."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launcher.py")
_MESSAGE_BYTES = 2000
NOT_STARTED = 127
"""Exit code of a program that could not be started, as a shell gives it."""


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes:
        wall_s: seconds from its start to its end.
        cpu_s: processor seconds of it and of the programs it waited for.
        peak_memory_mb: largest resident memory of one of them, in MiB.
        exit_code: its exit status; negative for a signal.
        timed_out: whether it was stopped at its time limit.
        message: the last line that it wrote.
    """

    wall_s: float
    cpu_s: float
    peak_memory_mb: float
    exit_code: int
    timed_out: bool
    message: str


def run_program(
    command: Sequence[str], folder: Path, log: Path, timeout: float | None = None
) -> Finished:
    """Run a program and wait for it, at most ``timeout`` seconds.

    ``python`` and ``cellbench`` are those that run this. The program, and whatever it leaves running,
    ends with this process, even if that is killed.

    Args:
        command: its words.
        folder: its working folder.
        log: where its output goes.
        timeout: seconds after which it is stopped with all it started; None waits for ever.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    reader, writer = os.pipe()
    start = time.perf_counter()
    with log.open("wb") as output, os.fdopen(reader, "rb") as answer:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), str(writer), *command],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[writer],
            start_new_session=True,
        )
        os.close(writer)
        timed_out = False
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _stop_group(process.pid)
            process.communicate()
        wall = time.perf_counter() - start
        told = answer.read()
    message = _last_line(log)
    if not told:
        return Finished(wall, 0.0, 0.0, NOT_STARTED, timed_out, message)
    return Finished(**json.loads(told), timed_out=False, message=message)


def _stop_group(leader: int) -> None:
    """Stop the program and whatever it left running."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _last_line(log: Path) -> str:
    text = log.read_bytes()[-_MESSAGE_BYTES:].decode("utf-8", "replace")
    lines = [" ".join(line.split()) for line in text.replace("\r", "\n").splitlines()]
    return next((line for line in reversed(lines) if line), "")
