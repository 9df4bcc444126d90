"""Connected pieces of cells: notice a binary mask that stands in for a label map, and split it.

Two pixels are connected if they share a side or a corner (8-connectivity, as in scikit-image and ImageJ).
"""

import numpy as np

from cellbench.labels.maps import LabelMap, cell_ids, check_labels

_CORNERS = 2  # connectivity in scikit-image: pixels that share a corner are neighbours


def pieces_of_one_id(labels: LabelMap) -> int:
    """Count the connected pieces of a label map that contains a single id.

    With more than one piece, it probably is a binary mask (background 0, all cells 1 or 255).

    Args:
        labels: (H, W) label map.

    Returns:
        The number of pieces; 0 if the label map has no cells or more than one id.

    Examples:
        >>> pieces_of_one_id(np.array([[255, 0, 255], [0, 0, 255]]))
        2
        >>> pieces_of_one_id(np.array([[1, 0, 2], [0, 0, 2]]))
        0
    """
    labels = check_labels(labels)
    mask = labels != 0
    if not mask.any() or (labels[mask] != labels.max()).any():
        return 0
    return count_pieces(labels)[1]


def count_pieces(labels: LabelMap) -> tuple[int, int]:
    """Count the ids of a label map and their connected pieces.

    Cells have about one piece each; pictures and maps of classes have many pieces with the same value.

    Args:
        labels: (H, W) label map.

    Returns:
        The number of ids, and the number of pieces of all of them together.

    Examples:
        >>> count_pieces(np.array([[255, 0, 7], [0, 0, 0], [7, 0, 255]]))
        (2, 4)
    """
    from skimage.measure import label

    labels = check_labels(labels)
    pieces = label(labels, return_num=True, background=0, connectivity=_CORNERS)[1]
    return len(cell_ids(labels)), int(pieces)


def split_components(labels: LabelMap) -> LabelMap:
    """Split cells into their connected pieces, each with an id, which makes a label map of a binary mask.

    Cells of a binary mask that touch each other become one cell: the mask does not tell them apart.

    Args:
        labels: (H, W) label map or binary mask.

    Returns:
        (H, W) uint16, or uint32 from 65,536 pieces on, with the ids 1 … N.

    Examples:
        >>> split_components(np.array([[255, 0, 255], [0, 0, 255]])).tolist()
        [[1, 0, 2], [0, 0, 2]]
    """
    from skimage.measure import label

    pieces, count = label(
        check_labels(labels), return_num=True, background=0, connectivity=_CORNERS
    )
    split: LabelMap = pieces.astype(np.uint16 if count <= np.iinfo(np.uint16).max else np.uint32)
    return split
