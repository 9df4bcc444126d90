"""Every table of a board, once: its columns, what kind of value each holds, and what it means.

Writing, reading, checks, ``cellbench rank --help`` and the documentation all use this module. It
imports nothing heavy, so that ``--help`` is quick. Some column names contain the name of what is ranked:
``{value}`` is ``f1`` unless another measure is ranked.
"""

from collections.abc import Iterable
from enum import StrEnum

from cellbench.boards.columns import (
    BOARDS,
    VALUE,
    Column,
    Kind,
    Table,
    number,
    text,
    whole,
    with_interval,
)
from cellbench.boards.error_summary_schema import ERROR_SUMMARY as ERROR_SUMMARY
from cellbench.boards.error_summary_schema import EVALUATION_FILES as EVALUATION_FILES
from cellbench.boards.generalisation_schema import GENERALISATION as GENERALISATION
from cellbench.boards.robustness_schema import ALL_KINDS as ALL_KINDS
from cellbench.boards.robustness_schema import ROBUSTNESS_TABLES as ROBUSTNESS_TABLES
from cellbench.boards.robustness_schema import UNCHANGED as UNCHANGED
from cellbench.choices import Scheme
from cellbench.evaluation.statuses import Status

SCHEMA_VERSION = 2
"""Raised whenever a table changes its columns or their meaning, so that an older board is not misread."""

PROVENANCE_FILE = "provenance.json"
"""The file beside the tables that states what was ranked, how, and with what."""

PAPER_TABLES = {
    "leaderboard.md": "The leaderboard as a table in Markdown, for a README.",
    "leaderboard.tex": "The leaderboard as a table in LaTeX, for a paper.",
}
"""Further files of a board, with what they hold."""


class MetricName(StrEnum):
    """The metrics with a fixed name. The other one is the ranked value, ``f1`` for example.

    Attributes:
        RANK_RUNTIME: seconds of running time above the tolerance.
        CHALLENGE: value and running time together, which decides the leaderboard.
    """

    RANK_RUNTIME = "rank_runtime"
    CHALLENGE = "challenge"


_ALGORITHM = text("algorithm", "Name of the algorithm.")
_IMAGE = text("image", "Name of the image without its last extension, or of the case.")
_MODALITY = text("modality", "Modality of the image; empty where it is not known.")
_STATUS = Column(
    "status",
    Kind.CHOICE,
    "Whether the prediction was usable, and if not, why.",
    tuple(Status),
)
_RUNTIME = number("runtime_s", "Running time on the image in seconds; empty where it is not known.")
_RANK_RUNTIME = number(
    "rank_runtime_s", "Seconds of running time above the tolerance; infinite for a failure."
)
_METRIC = text(
    "metric",
    "What was ranked: the value (f1 unless another measure is ranked), rank_runtime (time above the "
    "tolerance) or challenge (both together).",
)
_SCHEME = Column(
    "scheme", Kind.CHOICE, "Ranking scheme, see `cellbench rank --help`.", tuple(Scheme)
)
_RANK = number("rank", "Rank of the algorithm; 1 is best.")
_BETTER = text("better", "The algorithm that is tested or counted as the better one.")
_WORSE = text("worse", "The algorithm it is compared with.")

