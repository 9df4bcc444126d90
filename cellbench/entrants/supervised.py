"""A program below a supervisor: started, asked what it uses, and ended with everything that it started."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from cellbench.entrants.control_groups import ControlGroup
from cellbench.entrants.limits import Limits
from cellbench.entrants.lines import LineReader, TooLongError
from cellbench.entrants.process import Finished, Launch, last_line
from cellbench.entrants.supervisor import group_name

_ROOT = Path(__file__).parents[2]
_SUPERVISE = "import sys; sys.path.append(sys.argv.pop()); from cellbench.entrants import supervisor; supervisor.main()"  # noqa: E501
_TAIL_BYTES = 64 << 10
_REPORT_BYTES = 1 << 20
_PATIENCE = 30.0
"""Seconds within which a supervisor must answer, and end all processes of its program."""
_FOREVER = float("inf")
_EXIT = "exit_code"  # only the last report has it


class Supervised:
    """A running program, to be used in a ``with`` statement, at whose end it is killed.

    The program, and every process that it leaves running, ends with this process, even if that is killed.

    Attributes:
        reports: file descriptor at which something arrives when the program has ended.
        lost: whether the supervisor ended without a last report, so that what was used is not known.

    Args:
        launch: how to start the program.
        limits: what it may use.
        streams: file descriptors of its standard input and output; without them, the input is empty and
            the output is kept like that on standard error. They are closed here.
    """

    def __init__(self, launch: Launch, limits: Limits, streams: Sequence[int] = ()) -> None:
        self._limits = limits
        self._final: Finished | None = None
        self.lost = False
        order = {**asdict(limits), "tail": _TAIL_BYTES, "streams": list(streams)}
        order |= {"words": list(launch.words), "folder": str(launch.folder)}
        order |= {"environment": dict(launch.environment)}
        order |= {"watched": [str(path) for path in launch.watched]}
        self.reports, writer = os.pipe()
        self._reports = LineReader(self.reports, _REPORT_BYTES)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _SUPERVISE, str(writer), str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[writer, *streams],
            start_new_session=True,
        )
        assert self._process.stdin is not None  # for mypy; both are pipes
        assert self._process.stderr is not None
        self._stdin, self._errors = self._process.stdin, self._process.stderr
        for descriptor in (writer, *streams):
            os.close(descriptor)
        self._send(json.dumps(order).encode())

    def __enter__(self) -> "Supervised":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
        self._reports.close()

    def wait(self, seconds: float = _FOREVER) -> Finished:
        """Wait until the program has ended by itself or at a limit.

        Args:
            seconds: how long to wait; then it is killed.

        Returns:
            How it ended and what it used.
        """
        if self._final is None:
            self._receive_last(time.perf_counter() + seconds)
        return self.end()

    def started(self) -> float:
        """Return when a program with ``streams`` was started, as ``time.perf_counter`` counts seconds.

        Raises:
            EOFError: if the supervisor has ended.
        """
        return float(self._receive(time.perf_counter() + _PATIENCE)["started"])

    def used(self) -> dict[str, Any] | None:
        """Return what the program has used until now, and its largest memory since it was last asked.

        Returns:
            The fields ``cpu_s``, ``peak_memory_mb`` and ``peak_gpu_mb`` of
            [`Finished`][cellbench.entrants.process.Finished]; and for how many seconds since it was
            last asked its busiest thread ran (``ran_s``) and had to wait for a processor
            (``waited_s``). None if the program has ended.
        """
        if self._final is None:
            self._send(b"")
            with suppress(EOFError):
                report = self._receive(time.perf_counter() + _PATIENCE)
                if _EXIT not in report:
                    return report
                self._final = Finished(**report)
        return None

    def end(self) -> Finished:
        """Kill the program, if it still runs, and everything that it started.

        Returns:
            How it ended and what it used.
        """
        with suppress(BrokenPipeError):
            self._stdin.close()
        if self._final is None:
            self._receive_last(time.perf_counter() + _PATIENCE)
        if self._final is None:
            self._final = self._end_by_force()
        self._process.wait()
        self._errors.close()
        return self._final

    def _end_by_force(self) -> Finished:
        """End a program whose supervisor was killed or stopped: it is found by its control group."""
        self.lost = True
        self._process.kill()
        self._process.wait()
        group = ControlGroup(
            group_name(self._process.pid), self._limits.memory, self._limits.processes
        )
        group.stop()
        group.remove()
        message = last_line(self._errors.read(_TAIL_BYTES).decode("utf-8", "replace"))
        message = message or "killed the process that supervised it"
        return Finished(0.0, 0.0, 0.0, None, 128 + signal.SIGKILL, "", message)

    def _receive_last(self, deadline: float) -> None:
        with suppress(EOFError):
            while _EXIT not in (report := self._receive(deadline)):
                pass
            self._final = Finished(**report)

    def _receive(self, deadline: float) -> dict[str, Any]:
        """Return the next report; a supervisor that does not answer counts as one that has ended."""
        try:
            report: dict[str, Any] = json.loads(self._reports.read(deadline))
        except (TimeoutError, TooLongError, ValueError) as error:
            raise EOFError from error
        return report

    def _send(self, line: bytes) -> None:
        with suppress(BrokenPipeError):
            self._stdin.write(line + b"\n")
            self._stdin.flush()


def run_program(launch: Launch, limits: Limits) -> Finished:
    """Run a program and wait for it.

    The program, and every process that it leaves running, ends with this process, even if that is killed.

    Args:
        launch: how to start the program.
        limits: what it may use.

    Returns:
        How it ended and what it used.
    """
    with Supervised(launch, limits) as program:
        return program.wait()
