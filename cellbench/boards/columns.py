"""What a table's description is made of: columns, the kinds of values they hold, and their meaning."""

from dataclasses import dataclass
from enum import StrEnum

VALUE = "{value}"
"""Stands for the name of what is ranked in the names of columns."""
BOARDS = "{board}"
"""Stands for as many columns as there are boards (or modalities), each with the name of one."""


class Kind(StrEnum):
    """What the cells of a column hold.

    Attributes:
        TEXT: any text, as it is: "NA" is a name.
        NUMBER: a number with as many digits as it has; empty where it is not known.
        WHOLE: a whole number, never empty.
        YES_NO: True or False.
        CHOICE: one of a few words.
    """

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    YES_NO = "True or False"
    CHOICE = "one of"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: its name; may contain ``VALUE``, or be ``BOARDS``.
        kind: what its cells hold.
        meaning: one plain sentence.
        choices: the words of a column of kind ``CHOICE``.
    """

    name: str
    kind: Kind
    meaning: str
    choices: tuple[str, ...] = ()

    @property
    def holds(self) -> str:
        """What its cells hold, in words."""
        return " ".join([self.kind, ", ".join(self.choices)]).strip()


@dataclass(frozen=True)
class Table:
    """One table, which is the file ``<name>.csv``.

    Attributes:
        name: its name.
        meaning: one plain sentence.
        columns: its columns, in order.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.csv"

    def names(self, value: str = "f1") -> list[str]:
        """Return the names of the columns.

        Args:
            value: the name of what is ranked.

        Returns:
            The names, in order.
        """
        return [column.name.replace(VALUE, value) for column in self.columns]

    def kinds(self, value: str = "f1") -> dict[str, Kind]:
        """Return what the cells of each column hold.

        Args:
            value: the name of what is ranked.

        Returns:
            Name to kind, in order.
        """
        return dict(zip(self.names(value), (column.kind for column in self.columns), strict=True))


def text(name: str, meaning: str) -> Column:
    """Return a column of any text, as it is.

    Args:
        name: its name.
        meaning: one plain sentence.
    """
    return Column(name, Kind.TEXT, meaning)


def number(name: str, meaning: str) -> Column:
    """Return a column of a number, or empty where it is not known.

    Args:
        name: its name.
        meaning: one plain sentence.
    """
    return Column(name, Kind.NUMBER, meaning)


def with_interval(name: str, meaning: str) -> tuple[Column, Column, Column]:
    """Return a column of a number, and the columns of the ends of its interval.

    Args:
        name: its name; the others end in ``_low`` and ``_high``.
        meaning: one plain sentence.
    """
    ends = {"low": "Lower", "high": "Upper"}
    low, high = (
        number(f"{name}_{end}", f"{word} end of its 95 % bootstrap interval.")
        for end, word in ends.items()
    )
    return number(name, meaning), low, high


def whole(name: str, meaning: str) -> Column:
    """Return a column of a whole number.

    Args:
        name: its name.
        meaning: one plain sentence.
    """
    return Column(name, Kind.WHOLE, meaning)
