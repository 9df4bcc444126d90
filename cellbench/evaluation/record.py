"""What a scores.csv was made with: a small JSON file beside it, for those who rank it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellbench import __version__
from cellbench.errors import ScoresError, UsageError
from cellbench.evaluation.protocols import Protocol, get_protocol
from cellbench.files import written_whole


def record_path(scores: str | Path) -> Path:
    """Give the record's path: ``scores.json`` for ``scores.csv``."""
    return Path(scores).with_suffix(".json")


def write_record(scores: str | Path, protocol: Protocol, thresholds: Sequence[float]) -> None:
    """Write the protocol in full, the thresholds and the version of cellbench beside a scores.csv."""
    record: dict[str, Any] = {
        "protocol": protocol.describe(),
        "thresholds": list(thresholds),
        "cellbench": __version__,
    }
    with written_whole(record_path(scores)) as temporary:
        text = json.dumps(record, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_protocol(scores: str | Path) -> Protocol | None:
    """Read under which protocol a scores.csv was made; None where no record lies beside it.

    Raises:
        ScoresError: if the record is damaged, or names a protocol or version that is not this one's.
    """
    path = record_path(scores)
    if not path.is_file():
        return None
    try:
        named = json.loads(path.read_text(encoding="utf-8"))["protocol"]
        name, version = str(named["name"]), int(named["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScoresError(f"{path}: names no protocol; remove it or evaluate again") from error
    try:
        protocol = get_protocol(name)
    except UsageError as error:
        raise ScoresError(f"{path}: {error}") from error
    if version != protocol.version:
        raise ScoresError(
            f"{path}: made under {name} version {version}, this is version {protocol.version}; "
            "evaluate again"
        )
    return protocol
