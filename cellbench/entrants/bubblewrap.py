"""Isolation by bubblewrap: a program sees a read-only system and its own folders, and nothing else.

https://github.com/containers/bubblewrap makes new namespaces without being root. The program has its own
processes, mounts and network; it cannot see the dataset, this user's files or other processes.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import cellbench
from cellbench.entrants.environment import python_path, reduced_environment
from cellbench.entrants.process import Launch
from cellbench.entrants.sandbox import Sandbox, Task
from cellbench.entrants.workplace import Workplace
from cellbench.resources import resource_folder, weights_folder

_PROGRAM = "bwrap"
_WORK = Path("/workspace")
_HOME = Path("/home/entrant")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store")
_SETTINGS = (
    "alternatives", "fonts", "group", "hosts", "java-17-openjdk", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "nsswitch.conf", "OpenCL", "passwd", "pki", "R", "resolv.conf", "ssl",
    "vulkan",
)  # fmt: skip
"""Files in /etc that programs need and that hold no secrets."""
_HARDWARE = ("/sys/bus", "/sys/class", "/sys/devices", "/sys/module")
"""Where libraries read the number of cores, and drivers the graphics cards."""
_DEVICES = re.compile(r"nvidia.*|dri|kfd")
_NOT_STARTED = re.compile(r"bwrap: execvp (.*): (.*)")
_ISOLATED = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try",
    "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "cellbench",
)  # fmt: skip
_NO_NETWORK = "--unshare-net"
_EMPTY = "--tmpfs"
_SHARED_MEMORY = 1 << 30
_PROBE_SECONDS = 10


class BubblewrapSandbox(Sandbox):
    """Starts programs with bubblewrap.

    Args:
        hidden: folders that the program must not see even if they are inside one that it sees, such as the
            dataset inside the folder of an entry.
        visible: further folders that it may read.
    """

    name = "bubblewrap"

    def __init__(self, hidden: Sequence[Path] = (), visible: Sequence[Path] = ()) -> None:
        self._hidden = [path.resolve() for path in hidden]
        self._visible = [*visible]

    def places(self, workplace: Workplace) -> dict[str, str]:  # noqa: ARG002  (the same for all)
        """Return the paths by which a program sees its folders.

        Args:
            workplace: the folders.

        Returns:
            Paths by the placeholders in commands.
        """
        return {name: str(_WORK / name) for name in ("inputs", "outputs", "data")}

    def launch(self, task: Task, workplace: Workplace) -> Launch:
        """Return how to start a program in its folders.

        Args:
            task: what is run.
            workplace: its folders.
        """
        places = self.places(workplace)
        environment = reduced_environment(str(_HOME), "/tmp", task.env, network=task.installs)
        words = [
            *(_PROGRAM, *_ISOLATED, *([] if task.installs else [_NO_NETWORK]), *_base()),
            *("--bind", str(workplace.scratch), "/tmp", "--bind", str(workplace.home), str(_HOME)),
            *self._folders(task.folder, writable=task.installs),
            *("--ro-bind", str(workplace.inputs), places["inputs"]),
            *("--bind", str(workplace.outputs), places["outputs"]),
        ]
        for folder in task.data:
            words += ["--ro-bind", str(folder), f"{places['data']}/{folder.name}"]
        words += ["--remount-ro", "/", "--chdir", str(task.folder), "--", *task.words(places)]
        return Launch(words, Path("/"), environment, workplace.writable)

    def explain(self, message: str) -> str:
        """Return the last line of a program's output, in our words if it is bubblewrap's own.

        Args:
            message: the line.
        """
        if failed := _NOT_STARTED.fullmatch(message):
            return (
                f"{failed[1]} cannot be started: {failed[2]} (a program must be installed in the system, "
                "in this Python or in the entry's folder; --visible shows others)"
            )
        return message

    def _folders(self, entry: Path, *, writable: bool) -> list[str]:
        """Return the options that show the packages and the entry, and hide what must not be seen."""
        shown = [*map(Path, _SYSTEM), *_python_folders(), *self._visible, entry]
        return _options(shown, self._hidden, entry if writable else None)


def _options(shown: Iterable[Path], hidden: Iterable[Path], writable: Path | None) -> list[str]:
    """Return options in which the later, deeper one prevails."""
    steps: dict[Path, tuple[str, ...]] = {}
    for path in shown:
        real = path.resolve()
        if path.is_symlink() and path.parent == Path("/"):  # /bin is a link to usr/bin
            steps[path] = ("--symlink", os.readlink(path), str(path))  # noqa: PTH115  (relative)
        elif real.exists():
            kind = "--bind" if path == writable else "--ro-bind"
            for place in {path, real}:
                steps[place] = (kind, str(real), str(place))
    for secret in hidden:
        for place, (kind, *words) in list(steps.items()):
            if kind != "--symlink" and (source := Path(words[0])) in secret.parents:
                path = place / secret.relative_to(source)
                steps[path] = (_EMPTY, str(path))
    ordered = sorted(steps, key=lambda path: (len(path.parts), path))
    # Later steps make folders in these, so that they become read-only in the end.
    closed = [("--remount-ro", str(path)) for path in ordered if steps[path][0] == _EMPTY]
    return [word for step in [*map(steps.__getitem__, ordered), *closed] for word in step]


@cache
def _base() -> tuple[str, ...]:
    """Return the options that every program needs: processes, devices, settings."""
    # The root user of this machine could write to /proc/sys.
    words = ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]
    for path in sorted(Path("/dev").iterdir()):
        if _DEVICES.fullmatch(path.name):
            words += ["--dev-bind-try", str(path), str(path)]
    if _knows("--size"):
        words += ["--size", str(_SHARED_MEMORY)]
    words += ["--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
    for path in [*(Path("/etc") / name for name in _SETTINGS), *map(Path, _HARDWARE)]:
        words += ["--ro-bind-try", str(path), str(path)]
    return tuple(words)


def _python_folders() -> list[Path]:
    """List the folders of this Python and its packages, of editable installations too."""
    package = Path(cellbench.__file__).parent
    packages = [Path(place) for place in sys.path if place and Path(place) != Path.cwd()]
    prefixes = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]]
    found = [*prefixes, package, resource_folder("configs"), resource_folder("baselines")]
    for place in [*packages, *python_path(), *filter(None, [weights_folder()])]:
        inside = any(place.is_relative_to(prefix) for prefix in prefixes)
        # A checkout of cellbench also holds datasets; only its package is needed.
        if place.is_dir() and not inside and place != package.parent:
            found.append(place)
    return found


def why_not_bubblewrap() -> str:
    """Return why bubblewrap does not work here, or an empty text if it does."""
    if shutil.which(_PROGRAM) is None:
        return "bubblewrap is not installed"
    words = [_PROGRAM, *_ISOLATED, _NO_NETWORK, *_options(map(Path, _SYSTEM), [], None), *_base()]
    try:
        subprocess.run(
            [*words, "--remount-ro", "/", "--", "true"],
            capture_output=True,
            check=True,
            timeout=_PROBE_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        return f"bubblewrap does not work here: {error.stderr.decode(errors='replace').strip()}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not work here: {error}"
    return ""


@cache
def _knows(option: str) -> bool:
    """Return whether this version of bubblewrap has an option."""
    answer = subprocess.run([_PROGRAM, "--help"], capture_output=True, text=True, check=False)
    return option in answer.stdout
