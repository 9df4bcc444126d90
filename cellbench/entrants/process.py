"""Run one program to its end under limits, and measure what it and everything that it starts use."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cellbench.entrants.control_groups import ControlGroup
from cellbench.entrants.limits import Limits
from cellbench.entrants.supervisor import NOT_STARTED, group_name

_ROOT = Path(__file__).parents[2]
_SUPERVISE = "import sys; sys.path.append(sys.argv.pop()); from cellbench.entrants import supervisor; supervisor.main()"  # noqa: E501
_TAIL_BYTES = 64 << 10
_MESSAGE_LETTERS = 500
_REASONS = {
    "memory": "used more memory than its limit",
    "processes": "started more processes than its limit",
    "disk": "wrote more to the disk than its limit",
    "files": "wrote too many files or too deep folders",
    "run": "the run was stopped",
}


@dataclass(frozen=True)
class Launch:
    """How to start a program.

    Attributes:
        words: the program and its arguments.
        folder: its working folder.
        environment: all its environment variables.
        watched: the folders that it may write to, whose size is limited.
    """

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    watched: Sequence[Path] = ()


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes:
        wall_s: seconds from its start to its end.
        cpu_s: processor time in seconds, with everything that it started.
        peak_memory_mb: largest resident memory of all its processes together, in MiB.
        peak_gpu_mb: largest memory of all its processes together on NVIDIA graphics cards, in MiB; None
            without the driver.
        exit_code: its exit status; 128 plus the number of the signal that ended it.
        stopped: the limit at which it was stopped: ``timeout``, ``memory``, ``processes``, ``disk`` or
            ``files``; ``run`` if the supervisor was; empty if it ended by itself.
        output: the end of what it printed.
    """

    wall_s: float
    cpu_s: float
    peak_memory_mb: float
    peak_gpu_mb: float | None
    exit_code: int
    stopped: str
    output: str

    @property
    def timed_out(self) -> bool:
        """Whether it was stopped at its time limit."""
        return self.stopped == "timeout"

    @property
    def message(self) -> str:
        """Why it was stopped, or the last line of its output."""
        return _REASONS.get(self.stopped) or last_line(self.output)


def run_program(launch: Launch, limits: Limits) -> Finished:
    """Run a program and wait for it.

    The program, and every process that it leaves running, ends with this process, even if that is killed.

    Args:
        launch: how to start the program.
        limits: what it may use.

    Returns:
        How it ended and what it used.
    """
    order = {**asdict(limits), "tail": _TAIL_BYTES, "streams": None}
    order |= {"words": list(launch.words), "folder": str(launch.folder)}
    order |= {
        "environment": dict(launch.environment),
        "watched": [str(path) for path in launch.watched],
    }
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as answer:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _SUPERVISE, str(writer), str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[writer],
            start_new_session=True,
        )
        os.close(writer)
        try:
            assert process.stdin is not None  # for mypy; it is a pipe
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
            report = answer.read()
        except BrokenPipeError:
            report = b""
        finally:
            _, errors = process.communicate()
    if report:
        return Finished(**json.loads(report))
    # The program killed its supervisor; what is left of it is found by its control group.
    group = ControlGroup(group_name(process.pid), limits.memory, limits.processes)
    group.stop()
    group.remove()
    message = (
        last_line(errors.decode("utf-8", "replace")) or "killed the process that supervised it"
    )
    return Finished(0.0, 0.0, 0.0, None, 128 + signal.SIGKILL, "", message)


def not_run(message: str) -> Finished:
    """Return the result of a program that was not started.

    Args:
        message: why it was not.
    """
    return Finished(0.0, 0.0, 0.0, None, NOT_STARTED, "", message)


def last_line(text: str) -> str:
    """Return the last line of a text that is not empty, without control characters.

    Args:
        text: what a program printed.
    """
    for line in reversed(text.replace("\r", "\n").splitlines()):
        printable = "".join(letter if letter.isprintable() else " " for letter in line)
        if words := printable.split():
            return " ".join(words)[:_MESSAGE_LETTERS]
    return ""
