"""Tables of values (index cases, columns algorithms, NaN missing): checking and turning them."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellbench.errors import ScoresError, UsageError

Floats = npt.NDArray[np.float64]
Ties = Literal["min", "average", "max", "dense"]
Missing = Literal["worst", "drop"] | float

TIES: tuple[str, ...] = get_args(Ties)

_DIGITS = 12


def check_choice(what: str, choice: str, choices: Iterable[str]) -> None:
    """Raise a UsageError that lists the choices unless ``choice`` is one of them."""
    if choice not in choices:
        raise UsageError(f"{what} {choice!r}: not known; choose from {', '.join(choices)}")


def check_weights(weights: Sequence[float], *, length: int) -> Floats:
    """Give the weights as an array, or raise a UsageError where they cannot weigh anything."""
    checked = np.asarray(weights, dtype=np.float64)
    if checked.shape != (length,) or not np.isfinite(checked).all() or (checked < 0).any():
        raise UsageError(f"weights {weights}: give {length} numbers, none of them negative")
    if not checked.any():
        raise UsageError(f"weights {weights}: one of them at least must be above 0")
    return checked


def as_numbers(table: pd.DataFrame, what: str, row: str) -> Floats:
    """Check a table of numbers: columns algorithms, NaN missing.

    Args:
        table: the numbers.
        what: what errors call the table.
        row: what they call a row, such as a case.

    Raises:
        ScoresError: if it has no rows or algorithms, names one twice, or holds other than numbers.
    """
    if 0 in table.shape:
        raise ScoresError(
            f"{what}: needs {row}s and algorithms to rank, its shape is {table.shape}"
        )
    for kind, names in ((row, table.index), ("algorithm", table.columns)):
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            raise ScoresError(f"{what}: the {kind} {str(twice)!r} occurs twice; keep one")
    try:
        numbers: Floats = table.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ScoresError(f"{what}: holds other than numbers ({error})") from error
    return numbers


def larger_is_better(
    values: pd.DataFrame, *, higher_is_better: bool, missing: Missing = "worst"
) -> Floats:
    """Check a table and turn it so that larger is better.

    Args:
        values: index cases, columns algorithms, NaN missing; a failure may be infinite at the bad
            end.
        higher_is_better: whether larger values are better in ``values``.
        missing: a number takes the place of missing values; the words leave them.

    Returns:
        (cases, algorithms); negated where smaller was better.

    Raises:
        ScoresError: if the table has no cases or algorithms, names one twice, holds other than
            numbers, or a value that is infinitely good.
    """
    numbers = as_numbers(values, "table", "case")
    if not isinstance(missing, str):
        if not np.isfinite(missing):
            raise ScoresError(f"missing {missing}: give a number, 'worst' or 'drop'")
        numbers = np.where(np.isnan(numbers), missing, numbers)
    else:
        check_choice("missing", missing, get_args(get_args(Missing)[0]))
    turned = numbers if higher_is_better else -numbers
    if np.isposinf(turned).any():
        raise ScoresError("table: holds an infinitely good value; only failures are infinite")
    return turned


def rounded(aggregates: npt.NDArray[Any]) -> Floats:
    """Round to 12 digits of the largest number, so that float noise breaks no ties.

    Example:
        >>> rounded(np.array([0.1 + 0.2, 0.3, np.inf])).tolist()
        [0.3, 0.3, inf]
    """
    finite = np.abs(aggregates[np.isfinite(aggregates)])
    largest = finite.max(initial=0.0)
    digits_before_point = int(np.ceil(np.log10(largest))) if largest > 0 else 0
    return np.round(aggregates, int(np.clip(_DIGITS - digits_before_point, -300, 300)))
