"""Which values the options of a representation allow: one rule for constructors and for decoding."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Protocol

from cellbench.errors import UsageError

Value = float | bool


class Allowed(Protocol):
    """The values that an option allows; its text completes the sentence "must be …"."""

    def read(self, value: object) -> Value | None:
        """Return an allowed value as a Python number, and None for any other.

        Args:
            value: what somebody gave for the option.
        """


@dataclass(frozen=True)
class Numbers:
    """Finite numbers in an interval.

    Attributes:
        low: the smallest number.
        high: the largest number.
        above: whether ``low`` itself is not allowed.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False

    def read(self, value: object) -> float | None:
        """Return an allowed number, and None for anything else; True is not a number here.

        Args:
            value: what somebody gave for the option.
        """
        number = _finite(value)
        if number is None or not self.low <= number <= self.high:
            return None
        return None if self.above and number == self.low else number

    def __str__(self) -> str:
        if self.low == -math.inf:
            return "a finite number"
        if self.high == math.inf:
            return f"a finite number {'above' if self.above else 'of at least'} {self.low:g}"
        if self.above:
            return f"a number above {self.low:g} and at most {self.high:g}"
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class WholeNumbers:
    """Whole numbers from ``low`` on. 5.0 is one too, because files of options often store it so.

    Attributes:
        low: the smallest number.
        high: the largest number.
        step: distance of the allowed numbers.
    """

    low: int = 0
    high: float = math.inf
    step: int = 1

    def read(self, value: object) -> int | None:
        """Return an allowed number as an integer, and None for anything else.

        Args:
            value: what somebody gave for the option.
        """
        number = _finite(value)
        if number is None or not self.low <= number <= self.high or (number - self.low) % self.step:
            return None
        return int(number)

    def __str__(self) -> str:
        if self.high == self.low + self.step:
            return f"{self.low} or {self.high:g}"
        end = "on" if self.high == math.inf else f"to {self.high:g}"
        steps = f" in steps of {self.step}" if self.step > 1 else ""
        return f"a whole number from {self.low} {end}{steps}"


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def read(self, value: object) -> bool | None:
        """Return True or False as it is, and None for anything else.

        Args:
            value: what somebody gave for the option.
        """
        return value if isinstance(value, bool) else None

    def __str__(self) -> str:
        return "true or false"


SHARE = Numbers(0, 1)
"""A probability or another share."""

WEIGHT = Numbers(0)
"""A weight in a loss, or another number that is not negative."""

PIXELS = WholeNumbers(0)
"""A number of pixels."""


def checked(name: str, value: object, options: Mapping[str, Allowed]) -> Value:
    """Return the value of an option as a Python number.

    Args:
        name: the option.
        value: what somebody gave for it.
        options: what each option allows.

    Raises:
        UsageError: if the option does not allow the value.

    Examples:
        >>> checked("grid", 2.0, {"grid": WholeNumbers(1)})
        2
    """
    allowed = options[name].read(value)
    if allowed is None:
        raise UsageError(f"{name}={value!r}: must be {options[name]}")
    return allowed


def _finite(value: object) -> float | None:
    """Return a finite number as int or float, and None for anything else, also an integer beyond floats."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    return int(value) if isinstance(value, Integral) else number
