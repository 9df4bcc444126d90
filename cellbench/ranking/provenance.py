"""Where a board comes from. It holds no dates: the same input gives the same bytes."""

import hashlib
import json
import os
import platform
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cellbench
from cellbench.errors import ScoresError
from cellbench.evaluation.protocols import PROTOCOLS, get_protocol

PROVENANCE_FILE = "provenance.json"

_LIBRARIES = ("numpy", "pandas", "scipy")


def find_protocol(paths: Sequence[str | Path], name: str | None) -> dict[str, Any]:
    """Say under which protocol the scores were made.

    Args:
        paths: files of scores; a provenance.json beside one may name its protocol.
        name: the protocol, where the caller knows it; otherwise it is read, and neurips22 where
            nothing says so.

    Returns:
        name and version.

    Raises:
        ScoresError: if the protocol is not known, a provenance.json is damaged, or the scores
            disagree.
    """
    if name is None:
        named = {_protocol_beside(Path(path)) for path in paths} - {None}
        if len(named) > 1:
            both = " and ".join(sorted(map(str, named)))
            raise ScoresError(f"scores: made under the protocols {both}; rank them apart")
        name = named.pop() if named else None
    protocol = get_protocol(name or "neurips22")
    return {"name": protocol.name, "version": protocol.version}


def _protocol_beside(path: Path) -> str | None:
    beside = path.parent / PROVENANCE_FILE
    if not beside.is_file():
        return None
    try:
        name = str(json.loads(beside.read_text(encoding="utf-8"))["protocol"]["name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoresError(f"{beside}: names no protocol; remove it or name it") from error
    if name not in PROTOCOLS:
        raise ScoresError(f"{beside}: names the protocol {name!r}, which is not known; mend it")
    return name


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
