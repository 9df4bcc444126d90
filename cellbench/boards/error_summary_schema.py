"""The summary that ``cellbench evaluate --details`` writes; part of [`cellbench.boards.schema`][]."""

from cellbench.boards.columns import Table, number, text
from cellbench.evaluation.cell_classes import SHAPE_WORDS

ERROR_SUMMARY = Table(
    "scores_summary",
    "What `cellbench evaluate --details` counted over many images, at IoU 0.5. The table also has means "
    "of measures of scores_details.csv.",
    (
        text("algorithm", "Name of the algorithm."),
        text("group", "What the row counts: all, modality, cell area or cell shape."),
        text(
            "value",
            f"The modality, the area of the cells in pixels, or their shape ({SHAPE_WORDS}). Elongation is "
            "the ratio of the axes of the ellipse with the same second moments. The true cell decides the "
            "class of true_cells, tp and fn, the predicted cell that of fp.",
        ),
        number("images", "Number of images; of area and shape, those with such a cell."),
        number("true_cells", "Number of true cells."),
        number("predicted_cells", "tp + fp."),
        number("tp", "Number of matched pairs of cells."),
        number("fp", "Number of predicted cells without a match."),
        number("fn", "Number of true cells without a match."),
        number("precision", "tp / predicted_cells."),
        number("recall", "tp / true_cells."),
        number("f1", "Harmonic mean of precision and recall."),
        number("median_f1", "Median F1 of the images; empty for area and shape."),
        number("mean_f1", "Mean F1 of the images; empty for area and shape."),
        number("fn_missed", "True cells that no predicted cell resembles."),
        number("fn_merged", "True cells that share a predicted cell, which covers half of each."),
        number("fn_split", "True cells with several predicted cells that are mostly inside them."),
        number("fn_poor_outline", "True cells whose outline was not good enough (IoU 0.1 to 0.5)."),
        number("fp_spurious", "Predicted cells that resemble no true cell."),
        number("fp_merged", "Predicted cells that cover half of each of several true cells."),
        number("fp_split", "Predicted cells that are one of several inside a true cell."),
        number("fp_poor_outline", "Predicted cells with a poor outline (IoU 0.1 to 0.5)."),
    ),
)
"""The part of the table that the page of a board shows, if the table is in the board's folder."""

EVALUATION_FILES = (ERROR_SUMMARY.file, "scores_details.csv", "scores_cells.csv")
"""What ``cellbench evaluate --details --cells`` writes beside scores.csv."""
