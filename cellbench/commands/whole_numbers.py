"""Whole numbers as values of options: seeds and counts."""

import argparse
from collections.abc import Callable


def whole_number(smallest: int) -> Callable[[str], int]:
    """Return a function that reads a whole number, for `add_argument(type=…)`.

    Args:
        smallest: the smallest number that is allowed: 0 for seeds, 1 for counts.

    Examples:
        >>> whole_number(1)("3")
        3
    """

    def read(text: str) -> int:
        if text.isdecimal() and int(text) >= smallest:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number from {smallest} up")

    return read
