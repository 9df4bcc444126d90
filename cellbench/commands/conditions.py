"""Options such as ``--where COLUMN=VALUE``: conditions on the rows of a manifest."""

import argparse
from collections.abc import Iterable


def condition(text: str) -> tuple[str, str]:
    """Return column and value of ``COLUMN=VALUE``.

    Args:
        text: what the user wrote.

    Raises:
        argparse.ArgumentTypeError: if it is not a column, an equals sign and a value.
    """
    column, sign, value = text.partition("=")
    if not (column and sign):
        raise argparse.ArgumentTypeError(f"{text!r}: write COLUMN=VALUE, such as source=dsb2018")
    return column, value


def by_column(conditions: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of each column, in the order of the conditions.

    Args:
        conditions: column and value.

    Examples:
        >>> by_column([("source", "a"), ("modality", "DIC"), ("source", "b")])
        {'source': ['a', 'b'], 'modality': ['DIC']}
    """
    found: dict[str, list[str]] = {}
    for column, value in conditions:
        found.setdefault(column, []).append(value)
    return found
