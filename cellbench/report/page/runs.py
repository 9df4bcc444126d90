"""How the algorithms were run and timed, in words, and what they used."""

from collections.abc import Mapping
from typing import Any

from cellbench.boards.reading import BoardTables
from cellbench.report.page.texts import count, number

_TIMINGS = {
    "warm": "warm: the median of three cold starts, plus the time of the image in a running process",
    "cold": "cold: every image in a new process, from its start to its end",
}
Run = Mapping[str, Any]


def find_runs(board: BoardTables) -> dict[str, Run]:
    """Return how the algorithms were run, by name; algorithms that were not run here are missing.

    Args:
        board: the tables; provenance is used.
    """
    known = board.provenance.get("runs")
    runs = known if isinstance(known, dict) else {}
    return {
        name: runs[name]
        for name in board.leaderboard["algorithm"]
        if isinstance(runs.get(name), dict)
    }


def describe_timing(board: BoardTables) -> str:
    """Describe how running times were measured, and on how busy a machine.

    Args:
        board: the tables.

    Returns:
        Sentences; an empty text if nothing is known.
    """
    runs = find_runs(board)
    sentences = []
    for timing, names in _grouped(runs, "timing").items():
        sentences.append(f"{_TIMINGS.get(timing, timing)} ({names})")
    if loads := [value for run in runs.values() if (value := amount(run, "load")) is not None]:
        sentences.append(f"load average of the machine: up to {max(loads):.1f}")
    if differences := list(filter(None, map(_difference, runs, runs.values()))):
        sentences.append(f"cold minus warm time, medians: {', '.join(differences)}")
    return "; ".join(sentences)


def describe_isolation(board: BoardTables) -> str:
    """Describe how the programs were isolated.

    Args:
        board: the tables.

    Returns:
        The kinds of isolation with the names of the algorithms; an empty text if nothing is known.
    """
    kinds = _grouped(find_runs(board), "isolation")
    return "; ".join(f"{kind} ({names})" for kind, names in kinds.items())


def amount(run: Run, quantity: str) -> float | None:
    """Return a quantity of a run, or None if it is not known.

    Args:
        run: how an algorithm was run.
        quantity: its name, such as ``cpu_s``.
    """
    value = run.get(quantity)
    return float(value) if isinstance(value, int | float) else None


def _difference(name: str, run: Run) -> str:
    images, seconds = run.get("compared"), amount(run, "cold_minus_warm_s")
    if not isinstance(images, int) or seconds is None:
        return ""
    sign = "" if seconds < 0 else "+"
    return f"{sign}{number(seconds, 2)} s ({name}, {count(images, 'image')})"


def _grouped(runs: Mapping[str, Run], column: str) -> dict[str, str]:
    groups: dict[str, list[str]] = {}
    for name, run in runs.items():
        if word := str(run.get(column) or ""):
            groups.setdefault(word, []).append(name)
    return {word: ", ".join(names) for word, names in groups.items()}
