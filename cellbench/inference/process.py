"""One program, run to its end and measured."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.005
_MESSAGE_BYTES = 2000


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

    ``python`` and ``cellbench`` are those that run this.

    Args:
        command: its words.
        folder: its working folder.
        log: where its output goes.
        timeout: seconds after which it is stopped with all it started; None waits for ever.

    Raises:
        OSError: if it cannot be started.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            timed_out = _wait(process, None if timeout is None else start + timeout)
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            _stop_group(process.pid)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    return Finished(
        wall_s=wall,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_memory_mb=usage.ru_maxrss / 1024,
        exit_code=process.returncode,
        timed_out=timed_out,
        message=_last_line(log),
    )


def _wait(process: subprocess.Popen[bytes], deadline: float | None) -> bool:
    """Wait until the program ends, without collecting it; stop it at the deadline."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, process.pid, flags) is None:
        if deadline is not None and time.perf_counter() > deadline:
            _stop_group(process.pid)
            return True
        time.sleep(_POLL_SECONDS)
    return False


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
