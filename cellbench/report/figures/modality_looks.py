"""Modalities: their order, and the colour and shape that each has in every figure."""

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.style import COLOURS

_MARKERS = "os^Dv"


def modalities_of(board: BoardTables) -> list[str]:
    """List the modalities by name; images without one ("") come last."""
    names = board.values["modality"].unique()
    return sorted(names, key=lambda name: (name == "", name.lower(), name))


def look_of(place: int) -> tuple[str, str]:
    """Give the colour and the marker of the modality at a place of the list.

    Example:
        >>> look_of(0)
        ('#0072B2', 'o')
    """
    return COLOURS[place % len(COLOURS)], _MARKERS[place % len(_MARKERS)]
