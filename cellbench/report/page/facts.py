"""What was ranked and how, from provenance.json, in words."""

from collections.abc import Mapping
from typing import Any

from cellbench.boards.reading import BoardTables
from cellbench.report.page.texts import count

Fact = tuple[str, str]


def at_a_glance(board: BoardTables) -> list[Fact]:
    """Say what decides the ranking, as pairs of a word and what it is."""
    known = board.provenance
    facts = [
        ("Compared", _compared(board)),
        ("Ranked on", _ranked_on(board)),
        ("Scheme", f"{known['scheme']}, ties {known['ties']}"),
        ("Protocol", _protocol(known.get("protocol"))),
        ("Failures", _words(known.get("failures"))),
        ("Intervals", _bootstrap(known)),
        ("Groups", _tests(known)),
    ]
    return [(word, told) for word, told in facts if told]


def origin(board: BoardTables) -> list[Fact]:
    """Say with what and from what the board was made."""
    known = board.provenance
    facts = [
        ("Software", _pairs(known.get("software"))),
        ("Commit", _words(known.get("commit"))),
        ("Hardware", _pairs(known.get("hardware"))),
        ("Command", _words(known.get("command"))),
    ]
    for scores in known.get("scores") or []:
        facts.append((_words(scores.get("file")), f"SHA-256 {_words(scores.get('sha256'))}"))
    return [(word, told) for word, told in facts if told]


def _compared(board: BoardTables) -> str:
    algorithms = count(len(board.leaderboard), "algorithm")
    images = count(board.values["image"].nunique(), "image")
    return f"{algorithms} on {images}, the same for all"


def _ranked_on(board: BoardTables) -> str:
    direction = "higher" if board.higher_is_better else "lower"
    words = f"{board.value_title} ({direction} is better)"
    if board.timed:
        shares = ":".join(f"{weight:g}" for weight in board.provenance.get("weights") or ())
        words += f" and running time beyond the tolerance, weights {shares}"
    reason = _words(board.provenance.get("ranked_on_reason"))
    return f"{words}: {reason}" if reason else words


def _protocol(protocol: Mapping[str, Any] | None) -> str:
    if not protocol:
        return "none: a table of values was ranked"
    return f"{_words(protocol.get('name'))}, version {_words(protocol.get('version'))}"


def _bootstrap(known: Mapping[str, Any]) -> str:
    samples = known.get("bootstrap")
    if not isinstance(samples, int):
        return ""
    return f"95 %, {count(samples, 'bootstrap sample')} of the images, seed {known.get('seed')}"


def _tests(known: Mapping[str, Any]) -> str:
    alpha = known.get("alpha")
    return f"paired Wilcoxon tests, Holm's adjustment, p ≤ {alpha:g}" if alpha is not None else ""


def _pairs(named: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name} {_words(told)}" for name, told in (named or {}).items())


def _words(told: object) -> str:
    return "" if told is None else str(told)


def winners(board: BoardTables) -> list[str]:
    """List the algorithms of the best rank."""
    return list(board.ranking.index[board.ranking == board.ranking.min()])


def lead(board: BoardTables) -> str:
    """Say how firmly the winners lead, to follow their names."""
    names = winners(board)
    if len(names) > 1:
        return "share the first rank."
    if len(board.ranking) == 1:
        return "is the only algorithm, so there is nothing to compare it with."
    samples = board.bootstrap[board.bootstrap["metric"] == "challenge"]
    first = samples[(samples["algorithm"] == names[0]) & (samples["rank"] == 1)]
    share = float(first["frequency"].sum())
    return f"leads, and stays first in {100 * share:.3g} % of the bootstrap samples."
