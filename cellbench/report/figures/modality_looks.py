"""The order of the modalities, and the colour and marker that each has in every figure."""

from cellbench.boards.reading import BoardTables
from cellbench.report.figures.style import COLOURS

_MARKERS = "os^Dv"


def modalities_of(board: BoardTables) -> list[str]:
    """List the modalities of a board.

    Args:
        board: the tables; values is used.

    Returns:
        The names in alphabetical order; the empty name of images without a modality comes last.
    """
    names = board.values["modality"].unique()
    return sorted(names, key=lambda name: (name == "", name.lower(), name))


def look_of(place: int) -> tuple[str, str]:
    """Return the colour and the marker of a modality.

    Args:
        place: index of the modality in the list of [`modalities_of`][].

    Examples:
        >>> look_of(0)
        ('#0072B2', 'o')
    """
    return COLOURS[place % len(COLOURS)], _MARKERS[place % len(_MARKERS)]