SCORES = Table(
    "scores",
    "What `cellbench evaluate` measured: one row for each algorithm, image and IoU threshold.",
    (
        _ALGORITHM,
        _IMAGE,
        _MODALITY,
        number("height", "Height of the image in pixels."),
        number("width", "Width of the image in pixels."),
        number(
            "threshold",
            "IoU (intersection over union) from which a true and a predicted cell match.",
        ),
        number("true_cells", "Number of true cells."),
        number("predicted_cells", "Number of predicted cells."),
        number("tp", "Number of matched pairs of cells."),
        number("fp", "Number of predicted cells without a match."),
        number("fn", "Number of true cells without a match."),
        number("precision", "tp / predicted_cells."),
        number("recall", "tp / true_cells."),
        number("f1", "Harmonic mean of precision and recall."),
        number("dice", "Dice coefficient of the foreground, not of single cells."),
        _RUNTIME,
        number("tolerance_s", "Running time in seconds that costs no rank."),
        _RANK_RUNTIME,
        _STATUS,
    ),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "leaderboard",
            "One row for each algorithm, best first.",
            (
                number("rank", "Rank of the score; 1 is best, equal scores share a rank."),
                _ALGORITHM,
                number("score", "mean_rank divided by the number of algorithms; lower is better."),
                number("mean_rank", "Mean of the ranks over all images and metrics."),
                number(f"mean_rank_{VALUE}", "Mean of the ranks on the value alone."),
                number(
                    "mean_rank_runtime", "Mean of the ranks on running time; empty without times."
                ),
                number("rank_low", "Lower end of the 95 % bootstrap interval of rank."),
                number("rank_high", "Upper end of the 95 % bootstrap interval of rank."),
                number(f"median_{VALUE}", "Median of the value over all images."),
                number(f"{VALUE}_q1", "Lower quartile of the value over all images."),
                number(f"{VALUE}_q3", "Upper quartile of the value over all images."),
                *with_interval(f"mean_{VALUE}", "Mean of the value over all images."),
                number("median_runtime_s", "Median running time in seconds, without failures."),
                number("within_tolerance", "Number of images without time above the tolerance."),
                whole("failed", "Number of images without a usable prediction or value."),
                whole("images", "Number of images that were ranked."),
            ),
        ),
        Table(
            "values",
            "What was ranked: one row for each algorithm and image.",
            (
                *(_ALGORITHM, _IMAGE, _MODALITY, _STATUS),
                number(VALUE, "The value that was ranked, not rounded."),
                *(_RUNTIME, _RANK_RUNTIME),
            ),
        ),
        Table(
            "ranks",
            "The rank of each algorithm on each image.",
            (_ALGORITHM, _IMAGE, _METRIC, _RANK),
        ),
        Table(
            "schemes",
            "The ranking under each of the five schemes.",
            (
                *(_METRIC, _SCHEME, _ALGORITHM),
                number(
                    "value",
                    "What the scheme ranked: a mean or median of values or ranks, or a share of tests won.",
                ),
                _RANK,
            ),
        ),
        Table(
            "significance",
            "Paired one-sided Wilcoxon signed rank tests of all ordered pairs of algorithms.",
            (
                *(_METRIC, _BETTER, _WORSE),
                whole("pairs", "Number of images on which both have a value."),
                number("statistic", "Sum of the ranks of the images on which `better` is better."),
                number("p", "p value of the test."),
                number("p_holm", "p value after Holm's adjustment over all pairs of the metric."),
                Column(
                    "significant",
                    Kind.YES_NO,
                    "Whether p_holm is at most alpha, the significance level (0.05 by default).",
                ),
            ),
        ),
        Table(
            "clusters",
            "Groups of algorithms that do not differ significantly by the tests in significance.csv.",
            (
                _METRIC,
                whole(
                    "cluster",
                    "Number of the group, from 1; an algorithm can be in several. Two algorithms share "
                    "a group if and only if they do not differ significantly on the metric.",
                ),
                _ALGORITHM,
            ),
        ),
        Table(
            "bootstrap",
            "How often each algorithm has each rank when the images are drawn with replacement.",
            (
                *(_METRIC, _SCHEME, _ALGORITHM, _RANK),
                number("frequency", "Share of the bootstrap samples with this rank."),
            ),
        ),
        Table(
            "kendall_tau",
            "How well the ranking of each bootstrap sample agrees with the full ranking.",
            (
                *(_METRIC, _SCHEME, whole("sample", "Number of the bootstrap sample, from 0.")),
                number("tau", "Kendall's tau-b, 1 for the same ranking; empty if all are tied."),
            ),
        ),
        Table(
            "intervals",
            "95 % bootstrap intervals of the numbers in leaderboard.csv.",
            (
                _ALGORITHM,
                text("quantity", "The column of leaderboard.csv that the interval belongs to."),
                number("estimate", "Its value on all images."),
                number("low", "Lower end of the interval."),
                number("high", "Upper end of the interval."),
            ),
        ),
        Table(
            "outranking",
            "How often one algorithm outranks another in the bootstrap.",
            (
                *(_METRIC, _SCHEME, _BETTER, _WORSE),
                number(
                    "probability", "Share of the samples in which `better` has the better rank."
                ),
                number("tied", "Share of the samples in which both have the same rank."),
            ),
        ),
        Table(
            "sensitivity",
            "How the ranking changes when one option is changed at a time.",
            (
                text("option", "The option that is changed: ties, scheme, weights or tolerance."),
                text("choice", "The changed value of the option."),
                *(_ALGORITHM, _RANK),
                number(
                    "places",
                    "This rank minus the rank on the board; above 0 is worse, below 0 better.",
                ),
            ),
        ),
        Table(
            "consensus",
            "The ranks on each modality (or board), and the ranking of their mean.",
            (
                _ALGORITHM,
                number(BOARDS, "Rank on this modality (or board); one column for each."),
                number("mean_rank", "Mean of these ranks."),
                number("rank", "Rank of the mean; 1 is best."),
            ),
        ),
        Table(
            "algorithms",
            "What the entry.yaml of each algorithm states; empty where nothing is known.",
            (
                _ALGORITHM,
                text("title", "Name that the page shows."),
                text("authors", "Authors, separated by semicolons."),
                text("paper", "Reference of the paper."),
                text("code", "Address of the code."),
                text("licence", "Licence of the code."),
                text("weights_licence", "Licence of the weights."),
                text("trained_on", "Datasets it was trained on, separated by semicolons."),
                text(
                    "submitted", "True if the scores were submitted, False if they were made here."
                ),
            ),
        ),
    )
}
"""The tables that ``cellbench rank`` writes, by name; ``consensus`` only for several modalities."""


def consensus_names(boards: Iterable[str]) -> list[str]:
    """Return the names of the columns of consensus.csv.

    Args:
        boards: the names of the boards (or modalities), in order.

    Returns:
        The names; a board may be called like another column.
    """
    names = list(boards)
    expanded = (names if name == BOARDS else [name] for name in TABLES["consensus"].names())
    return [name for part in expanded for name in part]


def reserved_names() -> set[str]:
    """Return the column names that a ranked value cannot have, because the board uses them itself."""
    own = set(TABLES["values"].names("")) | {"tolerance_s", "runtime", "rank"}
    return own | set(MetricName)
