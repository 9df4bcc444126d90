"""Who leads, whether the images suffice to say so, and what a reader of the leaderboard must know."""

from dataclasses import dataclass

from cellbench.boards.groups import group_metric
from cellbench.boards.reading import BoardTables
from cellbench.boards.schema import MetricName
from cellbench.boards.verdict import FEW_IMAGES, Claim, verdict


@dataclass(frozen=True)
class Headline:
    """The sentence at the top of a page or of a modality.

    Attributes:
        names: the algorithms of the best rank.
        claim: the rest of the sentence, which follows the names.
        caution: what cannot be concluded from so few images; empty if there are enough.
        late: algorithms that exceeded the time tolerance, each with the number of images.
    """

    names: tuple[str, ...]
    claim: Claim
    caution: str
    late: tuple[tuple[str, int], ...]


def make_headline(board: BoardTables) -> Headline:
    """State who leads a board, how certain that is, and which algorithms were too slow.

    Args:
        board: the tables of a board or of one of its modalities.

    Returns:
        The names apart from the rest, so that a page can mark them as names.
    """
    facts = verdict(board.leaderboard, board.significance, board.bootstrap, unit=board.unit)
    caution = ""
    if facts.images < FEW_IMAGES and len(board.ranking) > 1:
        caution = (
            f"With fewer than {FEW_IMAGES} {board.unit}s, the intervals, the groups and the figures about "
            "certainty cannot show how certain the ranking is."
        )
    return Headline(facts.leaders, facts.claim, caution, _late(board))


def _late(board: BoardTables) -> tuple[tuple[str, int], ...]:
    """Count, by algorithm, the images that took longer than the tolerance without failing."""
    over = (board.values["rank_runtime_s"] > 0) & (board.values["status"] == "ok")
    counts = board.values.loc[over, "algorithm"].value_counts()
    return tuple((name, int(counts[name])) for name in board.ranking.index if name in counts)


def group_words(board: BoardTables) -> str:
    """Return in words what the groups of the leaderboard are about.

    Args:
        board: the tables.

    Returns:
        For example "F1", or "F1 and running time".
    """
    both = group_metric(board, board.value) == MetricName.CHALLENGE and board.timed
    return f"{board.value_title} and running time" if both else board.value_title


def table_sentences(board: BoardTables) -> list[str]:
    """Explain the columns of the leaderboard.

    Args:
        board: the tables.

    Returns:
        Complete sentences.
    """
    names = [f"{board.value}_q1", f"{board.value}_q3"]
    quartiles = board.leaderboard[names]
    share = quartiles.min().min() >= 0 and quartiles.max().max() <= 1
    span = "from 0 to 1" if share else "from the smallest to the largest of them"
    sentences = [
        "The score is the mean rank of an algorithm divided by the number of algorithms: a lower score "
        "is better.",
        "The small numbers are 95 % intervals; below the median they are the quartiles, which are also "
        f"drawn on a bar {span}.",
    ]
    if board.leaderboard["within_tolerance"].notna().any():
        sentences.append(
            "“In time” is the number of images that were finished within the time tolerance."
        )
    if len(board.clusters):
        together = group_metric(board, board.value) == MetricName.CHALLENGE
        sentences.append(
            "Algorithms that share a letter in “Group” do not differ significantly in "
            f"{group_words(board)}{' together' if together else ''}."
        )
    return sentences
