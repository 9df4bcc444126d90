"""How the algorithms of a board were run here, from the predictions folders beside their entries."""

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cellbench.csv_tables import read_rows
from cellbench.entrants.entries import AlgorithmEntry
from cellbench.errors import ScoresError
from cellbench.evaluation.seals import check_run
from cellbench.evaluation.statuses import COMPARED_FILE, RESOURCES_FILE


def describe_runs(
    paths: Sequence[str | Path], entries: Sequence[AlgorithmEntry]
) -> dict[str, dict[str, Any]]:
    """Check that predictions were not changed after their run, and describe each run.

    Args:
        paths: ``entry.yaml`` files or their folders.
        entries: what these files state, in the same order.

    Returns:
        For each algorithm with a ``resources.csv`` beside its entry: ``isolation`` and ``timing`` in words;
        the median of ``start_s`` and ``cpu_s`` and the largest ``peak_memory_mb``, ``peak_gpu_mb`` and
        ``load`` over its images, None where not known; ``compared``, the number of images that were
        measured warm and cold, and ``cold_minus_warm_s``, the median difference of their times in seconds.

    Raises:
        ScoresError: if predictions were changed after their run, or a table cannot be read.
    """
    runs = {}
    for path, entry in zip(map(Path, paths), entries, strict=True):
        folder = path if path.is_dir() else path.parent
        check_run(folder)
        if (folder / RESOURCES_FILE).is_file():
            rows = read_rows(folder / RESOURCES_FILE, ["image", "status"], ScoresError)
            runs[entry.name] = {**_describe(rows), **_compare(folder / COMPARED_FILE)}
    return runs


def _describe(rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    words = {
        column: " and ".join(sorted({row.get(column) or "" for row in rows} - {""}))
        for column in ("isolation", "timing")
    }
    middle = {column: _median(_numbers(rows, column)) for column in ("start_s", "cpu_s")}
    columns = ("peak_memory_mb", "peak_gpu_mb", "load")
    largest = {column: max(_numbers(rows, column), default=None) for column in columns}
    return {**words, **middle, **largest}


def _compare(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {"compared": 0, "cold_minus_warm_s": None}
    rows = read_rows(path, ["image", "warm_s", "cold_s"], ScoresError)
    warm, cold = _numbers(rows, "warm_s"), _numbers(rows, "cold_s")
    differences = [after - before for before, after in zip(warm, cold, strict=False)]
    return {"compared": len(rows), "cold_minus_warm_s": _median(differences)}


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _numbers(rows: Sequence[Mapping[str, str]], column: str) -> list[float]:
    """Return the finite numbers of a column; tables of other programs may lack it."""
    found = []
    for row in rows:
        try:
            value = float(row.get(column) or "nan")
        except ValueError:
            continue
        if math.isfinite(value):
            found.append(value)
    return found
