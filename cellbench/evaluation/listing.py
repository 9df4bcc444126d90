"""Lists of names in messages."""

from collections.abc import Sequence

_SHOWN = 3


def listed(names: Sequence[str]) -> str:
    """Return the first names of a list in words, and how many more there are.

    Args:
        names: the names.

    Examples:
        >>> listed(["a", "b", "c", "d", "e"])
        'a, b, c and 2 more'
    """
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
