"""The scoring rules of a scores.csv, in a JSON file beside it that ``cellbench rank`` reads."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cellbench import __version__
from cellbench.errors import ScoresError, UsageError
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.files import written_whole

_DETAILS = "_details"
_UNFINISHED = {"unfinished": True}
# Ranking computes the F1 of scores.csv from its counts, in which these versions do not differ from the
# present ones. The table of details has F1 at several thresholds, and counts at one.
_SAME_COUNTS = {("neurips22", 1), ("neurips22-v1", 1)}


def record_path(scores: str | Path) -> Path:
    """Return the path of the record: ``scores.json`` for ``scores.csv``.

    Args:
        scores: path of the scores.csv.
    """
    return Path(scores).with_suffix(".json")


def write_record(
    scores: str | Path,
    protocol: Protocol,
    thresholds: Sequence[float],
    unmatched: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write the protocol in full, the thresholds and the version of cellbench beside a scores.csv.

    Args:
        scores: path of the scores.csv.
        protocol: the scoring rules that were used.
        thresholds: the IoU thresholds that were used.
        unmatched: names of the files that fit no image, by algorithm; algorithms without any are left out.
    """
    record: dict[str, object] = {
        "protocol": protocol.describe(),
        "thresholds": list(thresholds),
        "cellbench": __version__,
    }
    if left := {name: list(files) for name, files in (unmatched or {}).items() if files}:
        record["unmatched"] = left
    with written_whole(record_path(scores)) as temporary:
        text = json.dumps(record, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def mark_unfinished(scores: str | Path) -> None:
    """Replace the record while a scores.csv and the tables beside it are written.

    If the process is killed before the end, [`read_protocol`][] refuses them: some may be outdated.

    Args:
        scores: path of the scores.csv.
    """
    with written_whole(record_path(scores)) as temporary:
        temporary.write_text(json.dumps(_UNFINISHED) + "\n", encoding="utf-8")


def read_protocol(scores: str | Path) -> Protocol | None:
    """Read which protocol a scores.csv was made with.

    Args:
        scores: path of the scores.csv, or of the table of details beside it.

    Returns:
        The protocol, or None if there is no record beside the file.

    Raises:
        ScoresError: if the record is damaged or unfinished, or if this version of cellbench does not have
            the protocol in the same version, or for a scores.csv in one with the same counts.
    """
    path = record_path(scores)
    of_details = not path.is_file()
    if of_details:
        path = path.with_stem(path.stem.removesuffix(_DETAILS))
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record == _UNFINISHED:
            named = None
        else:
            named = str(record["protocol"]["name"]), int(record["protocol"]["version"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ScoresError(
            f"{path}: does not name a protocol; delete the file or run cellbench evaluate again"
        ) from error
    if named is None:
        raise ScoresError(
            f"{path}: cellbench evaluate was stopped while it wrote these scores; run it again"
        )
    name, version = named
    try:
        protocol = get_protocol(name)
    except UsageError as error:
        raise ScoresError(f"{path}: {error}") from error
    usable = (name, version) in _SAME_COUNTS and not of_details
    if version != protocol.version and not usable:
        raise ScoresError(
            f"{path}: was scored with {name} version {version}, but this cellbench has version "
            f"{protocol.version}; run cellbench evaluate again"
        )
    return protocol
