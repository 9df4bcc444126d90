"""Run one program to its end, and measure its time and memory."""

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
"""Exit code of a program that could not be started; shells use the same number."""


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes:
        wall_s: seconds from its start to its end.
        cpu_s: processor time in seconds, including the programs that it started and waited for.
        peak_memory_mb: largest resident memory of any of these programs, in MiB.
        exit_code: its exit status; the negative signal number if a signal ended it.
        timed_out: whether it was stopped at its time limit.
        message: the last line of its output.
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

    The words ``python`` and ``cellbench`` start the interpreter and the command of this environment. The
    program, and every process that it leaves running, ends with this process, even if that is killed.
    Folders in ``PYTHONPATH`` are made absolute, because the program runs in another folder.

    Args:
        command: the program and its arguments.
        folder: its working folder.
        log: file for its output, both stdout and stderr.
        timeout: seconds after which it is stopped, with every process that it started; None for no limit.

    Returns:
        How it ended and what it used.
    """
    reader, writer = os.pipe()
    start = time.perf_counter()
    with log.open("wb") as output, os.fdopen(reader, "rb") as answer:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), str(writer), *command],
            cwd=folder,
            env=_environment(),
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
        report = answer.read()
    message = _last_line(log)
    if not report:
        return Finished(wall, 0.0, 0.0, NOT_STARTED, timed_out, message)
    return Finished(**json.loads(report), timed_out=False, message=message)


def _environment() -> dict[str, str]:
    """Return the environment of a program that runs in another folder than this process."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    places = os.environ.get("PYTHONPATH")
    if not places:
        return {**os.environ, "PATH": path}
    # An empty entry means the working folder, as "." does.
    absolute = os.pathsep.join(str(Path(place).absolute()) for place in places.split(os.pathsep))
    return {**os.environ, "PATH": path, "PYTHONPATH": absolute}


def _stop_group(leader: int) -> None:
    """Stop the program and every process that it left running."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _last_line(log: Path) -> str:
    text = log.read_bytes()[-_MESSAGE_BYTES:].decode("utf-8", "replace")
    lines = [" ".join(line.split()) for line in text.replace("\r", "\n").splitlines()]
    return next((line for line in reversed(lines) if line), "")
