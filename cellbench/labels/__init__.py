"""Label maps: (H, W) integers, 0 is background, one id per cell.

Reading, writing, relabelling, frame cells, validity and run-length codes.
"""

from cellbench.labels.banded import BandedLabels, in_bands
from cellbench.labels.files import (
    label_files,
    label_path,
    open_labels,
    read_labels,
    write_labels,
)
from cellbench.labels.maps import (
    FRAME_WIDTH,
    LabelMap,
    cell_ids,
    check_labels,
    frame_cell_ids,
    relabel,
    remove_frame_cells,
)
from cellbench.labels.pieces import count_pieces, pieces_of_one_id, split_components
from cellbench.labels.runs import (
    CellCounts,
    count_cells,
    decode_runs,
    encode_cells,
    encode_runs,
    parse_runs,
    run_pixels,
    share_of_touching_runs,
)

__all__ = [
    "FRAME_WIDTH",
    "BandedLabels",
    "CellCounts",
    "LabelMap",
    "cell_ids",
    "check_labels",
    "count_cells",
    "count_pieces",
    "decode_runs",
    "encode_cells",
    "encode_runs",
    "frame_cell_ids",
    "in_bands",
    "label_files",
    "label_path",
    "open_labels",
    "parse_runs",
    "pieces_of_one_id",
    "read_labels",
    "relabel",
    "remove_frame_cells",
    "run_pixels",
    "share_of_touching_runs",
    "split_components",
    "write_labels",
]
