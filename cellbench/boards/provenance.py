"""What a board was made from, how and with what. No dates: the same input makes the same bytes."""

import hashlib
import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_type_hints

import cellbench
from cellbench.boards.long_table import Columns
from cellbench.boards.measured import Measured
from cellbench.boards.scores import F1
from cellbench.boards.submissions import SCORES_FILE
from cellbench.errors import ScoresError
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.evaluation.record import read_protocol
from cellbench.ranking.options import BoardChoices, Options

_LIBRARIES = ("numpy", "pandas", "scipy")


def find_protocol(paths: Sequence[str | Path], name: str | None) -> Protocol:
    """Return the protocol under which the scores were made.

    Args:
        paths: files of scores; the record beside each names its protocol.
        name: the protocol, where the caller knows it. Otherwise the records are read; scores without
            a record were made under neurips22.

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
            f"scores: made under the protocols {' and '.join(sorted(recorded))}; "
            "rank the scores of each protocol as a board of its own"
        )
    return next(iter(recorded.values()), get_protocol("neurips22"))


def describe_scores(paths: Sequence[str | Path]) -> list[dict[str, str]]:
    """Return the name and SHA-256 of each file of scores, so that a board can be checked against them.

    Args:
        paths: files of scores, and folders of submissions.
    """
    described = []
    for path in map(Path, paths):
        content = (path / SCORES_FILE if path.is_dir() else path).read_bytes()
        described.append({"file": _board_name(path), "sha256": hashlib.sha256(content).hexdigest()})
    return described


def _board_name(path: Path) -> str:
    """Return the name of a file or submission as it is in the board's folder."""
    return f"entries/{path.resolve().name}" if path.is_dir() else path.name


def describe_ranking(measured: Measured, options: Options) -> dict[str, Any]:
    """Return what was ranked and by which rules.

    Args:
        measured: what was ranked.
        options: how.
    """
    return {
        "value": measured.value,
        "value_title": "F1" if measured.value == F1 else measured.value,
        "higher_is_better": measured.higher_is_better,
        "unit": measured.unit,
        **_chosen(options),
        "missing": measured.missing,
        "failures": measured.failures,
    }


def describe_origin(paths: Sequence[str | Path], command: str) -> dict[str, Any]:
    """Return from what, with what and where a board was made.

    Args:
        paths: files of scores, and folders of submissions.
        command: makes the board again.
    """
    return {
        "scores": describe_scores(paths),
        "software": describe_software(),
        "commit": find_commit(),
        "hardware": describe_hardware(),
        "command": command,
    }


def describe_command(
    paths: Sequence[str | Path],
    options: Options,
    columns: Columns | None = None,
    measure: str = F1,
    manifest: Path | None = None,
) -> str:
    """Return the command that makes the board again, run in its folder with the scores in it.

    Args:
        paths: files of scores, and folders of submissions.
        options: how they are ranked.
        columns: of a long table that is no scores.csv.
        measure: of scores.
        manifest: that states which images are out-of-source.
    """
    words = ["cellbench", "rank", *(_board_name(Path(path)) for path in paths), "--out", "."]
    words += [] if columns is None else columns.as_words()
    words += [] if measure == F1 else ["--measure", measure]
    words += [] if manifest is None else ["--manifest", manifest.name]
    for name, value in _chosen(options).items():
        if name == "weights" and columns is not None:  # a long table has no running times
            continue
        values = value if isinstance(value, tuple) else (value,)
        words += [f"--{name}", *map(str, values)]
    return shlex.join(words)


def _chosen(options: Options) -> dict[str, Any]:
    """Return the options of ``cellbench rank`` that decide ranks and intervals."""
    return {name: getattr(options, name) for name in get_type_hints(BoardChoices)}


def describe_software() -> dict[str, str]:
    """Return the versions of Python, cellbench and the libraries that ranking uses."""
    versions = {library: version(library) for library in _LIBRARIES}
    return {"python": platform.python_version(), "cellbench": cellbench.__version__, **versions}


def describe_hardware() -> dict[str, str | int | None]:
    """Return the model of the processor and its number of logical cores."""
    return {"cpu": _cpu_model(), "cores": os.cpu_count()}


def _cpu_model() -> str:
    information = Path("/proc/cpuinfo")  # Linux; elsewhere the platform module knows
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def find_commit() -> str | None:
    """Return the git commit of the code, or None if the package is not in its own checkout."""
    package = Path(cellbench.__file__).resolve().parent
    command = ["git", "-C", str(package), "rev-parse", "--show-toplevel", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    root, commit = answer.stdout.splitlines()
    return commit if Path(root).resolve() == package.parent else None
