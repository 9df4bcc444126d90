"""Numbers as text for readers."""

import math

NOTHING = "–"
"""The text for a missing number."""


def number(value: float, decimals: int = 3) -> str:
    """Format a number with a minus sign; a missing one becomes a dash.

    Args:
        value: the number; NaN and infinite values count as missing.
        decimals: digits after the point.

    Examples:
        >>> number(0.5), number(-2.0, 1), number(float("nan")), number(12345678.9, 1)
        ('0.500', '−2.0', '–', '12,345,678.9')
        >>> number(1.25e-7), number(3e12)
        ('1.25e−07', '3e+12')
    """
    if not math.isfinite(value):
        return NOTHING
    plain = value == 0 or 1e-3 <= abs(value) < 1e9
    text = f"{value:,.{decimals}f}" if plain else f"{value:.{decimals}g}"
    return text.replace("-", "−")


def span(low: float, high: float, decimals: int = 3) -> str:
    """Format an interval.

    Args:
        low: the lower end.
        high: the upper end.
        decimals: digits after the point.

    Returns:
        The text; empty if an end is missing.

    Examples:
        >>> span(1, 2.5, 1), span(float("nan"), 2)
        ('1.0 to 2.5', '')
    """
    ends = [number(low, decimals), number(high, decimals)]
    return "" if NOTHING in ends else " to ".join(ends)


def rank_text(rank: float) -> str:
    """Format a rank, which need not be a whole number.

    Args:
        rank: a rank, or the end of an interval of ranks.

    Examples:
        >>> rank_text(3.0), rank_text(2.5), rank_text(27.025)
        ('3', '2.5', '27')
    """
    return f"{round(rank, 1):g}" if math.isfinite(rank) else NOTHING


def count(number_of: int, one: str) -> str:
    """Format a number of things.

    Args:
        number_of: how many there are.
        one: the noun in the singular, whose plural ends in s.

    Examples:
        >>> count(1, "image"), count(2000, "image")
        ('1 image', '2,000 images')
    """
    return f"{number_of:,} {one if number_of == 1 else one + 's'}"


def size(bytes_: int) -> str:
    """Format the size of a file.

    Args:
        bytes_: the size in bytes.

    Examples:
        >>> size(300), size(20_400), size(3_200_000)
        ('300 B', '20 kB', '3.2 MB')
    """
    if bytes_ < 1000:
        return f"{bytes_} B"
    return f"{bytes_ / 1000:.0f} kB" if bytes_ < 1_000_000 else f"{bytes_ / 1e6:.1f} MB"
