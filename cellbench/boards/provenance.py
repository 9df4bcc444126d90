"""Where a board comes from. It holds no dates: the same input gives the same bytes."""

import hashlib
import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cellbench
from cellbench.boards.long_table import Columns
from cellbench.boards.measured import Measured
from cellbench.boards.submissions import SCORES_FILE
from cellbench.errors import ScoresError
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.evaluation.record import read_protocol
from cellbench.ranking.options import Options

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
    described = []
    for path in map(Path, paths):
        content = (path / SCORES_FILE if path.is_dir() else path).read_bytes()
        described.append({"file": _board_name(path), "sha256": hashlib.sha256(content).hexdigest()})
    return described


def _board_name(path: Path) -> str:
    """Name a file or submission as it lies in the board's folder."""
    return f"entries/{path.resolve().name}" if path.is_dir() else path.name


def describe_ranking(measured: Measured, options: Options) -> dict[str, Any]:
    """Say what was ranked and by which rules."""
    return {
        "value": measured.value,
        "value_title": "F1" if measured.value == "f1" else measured.value,
        "higher_is_better": measured.higher_is_better,
        **asdict(options),
        "missing": measured.missing,
        "failures": measured.failures,
    }


def describe_origin(
    paths: Sequence[str | Path], options: Options, columns: Columns | None
) -> dict[str, Any]:
    """Say from what, with what and where a board was made; the same again gives the same words."""
    return {
        "scores": describe_scores(paths),
        "software": describe_software(),
        "commit": find_commit(),
        "hardware": describe_hardware(),
        "command": describe_command(paths, options, columns),
    }


def describe_command(
    paths: Sequence[str | Path], options: Options, columns: Columns | None = None
) -> str:
    """Give the command that makes the board again, run in its folder with the scores in it."""
    names = [_board_name(Path(path)) for path in paths]
    words = [] if columns is None else columns.as_words()
    for name, value in asdict(options).items():
        if name == "weights" and columns is not None:  # of F1 and running times
            continue
        values = value if isinstance(value, tuple) else (value,)
        words += [f"--{name}", *map(str, values)]
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
