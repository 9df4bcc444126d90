"""Start one program, watch it, end everything that it started, and report what it used.

``supervised.py`` runs this as a script, with ``python -I -S``: it needs only the standard library. A
program inherits the peak memory of the process that starts it, and keeps running when that process is
killed. So this small process starts it, adopts what the program leaves running, and ends all of it when its
own input closes, because the run was killed.
"""

import contextlib
import ctypes
import json
import os
import resource
import selectors
import signal
import sys
import time
from collections.abc import Callable, Collection
from typing import Any

from cellbench.entrants.control_groups import ControlGroup
from cellbench.entrants.disk_use import over_disk_limit
from cellbench.entrants.graphics_memory import GraphicsMemory
from cellbench.entrants.process_tree import (
    ThreadSeconds,
    busiest_since,
    descendants,
    processor_seconds,
    resident_bytes,
    thread_seconds,
    threads,
    threads_of_user,
)

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
_TICK = 0.05
_DISK_TICK = 1.0
_PATIENCE = 10.0  # seconds until a process that cannot be killed is given up
_STOPPING, _GENTLE = 2, 20
"""Rounds in which processes are stopped, and until which those without children are killed first."""
_SHARE = 0.02  # of the time may be spent on watching
NOT_STARTED = 127
"""Exit code of a program that could not be started; shells use the same number."""


def group_name(supervisor: int) -> str:
    """Return the name of the control group of a supervisor's program.

    Args:
        supervisor: process id of the supervisor.
    """
    return f"cellbench-{supervisor}"


