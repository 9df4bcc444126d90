"""Values in JSON files of other tools, which write numbers as text, and ids as any type."""

import math
import reprlib

_LONGEST_ID = 300
"""Characters: a file name, perhaps with folders."""

_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = _shortened.maxlong = 60


def shown(value: object) -> str:
    """Return a value as an error message shows it: on one line, and shortened if it is long.

    Args:
        value: anything that JSON can hold.

    Examples:
        >>> shown("a" * 100) == "'" + "a" * 27 + "..." + "a" * 28 + "'", shown([1, 2])
        (True, '[1, 2]')
    """
    return _shortened.repr(value)


def whole_number(value: object) -> int | None:
    """Return a whole number that is written as a number or as text.

    Args:
        value: the value in the file.

    Returns:
        The number; None if the value is anything else, also for ``true`` and ``1.5``.

    Examples:
        >>> whole_number(" 64 "), whole_number(64.0), whole_number("1.5"), whole_number(True)
        (64, 64, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int):
        return value
    number = finite_number(value)
    return int(number) if number is not None and number.is_integer() else None


def finite_number(value: object) -> float | None:
    """Return a finite number that is written as a number or as text.

    Args:
        value: the value in the file.

    Returns:
        The number; None if the value is anything else.

    Examples:
        >>> finite_number("0.25"), finite_number("high"), finite_number(float("nan"))
        (0.25, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def id_text(value: object) -> str | None:
    """Return an id as text, so that 1, 1.0 and "1" are the same id.

    Args:
        value: the value in the file.

    Returns:
        The text; None if the value cannot be an id.

    Examples:
        >>> id_text(1.0), id_text(" 1"), id_text("plate1.png"), id_text(None)
        ('1', '1', 'plate1.png', None)
    """
    number = None if isinstance(value, str) else whole_number(value)
    text = value.strip() if isinstance(value, str) else "" if number is None else str(number)
    return text if 0 < len(text) <= _LONGEST_ID else None


def is_true(value: object) -> bool | None:
    """Return a yes or no that is written as 0 and 1, as true and false, or as text.

    Args:
        value: the value in the file; None, which stands for a missing entry, and "" mean no.

    Returns:
        The answer; None if the value is anything else.

    Examples:
        >>> is_true("0"), is_true(1), is_true("True"), is_true(None), is_true("perhaps")
        (False, True, True, False, None)
    """
    if isinstance(value, bool):
        return value
    if value is None or value == "":
        return False
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    number = whole_number(value)
    return bool(number) if number in (0, 1) else None
