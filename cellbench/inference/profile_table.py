"""The table that `cellbench profile` writes: its columns, its file name, and rows of earlier runs."""

import csv
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cellbench.errors import CellbenchError
from cellbench.files import written_whole

COLUMNS = {
    "model": "name of the model, or path of the checkpoint or run folder, as it was given",
    "size": "height and width of the image, in pixels",
    "precision": "precision of the network's numbers: 32, bf16 or fp16",
    "device": "device of the network: cpu, cuda, …",
    "parameters": "number of parameters of the network",
    "macs": "multiply-accumulate operations of the network for one image, overlaps of windows included",
    "network_s": "seconds in which the network predicts the maps of one image",
    "decoding_s": "seconds in which its label map is decoded from maps; empty if the model has no "
    "separate decoding (network_s then includes it)",
    "latency_s": "network_s + decoding_s",
    "images_per_s": "throughput, one image at a time: 1 / latency_s",
    "peak_memory_mb": "cuda: largest GPU memory that PyTorch allocated; cpu: largest resident memory of "
    "the process with Python, PyTorch and what earlier rows of the same run left (Linux only, empty "
    "elsewhere); to compare models, measure each with a command of its own",
    "repeats": "number of repetitions; each time is their median",
}
"""What each column of the table means, by name, in their order."""


@dataclass(frozen=True)
class Profile:
    """One row of the table; [`COLUMNS`][] explains the attributes.

    Attributes:
        model: what was measured, as it was given.
        size: side of the image in pixels.
        precision: ``32``, ``bf16`` or ``fp16``.
        device: device of the network.
        parameters: number of parameters.
        macs: multiply-accumulate operations for one image.
        network_s: median time of the network in seconds.
        decoding_s: median time of decoding in seconds; None if it cannot be separated.
        latency_s: the sum of both.
        images_per_s: images in a second.
        peak_memory_mb: peak memory in megabytes (10⁶ bytes); None where it is not known.
        repeats: number of repetitions.
    """

    model: str
    size: int
    precision: str
    device: str
    parameters: int
    macs: int
    network_s: float
    decoding_s: float | None
    latency_s: float
    images_per_s: float
    peak_memory_mb: float | None
    repeats: int

    def as_row(self) -> dict[str, str]:
        """Return the value of each column as text: times to 4 significant digits, None as empty."""
        return {name: _as_text(value) for name, value in asdict(self).items()}


def file_name(device: str, processor: str, threads: int | None, torch_version: str) -> str:
    """Return the name of the table of one environment, safe on every file system.

    Args:
        device: type of the device, such as ``cpu`` or ``cuda``.
        processor: name of the processor or GPU.
        threads: number of threads of the network; None where it does not matter.
        torch_version: version of PyTorch.

    Examples:
        >>> file_name("cpu", "Intel(R) Xeon(R) CPU @ 2.20GHz", 2, "2.8.0+cpu")
        'profile-cpu-Intel_Xeon_CPU_2.20GHz-2threads-torch2.8.0.csv'
    """
    name = re.sub(r"\((?:R|TM|C)\)", "", processor)
    safe = re.sub(r"[^A-Za-z0-9.]+", "_", name).strip("_.") or "unknown"
    parts = ["profile", device, safe, f"{threads}threads" if threads is not None else ""]
    return "-".join(
        part for part in [*parts, f"torch{torch_version.partition('+')[0]}.csv"] if part
    )


def write_profiles(path: Path, profiles: Iterable[Profile]) -> None:
    """Write rows into a table; rows of the same model, size and precision are replaced, others are kept.

    Args:
        path: the table; created if it does not exist.
        profiles: the new rows.

    Raises:
        CellbenchError: if the file exists and is not such a table.
    """
    rows = {_key(row): row for row in read_profiles(path)} if path.exists() else {}
    for profile in profiles:
        row = profile.as_row()
        rows[_key(row)] = row
    with (
        written_whole(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, [*COLUMNS], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows))


def read_profiles(path: Path) -> list[dict[str, str]]:
    """Read the rows of a table.

    Args:
        path: a file that [`write_profiles`][] wrote.

    Raises:
        CellbenchError: if it is not such a table.
    """
    header, rows = None, []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            header, rows = reader.fieldnames, list(reader)
    except (csv.Error, UnicodeDecodeError):
        pass
    complete = all(None not in row and None not in row.values() for row in rows)
    if header != [*COLUMNS] or not complete:
        raise CellbenchError(
            f"{path}: not a table that this version of `cellbench profile` wrote; move it away, or "
            "choose another folder with --out"
        )
    return rows


def _key(row: dict[str, str]) -> tuple[str, str, int, str]:
    size = int(row["size"]) if row["size"].isdecimal() else 0
    return row["model"], row["device"], size, row["precision"]


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


assert [field.name for field in fields(Profile)] == [*COLUMNS]
