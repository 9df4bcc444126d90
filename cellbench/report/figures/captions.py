"""The figures of a board: their file names, their titles, and how to read them."""

from typing import NamedTuple

from cellbench.evaluation.cell_classes import SHAPE_WORDS


class Caption(NamedTuple):
    """The texts of a figure.

    Attributes:
        name: file name without suffix.
        title: the question that the figure answers.
        reading: how to read the figure, in complete sentences; ``{unit}`` stands for what is compared.
    """

    name: str
    title: str
    reading: str


FIGURES = (
    Caption(
        "values_by_algorithm",
        "How good is each algorithm?",
        "Each dot is one {unit}; its colour and shape show the modality, where it is known. The box spans "
        "the middle half of the {unit}s (first to third quartile), the line in it is the median, and the "
        "whiskers span the middle 95 % of the {unit}s. The algorithm with the best rank is at the top.",
    ),
    Caption(
        "values_by_modality",
        "Is an algorithm good on every modality?",
        "Each panel shows one modality. The marker is the median of the algorithm on these {unit}s, the "
        "thick line spans the middle half of them and the thin line the middle 95 %. The vertical gray "
        "line is the median over all algorithms. The number is the rank on this modality: blue if it is "
        "clearly better than the rank on all {unit}s, orange if it is clearly worse.",
    ),
    Caption(
        "value_and_runtime",
        "Which algorithms are both good and fast?",
        "Each point is an algorithm, placed at its median running time and its median result; the "
        "number is its rank. Thin lines span the middle half of the {unit}s. The green line connects "
        "the algorithms for which no other algorithm is both faster and better.",
    ),
    Caption(
        "significance",
        "Which differences between algorithms are significant?",
        "A filled square means that the algorithm of the row is significantly better than the algorithm "
        "of the column (paired Wilcoxon signed-rank test, adjusted for multiple testing by Holm's "
        "method); a stronger colour means a smaller p value. Algorithms whose dots are joined by a "
        "vertical line at the right do not differ significantly from each other.",
    ),
    Caption(
        "rank_stability",
        "How certain is each rank?",
        "The area of a disc shows how often the algorithm had that rank when the {unit}s were resampled "
        "with replacement (bootstrap). The cross marks the median rank and the line spans 95 % of the "
        "samples. The numbers at the right show how often the algorithm was first, and how often it "
        "was ahead of the next algorithm.",
    ),
    Caption(
        "schemes",
        "Would another ranking scheme change the order?",
        "Each line follows one algorithm through its ranks under five ranking schemes; the first scheme, "
        "in bold, is the one of this board. If the lines are level, the choice of the scheme does not "
        "matter. Gray bars join equal ranks. The algorithms whose ranks change most are in colour.",
    ),
    Caption(
        "kendall_tau",
        "How much does the ranking depend on the test data?",
        "Kendall's tau compares the ranking with the rankings of bootstrap samples of the {unit}s: 1 is "
        "the same order, 0 no relation and −1 the reverse order. The height of the coloured shape shows "
        "how often a value occurs. The dot is the median, the thick line spans the middle half of the "
        "samples and the thin line the middle 95 %.",
    ),
    Caption(
        "podium",
        "How often is each algorithm first, second, third or last?",
        "Bars to the right of zero show the share of the {unit}s on which the algorithm is first, second "
        "or third. Bars to the left show the share on which it is last.",
    ),
    Caption(
        "rank_heat_map",
        "How consistent is the rank of each algorithm?",
        "The colour of a square shows on what share of the {unit}s the algorithm of the row has the rank "
        "of the column. An algorithm whose rank is much the same on all {unit}s has few coloured squares.",
    ),
    Caption(
        "sensitivity",
        "Would other ranking rules change the result?",
        "Each column changes one rule of the ranking and keeps all others; the rules of this board are "
        "in bold. The number is the rank that the algorithm would have: blue with ↑ is better than on "
        "this board, orange with ↓ is worse. Below each column is the number of algorithms whose rank "
        "changes, at the right the range of the ranks.",
    ),
)
"""The figures in the order in which they are best read; not every board has each of them."""

ROBUSTNESS = Caption(
    "robustness",
    "How much worse does each algorithm become when the microscope changes?",
    "Each panel shows one kind of perturbation, and each line one algorithm: its mean F1 on the images, "
    "from unchanged (severity 0) to severely perturbed (5). With up to three algorithms, the bands are "
    "95 % intervals of the bootstrap over the {unit}s.",
)
"""The figure of boards with robustness.csv, which the page shows in a section of its own."""

ERRORS = (
    Caption(
        "errors",
        "What does each algorithm do wrong?",
        "Left: what happened to the true cells, all {unit}s together. A cell is found if a predicted cell "
        "overlaps it with an IoU of 0.5 or more. The outline is poor if the best IoU is 0.1 to 0.5; merged "
        "cells share a predicted cell; a split cell holds several predicted cells; all others are missed. "
        "Right: the predicted cells that match no true cell, for each true cell; spurious ones resemble "
        "none. Bars above 1 are cut off, the number is not.",
    ),
    Caption(
        "errors_by_cell",
        "Which cells are difficult for each algorithm?",
        "The number is the F1 on cells of one size, or of one shape, all {unit}s together; a stronger "
        "colour is better. Below each class is the number of true cells. Elongation is the ratio of the "
        f"long to the short axis ({SHAPE_WORDS}).",
    ),
    Caption(
        "error_kinds",
        "What goes wrong with small, large, round and long cells?",
        "Each panel shows the true cells of one size in pixels, or of one shape, all {unit}s together: how "
        "many of them were found, and what happened to the others. Above each panel is the number of "
        "cells.",
    ),
)
"""The figures of boards with scores_summary.csv, which the page shows in a section of their own."""

TITLES = {caption.name: caption.title for caption in FIGURES}