class Supervisor:
    """Runs one program.

    A line on standard input asks what the program has used since the last line; the end of the input ends
    the program.

    Args:
        reports: file descriptor to which reports are written, each as a line of JSON.
        order: ``words``, ``folder``, ``environment``, ``watched`` (the folders that it may write to),
            ``tail`` (bytes of its output to report), ``streams`` (file descriptors of its input and
            output; may be empty) and the fields of ``Limits``.
    """

    def __init__(self, reports: int, order: dict[str, Any]) -> None:
        self._reports = reports
        self._order = order
        self._group = ControlGroup(group_name(os.getpid()), order["memory"], order["processes"])
        self._cpu = 0.0
        self._threads: ThreadSeconds = {}
        self._peak = self._peak_graphics = 0
        self._graphics = GraphicsMemory()
        self._tail = b""
        self._exit: int | None = None
        self._stopped = ""
        self._start = self._end = 0.0

    def run(self) -> None:
        """Run the program to its end and report what it used; where it serves, also when it started."""
        woken, waker = os.pipe()
        reader, writer = os.pipe()
        for descriptor in (woken, waker, reader):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._start = time.perf_counter()
        self._main = self._spawn(writer)
        for descriptor in (writer, *self._order["streams"]):
            os.close(descriptor)
        if self._order["streams"]:
            self._report({"started": self._start})
        with selectors.DefaultSelector() as selector:
            for descriptor in (0, woken, reader):
                selector.register(descriptor, selectors.EVENT_READ)
            try:
                self._watch(selector, reader, woken)
            finally:
                self._end_all()
        self._drain(reader)
        self._group.remove()
        self._report(
            {
                "wall_s": (self._end or time.perf_counter()) - self._start,
                **self._used(self._cpu),
                "exit_code": 128 + signal.SIGKILL if self._exit is None else self._exit,
                "stopped": self._stopped,
                "output": self._tail.decode("utf-8", "replace"),
            }
        )

    def _used(self, processor: float) -> dict[str, Any]:
        return {
            "cpu_s": processor,
            "peak_memory_mb": self._peak / 2**20,
            "peak_gpu_mb": self._peak_graphics / 2**20 if self._graphics.known else None,
        }

    def _report(self, values: dict[str, Any]) -> None:
        with contextlib.suppress(BrokenPipeError):  # the run was killed
            line = json.dumps(values).encode() + b"\n"
            while line:
                line = line[os.write(self._reports, line) :]

    def _answer(self) -> None:
        """Report what was used until now, and the peaks since the last report; or end with the input."""
        if not os.read(0, 4096):
            self._stopped = "run"
            return
        self._reap()
        processes = descendants(os.getpid())
        self._look(processes)
        before, self._threads = self._threads, thread_seconds(processes)
        ran, waited = busiest_since(before, self._threads)
        all_processes = descendants(os.getpid(), with_ended=True)
        used = self._used(self._cpu + processor_seconds(all_processes))
        self._report({**used, "ran_s": ran, "waited_s": waited})
        self._peak = self._peak_graphics = 0

    def _watch(self, selector: selectors.BaseSelector, reader: int, woken: int) -> None:
        limit = self._order["seconds"]
        deadline = self._start + limit if limit is not None else float("inf")
        look = look_at_disk = self._start + _TICK
        while self._exit is None and not self._stopped:
            now = time.perf_counter()
            for key, _ in selector.select(max(0.0, min(look, deadline) - now)):
                if key.fd == 0:
                    self._answer()
                elif key.fd == woken:
                    _discard(woken)
                elif not self._drain(reader):
                    selector.unregister(reader)
            self._reap()
            now = time.perf_counter()
            if now >= deadline and self._exit is None:
                self._stopped = "timeout"
            elif now >= look and self._exit is None:
                self._stopped = self._stopped or self._over_limit(now >= look_at_disk)
                after = time.perf_counter()
                look_at_disk = after + _DISK_TICK if now >= look_at_disk else look_at_disk
                look = after + max(_TICK, (after - now) / _SHARE)
        # A limit that the kernel holds also ends programs between two looks.
        self._stopped = self._stopped or self._group.exceeded() or over_disk_limit(self._order)

    def _over_limit(self, disk: bool) -> str:
        """Return the limit that the program exceeds, or nothing."""
        processes = descendants(os.getpid())
        used = self._look(processes)
        if used > self._order["memory"]:
            return "memory"
        if threads(processes) > self._order["processes"]:
            return "processes"
        if disk and (limit := over_disk_limit(self._order)):
            return limit
        return self._group.exceeded()

    def _look(self, processes: Collection[int]) -> int:
        """Note the memory that processes use now, and return it in bytes."""
        self._peak_graphics = max(self._peak_graphics, self._graphics.used_by(processes))
        used = resident_bytes(processes, max(self._peak, 1))
        self._peak = max(self._peak, used)
        return used

    def _reap(self) -> bool:
        """Collect the processes that have ended; return whether some are left."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if not pid:
                    return True
                self._cpu += usage.ru_utime + usage.ru_stime
                self._peak = max(self._peak, usage.ru_maxrss * 1024)
                if pid == self._main:
                    self._end = time.perf_counter()
                    code = os.waitstatus_to_exitcode(status)
                    self._exit = code if code >= 0 else 128 - code
        return False

    def _end_all(self) -> None:
        """Kill everything that the program started."""
        give_up = time.perf_counter() + _PATIENCE
        rounds = 0
        while self._reap() and time.perf_counter() < give_up:
            self._group.forbid()
            for pid, children in descendants(os.getpid()).items():
                if rounds < _STOPPING:
                    # Stopped processes cannot start others while we look for those.
                    number = signal.SIGSTOP
                elif children and rounds < _GENTLE:  # the times of its children would be lost
                    continue
                else:
                    number = signal.SIGKILL
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            rounds += 1
            time.sleep(0.001)

    def _drain(self, reader: int) -> bool:
        """Read what the program printed and keep its end; return whether more may come."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(64):
                text = os.read(reader, 1 << 16)
                if not text:
                    return False
                self._tail = (self._tail + text)[-self._order["tail"] :]
        return True

    def _spawn(self, output: int) -> int:
        """Start the program below a process of its own, which it may kill instead of this one."""
        parent = os.fork()
        if parent:
            return parent
        _last_step(lambda: self._be_parent(output))
        raise AssertionError("unreachable")

    def _be_parent(self, output: int) -> None:
        os.setsid()
        self._group.enter()
        program = os.fork()
        if not program:
            _last_step(lambda: self._be_program(output))
        os.closerange(0, 3)
        for descriptor in (output, self._reports, *self._order["streams"]):
            os.close(descriptor)
        code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
        os._exit(code if code >= 0 else 128 - code)

    def _be_program(self, output: int) -> None:
        streams = self._order["streams"] or [os.open(os.devnull, os.O_RDONLY), output]
        for target, source in enumerate([*streams, output]):
            os.dup2(source, target)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        self._set_limits()
        os.chdir(self._order["folder"])
        words, environment = self._order["words"], self._order["environment"]
        os.execvpe(words[0], words, environment)

    def _set_limits(self) -> None:
        _lower(resource.RLIMIT_CORE, 0)
        _lower(resource.RLIMIT_FSIZE, self._order["file_bytes"])
        if not self._group.limits_processes and os.getuid():  # the limit does not apply to root
            _lower(resource.RLIMIT_NPROC, self._order["processes"] + threads_of_user())


def _last_step(step: Callable[[], None]) -> None:
    """Run the last function of a process that was forked, which must not return into our code."""
    try:
        step()
    except OSError as error:
        os.write(2, f"{error.filename or ''} cannot be started: {error.strerror}\n".encode())
    except BaseException as error:
        os.write(2, f"cannot be started: {error}\n".encode())
    os._exit(NOT_STARTED)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _discard(descriptor: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(descriptor, 4096)


def main() -> None:
    """Read an order as a line of JSON, run the program and write the reports as lines of JSON."""
    reports = int(sys.argv[1])
    order = json.loads(sys.stdin.buffer.readline())
    for descriptor in (reports, *order["streams"]):
        os.set_inheritable(descriptor, False)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    Supervisor(reports, order).run()
