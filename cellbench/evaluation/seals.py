"""Label maps and times are bound to the run that made them: later changes are found.

``cellbench run`` records every row of its tables and the checksum of every label map in the journal of its
predictions folder. A folder without such a journal was handed in, and is not checked.
"""

import hashlib
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cellbench.csv_tables import read_rows
from cellbench.errors import ScoresError
from cellbench.evaluation.journal import Journal
from cellbench.evaluation.runtimes import RUNTIME_FILE, read_runtimes
from cellbench.evaluation.statuses import (
    COMPARED_FILE,
    RESOURCES_FILE,
    Status,
    read_statuses,
)
from cellbench.files import list_files
from cellbench.labels.files import label_path
from cellbench.labels.names import ENDINGS, SUFFIXES, label_stem, match_labels

RUN_JOURNAL = ".journal"
"""Name of the journal in a predictions folder that ``cellbench run`` made."""


@dataclass(frozen=True)
class Seal:
    """What a run recorded of an image.

    Attributes:
        image: stem of the image.
        status: how its run ended.
        runtime_s: its running time, in seconds.
        checksum: SHA-256 of its label map; empty if there is no usable one.
    """

    image: str
    status: str
    runtime_s: float
    checksum: str

    def as_json(self) -> dict[str, str | float]:
        """Return the values as JSON can hold them."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Any) -> "Seal | None":  # noqa: ANN401  (JSON of any type)
        """Read the seal of a record of the journal; None if there is none, as in older journals.

        Args:
            record: the record.
        """
        try:
            seal = cls(**record["seal"])
        except (KeyError, TypeError):
            return None
        return seal if isinstance(seal.image, str) else None


def checksum_of(path: Path) -> str:
    """Return the SHA-256 of a regular file; an empty text if there is none.

    Args:
        path: the file.
    """
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_run(predictions: Path, images: Collection[str] = (), *, times: bool = True) -> None:
    """Check that nothing in a predictions folder of ``cellbench run`` was changed after the run.

    Args:
        predictions: the predictions folder; one without the journal of a run is not checked.
        images: stems of further images whose label maps are checked.
        times: whether to check ``runtime.csv``.

    Raises:
        ScoresError: if a label map or a row of a table is not what the run recorded. The message names the
            first, and says how many there are.
    """
    if not (predictions / RUN_JOURNAL).is_file():
        return
    changes = list(_changes(predictions, images, times))
    if changes:
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        raise ScoresError(
            f"{predictions}: {changes[0]}{more} changed after cellbench run; run it again, which makes "
            f"these again, or delete {RUN_JOURNAL} to score the folder as somebody's own results"
        )


def _changes(predictions: Path, images: Collection[str], times: bool) -> Iterator[str]:
    """Describe what differs from the last record of each image."""
    records = Journal(predictions / RUN_JOURNAL).values()
    seals = {seal.image: seal for seal in map(Seal.from_json, records) if seal is not None}
    stems = {*seals, *images}
    for path in list_files(predictions, SUFFIXES, ScoresError):
        if not _is_sealed(path, seals) and _may_be_label_map(path.name, stems):
            yield path.name
    for stem, status in read_statuses(predictions).items():
        if stem not in seals or seals[stem].status != status:
            yield f"the status of {stem}"
    yield from _changed_rows(predictions, records)
    if times and (predictions / RUNTIME_FILE).is_file():
        for stem, seconds in read_runtimes(predictions / RUNTIME_FILE).items():
            seal = seals.get(stem)
            if seal is None or seal.status != Status.OK or seal.runtime_s != seconds:
                yield f"the time of {stem}"


def _is_sealed(path: Path, seals: Mapping[str, Seal]) -> bool:
    """Return whether a file is a label map that the run wrote, under the name that it wrote."""
    stem = label_stem(path.name) or ""
    sealed = seals[stem].checksum if stem in seals else ""
    written = unicodedata.normalize("NFC", path.name) == label_path("", stem).name
    return bool(sealed) and written and checksum_of(path) == sealed


def _may_be_label_map(name: str, stems: Collection[str]) -> bool:
    """Return whether a file is named like a label map: evaluation takes more names than a run writes."""
    named = any(label_stem(name, ending) for ending in ENDINGS if ending)
    return named or bool(match_labels(stems, [name]))


def _changed_rows(predictions: Path, records: Sequence[Any]) -> Iterator[str]:
    """Describe the images whose row in ``resources.csv`` or ``timings.csv`` is not what was recorded."""
    sealed: dict[str, dict[str, str]] = {}
    times: dict[str, set[str]] = {}
    for record in records:
        row = record.get("row") if isinstance(record, dict) else None
        if not isinstance(row, dict):
            continue
        texts = {name: "" if value is None else str(value) for name, value in row.items()}
        times.setdefault(texts.get("image", ""), set()).add(texts.get("wall_s", ""))
        if (seal := Seal.from_json(record)) is not None:
            sealed[seal.image] = texts
    for row in _rows(predictions / RESOURCES_FILE):
        recorded = sealed.get(row["image"], {})
        if any(row.get(name) != text for name, text in recorded.items() if name != "status"):
            yield f"the row of {row['image']} in {RESOURCES_FILE}"
    for row in _rows(predictions / COMPARED_FILE):
        if not {row.get("warm_s"), row.get("cold_s")} <= times.get(row["image"], set()):
            yield f"the row of {row['image']} in {COMPARED_FILE}"


def _rows(path: Path) -> list[dict[str, str]]:
    return read_rows(path, ["image"], ScoresError) if path.is_file() else []
