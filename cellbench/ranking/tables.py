"""Tables of values (index cases, columns algorithms, NaN missing): checking and turning them."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellbench.errors import ScoresError, UsageError

Floats = npt.NDArray[np.float64]
Missing = Literal["worst", "drop"] | float

_DIGITS = 12
_POWERS_OF_TEN = np.array([float(f"1e{power}") for power in range(301)])


def check_choice(what: str, choice: str, choices: Iterable[str]) -> None:
    """Raise an error that lists the choices unless ``choice`` is one of them.

    Args:
        what: the option's name.
        choice: what the user chose.
        choices: what can be chosen.

    Raises:
        UsageError: if the choice is not among them.
    """
    if choice not in choices:
        raise UsageError(f"{what} {choice!r}: not known; choose from {', '.join(choices)}")


def check_weights(weights: Sequence[float], *, length: int) -> Floats:
    """Return the weights as an array.

    Args:
        weights: numbers from 0 up, at least one of them above 0.
        length: how many there must be.

    Returns:
        (length,) weights, as they are.

    Raises:
        UsageError: if there is another number of weights, one is negative or not finite, or all are 0.
    """
    checked = np.asarray(weights, dtype=np.float64)
    if checked.shape != (length,) or not np.isfinite(checked).all() or (checked < 0).any():
        raise UsageError(f"weights {weights}: must be {length} numbers, none of them negative")
    if not checked.any():
        raise UsageError(f"weights {weights}: at least one must be above 0")
    return checked


def as_numbers(table: pd.DataFrame, what: str, row: str) -> Floats:
    """Check a table of numbers and return them.

    Args:
        table: columns algorithms, NaN missing.
        what: what errors call the table.
        row: what errors call a row, such as "case".

    Returns:
        (rows, algorithms) numbers.

    Raises:
        ScoresError: if there are no rows or algorithms, a name occurs twice, or a cell is not a number.
    """
    if 0 in table.shape:
        raise ScoresError(
            f"{what}: needs {row}s and algorithms to rank; its shape is {table.shape}"
        )
    for kind, names in ((row, table.index), ("algorithm", table.columns)):
        if not names.is_unique:
            twice = names[names.duplicated()][0]
            raise ScoresError(f"{what}: the {kind} {str(twice)!r} occurs twice; keep one of them")
    try:
        numbers: Floats = table.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise ScoresError(f"{what}: holds something other than numbers ({error})") from error
    return numbers


def larger_is_better(
    values: pd.DataFrame, *, higher_is_better: bool, missing: Missing = "worst"
) -> Floats:
    """Check a table and return its numbers with a sign such that larger is better.

    Args:
        values: index cases, columns algorithms, NaN missing; a failure may be infinitely bad.
        higher_is_better: whether larger values are better in ``values``.
        missing: a number takes the place of missing values; ``worst`` and ``drop`` leave them NaN.

    Returns:
        (cases, algorithms); negated where smaller was better.

    Raises:
        ScoresError: if the table has no cases or algorithms, a name occurs twice, a cell is not a
            number, or a value is infinitely good.
    """
    numbers = as_numbers(values, "table", "case")
    if not isinstance(missing, str):
        numbers = np.where(np.isnan(numbers), missing, numbers)
    turned = numbers if higher_is_better else -numbers
    if np.isposinf(turned).any():
        raise ScoresError(
            "table: a value is infinitely good; only a failure, at the bad end, may be infinite"
        )
    return turned


def rounded(aggregates: npt.NDArray[Any]) -> Floats:
    """Round each number to 12 significant digits of its own, so that float noise breaks no ties.

    Every number is rounded by itself: one algorithm that diverged, with a mean of 1e13 say, must not
    make all others equal.

    Args:
        aggregates: numbers of any shape. 0, infinite numbers and NaN stay as they are.

    Returns:
        The rounded numbers, of the same shape.

    Examples:
        >>> rounded(np.array([0.1 + 0.2, 0.3, 1e13, np.inf])).tolist()
        [0.3, 0.3, 10000000000000.0, inf]
    """
    numbers = np.asarray(aggregates, dtype=np.float64)
    plain = np.isfinite(numbers) & (numbers != 0)
    size = np.where(plain, np.abs(numbers), 1.0)
    places = _DIGITS - 1 - np.floor(np.log10(size)).astype(int)
    digits = np.rint(_times_power_of_ten(size, places))
    carried = digits >= 10.0**_DIGITS  # 9.99… became 10
    digits, places = np.where(carried, digits / 10, digits), places - carried
    return np.where(plain, np.sign(numbers) * _times_power_of_ten(digits, -places), numbers)


@np.errstate(over="ignore")  # of the products that are not taken
def _times_power_of_ten(numbers: Floats, powers: npt.NDArray[np.int_]) -> Floats:
    """Multiply; by dividing where the power is negative, as only positive powers are exact."""
    largest = len(_POWERS_OF_TEN) - 1
    at_once = np.clip(powers, -largest, largest)
    scale = _POWERS_OF_TEN[np.abs(at_once)]
    scaled = np.where(powers >= 0, numbers * scale, numbers / scale)
    left = powers - at_once  # of the smallest numbers there are
    return _times_power_of_ten(scaled, left) if left.any() else scaled
