"""What was ranked and how, from provenance.json, in words."""

from collections.abc import Mapping
from typing import Any

from cellbench.boards.reading import BoardTables
from cellbench.report.page.runs import describe_isolation, describe_timing
from cellbench.report.page.texts import count

Fact = tuple[str, str]


def at_a_glance(board: BoardTables) -> list[Fact]:
    """Describe how the ranking was made.

    Args:
        board: the tables; provenance is used.

    Returns:
        Pairs of a term and its description.
    """
    known = board.provenance
    facts = [
        ("Compared", _compared(board)),
        ("Ranked by", _ranked_by(board)),
        ("Ranking scheme", f"{known['scheme']}, ties {known['ties']}"),
        ("Scoring protocol", describe_protocol(board)),
        (f"A failed {board.unit} counts as", _words(known.get("failures"))),
        ("Intervals", _bootstrap(board)),
        ("Groups", _tests(known)),
        ("Running times", describe_timing(board)),
        ("Isolation", describe_isolation(board)),
    ]
    return [(term, description) for term, description in facts if description]


def origin(board: BoardTables) -> list[Fact]:
    """Describe with which software and from which files the board was made.

    Args:
        board: the tables; provenance is used.

    Returns:
        Pairs of a term and its description.
    """
    known = board.provenance
    facts = [
        ("Software", _pairs(known.get("software"))),
        ("Commit", _words(known.get("commit"))),
        ("Hardware", _pairs(known.get("hardware"))),
        ("Command", _words(known.get("command"))),
    ]
    for scores in known.get("scores") or []:
        facts.append((_words(scores.get("file")), f"SHA-256 {_words(scores.get('sha256'))}"))
    return [(term, description) for term, description in facts if description]


def _compared(board: BoardTables) -> str:
    algorithms = count(len(board.leaderboard), "algorithm")
    images = count(board.values["image"].nunique(), board.unit)
    return f"{algorithms} on {images}, the same for all"


def _ranked_by(board: BoardTables) -> str:
    direction = "higher" if board.higher_is_better else "lower"
    words = f"{board.value_title} ({direction} is better)"
    if board.timed:
        shares = ":".join(f"{weight:g}" for weight in board.provenance.get("weights") or ())
        words += f" and running time beyond the tolerance (lower is better), weights {shares}"
    reason = _words(board.provenance.get("ranked_on_reason"))
    return f"{words}: {reason}" if reason else words


def describe_protocol(board: BoardTables) -> str:
    """Name the rules by which the label maps were scored.

    Args:
        board: the tables; provenance is used.
    """
    protocol = board.provenance.get("protocol")
    if not protocol:
        return "none: a table of values was ranked"
    return f"{_words(protocol.get('name'))}, version {_words(protocol.get('version'))}"


def _bootstrap(board: BoardTables) -> str:
    known = board.provenance
    samples = known.get("bootstrap")
    if not isinstance(samples, int):
        return ""
    return (
        f"95 %, {count(samples, 'bootstrap sample')} of the {board.unit}s, seed {known.get('seed')}"
    )


def _tests(known: Mapping[str, Any]) -> str:
    alpha = known.get("alpha")
    if alpha is None:
        return ""
    return f"paired Wilcoxon signed-rank tests, Holm's adjustment, p ≤ {alpha:g}"


def _pairs(named: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name} {_words(value)}" for name, value in (named or {}).items())


def _words(value: object) -> str:
    return "" if value is None else str(value)
