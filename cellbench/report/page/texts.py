"""Numbers in words for readers."""

import math

NOTHING = "–"
"""What stands for a number that is not there."""


def number(value: float, decimals: int = 3) -> str:
    """Write a number with a true minus; a missing one as a dash.

    Example:
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
    """Write an interval; nothing where an end is missing.

    Example:
        >>> span(1, 2.5, 1), span(float("nan"), 2)
        ('1.0 to 2.5', '')
    """
    ends = [number(low, decimals), number(high, decimals)]
    return "" if NOTHING in ends else " to ".join(ends)


def rank_text(rank: float) -> str:
    """Write a rank, which a tie method may make a half, or the end of an interval between two.

    Example:
        >>> rank_text(3.0), rank_text(2.5), rank_text(27.025)
        ('3', '2.5', '27')
    """
    return f"{round(rank, 1):g}" if math.isfinite(rank) else NOTHING


def count(number_of: int, one: str, more: str = "") -> str:
    """Write a number of things.

    Example:
        >>> count(1, "image"), count(2000, "image"), count(2, "entry", "entries")
        ('1 image', '2,000 images', '2 entries')
    """
    return f"{number_of:,} {one if number_of == 1 else more or one + 's'}"


def size(bytes_: int) -> str:
    """Write the size of a file.

    Example:
        >>> size(300), size(20_400), size(3_200_000)
        ('300 B', '20 kB', '3.2 MB')
    """
    if bytes_ < 1000:
        return f"{bytes_} B"
    return f"{bytes_ / 1000:.0f} kB" if bytes_ < 1_000_000 else f"{bytes_ / 1e6:.1f} MB"


def letter(place: int) -> str:
    """Name a group by a letter, from the 27th on by two.

    Example:
        >>> letter(1), letter(26), letter(27)
        ('a', 'z', 'aa')
    """
    rest, last = divmod(place - 1, 26)
    return (letter(rest) if rest else "") + chr(ord("a") + last)
