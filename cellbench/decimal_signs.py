"""Whether the commas in the numbers of a table are decimal signs."""

import re
from collections.abc import Collection

_DECIMAL_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?|[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?")
_DECIMAL_POINT = re.compile(r"[+-]?(\d+\.\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def has_decimal_commas(cells: Collection[str], separator: str) -> bool:
    """Return whether the numbers of a column have commas as decimal signs.

    A comma before exactly three digits can also separate thousands. Where semicolons separate the columns,
    it is a decimal sign, because that is why spreadsheets use semicolons.

    Args:
        cells: the texts of the column.
        separator: what separates the columns of the table.

    Raises:
        ValueError: if the numbers have thousands separators or two kinds of decimal signs, or if it is
            unclear what the commas are. The message says which.

    Examples:
        >>> has_decimal_commas(["0,702", "1"], ";"), has_decimal_commas(["0.702", "1"], ";")
        (True, False)
    """
    commas = [cell for cell in map(str.strip, cells) if "," in cell]
    for cell in commas:
        if not _DECIMAL_COMMA.fullmatch(cell):
            if _THOUSANDS.fullmatch(cell):
                raise ValueError(f"{cell!r} has thousands separators; write it without them")
            return False  # not a number at all
    points = next((cell for cell in map(str.strip, cells) if _DECIMAL_POINT.fullmatch(cell)), None)
    if commas and points is not None:
        raise ValueError(
            f"{commas[0]!r} has a decimal comma, but {points!r} has a decimal point; use one of them"
        )
    if commas and separator != ";" and all(map(_THOUSANDS.fullmatch, commas)):
        raise ValueError(
            f"the comma in {commas[0]!r} can be a decimal sign or separate thousands; write "
            f"{commas[0].replace(',', '.')} or {commas[0].replace(',', '')}"
        )
    return bool(commas)
