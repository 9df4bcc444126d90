"""Where a board comes from. It holds no dates: the same input gives the same bytes."""

import hashlib
import os
import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import cellbench
from cellbench.errors import ScoresError
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.evaluation.record import read_protocol

PROVENANCE_FILE = "provenance.json"

_LIBRARIES = ("numpy", "pandas", "scipy")


def find_protocol(paths: Sequence[str | Path], name: str | None) -> Protocol:
    """Say under which protocol the scores were made.

    Args:
        paths: files of scores; the record beside each names its protocol.
        name: the protocol, where the caller knows it; otherwise it is read, and neurips22 where
            nothing says so.

    Raises:
        ScoresError: if a record is damaged or names a protocol of another version, or the scores
            disagree.
        UsageError: if ``name`` is not known.
    """
    if name is not None:
        return get_protocol(name)
    recorded = {protocol.name: protocol for protocol in map(read_protocol, paths) if protocol}
    if len(recorded) > 1:
        raise ScoresError(
            f"scores: made under the protocols {' and '.join(sorted(recorded))}; rank them apart"
        )
    return next(iter(recorded.values()), get_protocol("neurips22"))


def describe_scores(paths: Sequence[str | Path]) -> list[dict[str, str]]:
    """Name each file of scores with its SHA-256: a board can be checked against its input."""
    return [
        {"file": Path(path).name, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()}
        for path in paths
    ]


def describe_command(paths: Sequence[str | Path], options: Mapping[str, object]) -> str:
    """Give the command that makes the board again, run in its folder with the scores in it."""
    names = [Path(path).name for path in paths]
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return shlex.join(["cellbench", "rank", *names, "--out", ".", *words])


def describe_software() -> dict[str, str]:
    """Give the versions of Python, cellbench and the libraries that ranking uses."""
    versions = {library: version(library) for library in _LIBRARIES}
    return {"python": platform.python_version(), "cellbench": cellbench.__version__, **versions}


def describe_hardware() -> dict[str, str | int | None]:
    """Give the processor's model and its number of logical cores."""
    return {"cpu": _cpu_model(), "cores": os.cpu_count()}


def _cpu_model() -> str:
    information = Path("/proc/cpuinfo")  # Linux; elsewhere the platform module knows
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def find_commit() -> str | None:
    """Give the git commit of the code, or None where the package is not in its own checkout."""
    package = Path(cellbench.__file__).resolve().parent
    command = ["git", "-C", str(package), "rev-parse", "--show-toplevel", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    root, commit = answer.stdout.splitlines()
    return commit if Path(root).resolve() == package.parent else None
