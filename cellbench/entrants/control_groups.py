"""Control groups: the kernel's own limits of memory and processes, where this user may set them.

Runs without other packages, because the supervisor of a program imports it.
"""

import os
import signal
import time
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_MINE = Path("/proc/self/cgroup")


class ControlGroup:
    """A group of processes with limits; it has no effect where control groups cannot be made.

    Args:
        name: name of the group's folder.
        memory: largest memory of all processes together, in bytes.
        processes: largest number of threads of all processes together.
    """

    def __init__(self, name: str, memory: int, processes: int) -> None:
        self._folders: dict[str, Path] = {}
        for controller, values in (
            ("pids", {"pids.max": processes}),
            ("memory", {"memory.max": memory, "memory.limit_in_bytes": memory}),
        ):
            folder = _place_for(controller)
            if folder is not None and _made(folder / name, values):
                self._folders[controller] = folder / name

    @property
    def limits_processes(self) -> bool:
        """Whether the kernel holds the limit of processes."""
        return "pids" in self._folders

    def enter(self) -> None:
        """Put this process, and all that it will start, into the group."""
        for controller, folder in list(self._folders.items()):
            if not _write(folder / "cgroup.procs", "0"):
                del self._folders[controller]

    def exceeded(self) -> str:
        """Return which limit the processes ran into: ``memory``, ``processes`` or nothing."""
        for controller, limit, files in (
            ("memory", "memory", ("memory.events", "memory.oom_control")),
            ("pids", "processes", ("pids.events",)),
        ):
            folder = self._folders.get(controller)
            if folder and any(_count(folder / file) for file in files):
                return limit
        return ""

    def forbid(self) -> None:
        """Let no process of the group start another one."""
        if "pids" in self._folders:
            _write(self._folders["pids"] / "pids.max", "0")

    def stop(self) -> None:
        """Forbid new processes and kill those in the group."""
        self.forbid()
        for folder in set(self._folders.values()):
            for pid in _text(folder / "cgroup.procs").split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def remove(self) -> None:
        """Remove the group, whose processes must have ended."""
        for folder in set(self._folders.values()):
            for _ in range(20):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:  # the last process is still ending
                    time.sleep(0.005)


def _place_for(controller: str) -> Path | None:
    """Find the folder in which a group with this controller can be made."""
    roots = _mounts()
    for line in _text(_MINE).splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(",") and controller in roots:  # version 1
            places = [roots[controller] / path.lstrip("/"), roots[controller]]
            return next((place for place in places if os.access(place, os.W_OK)), None)
    for line in _text(_MINE).splitlines():
        _, names, path = line.split(":", 2)
        if not names and "" in roots:  # version 2
            # A group that has processes cannot contain groups with limits.
            mine = roots[""] / path.lstrip("/")
            for place in (mine.parent, mine) if mine != roots[""] else (mine,):
                offered = _text(place / "cgroup.subtree_control").split()
                if controller in offered and os.access(place / "cgroup.procs", os.W_OK):
                    return place
    return None


def _mounts() -> dict[str, Path]:
    """Return where each controller of version 1 is mounted, and version 2 under the empty name."""
    found: dict[str, Path] = {}
    for line in _text(_MOUNTS).splitlines():
        place, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        if kind == "cgroup":
            found |= {option: Path(place.split()[4]) for option in options.split(",")}
        elif kind == "cgroup2":
            found[""] = Path(place.split()[4])
    return found


def _made(folder: Path, values: dict[str, int]) -> bool:
    """Make a group and set the limits whose files exist; return whether one is in force."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return False
    in_force = [_write(folder / file, str(value)) for file, value in values.items()]
    if not any(in_force):
        folder.rmdir()
    return any(in_force)


def _write(file: Path, text: str) -> bool:
    try:
        if file.exists():
            file.write_text(text)
            return True
    except OSError:
        pass
    return False


def _count(events: Path) -> int:
    """Return how often a limit was reached, from a file of lines such as ``max 3``."""
    counts = dict(line.split() for line in _text(events).splitlines() if len(line.split()) == 2)
    name = "max" if events.name == "pids.events" else "oom_kill"
    return int(counts.get(name, 0))


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
