"""How to start a program, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellbench.entrants.supervisor import NOT_STARTED

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
        exit_code: its exit status; 128 plus the number of the signal that ended it; None while it runs.
        stopped: the limit at which it was stopped: ``timeout``, ``memory``, ``processes``, ``disk`` or
            ``files``; ``run`` if the supervisor was; empty if it ended by itself.
        output: the end of what it printed.
    """

    wall_s: float
    cpu_s: float
    peak_memory_mb: float
    peak_gpu_mb: float | None
    exit_code: int | None
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
