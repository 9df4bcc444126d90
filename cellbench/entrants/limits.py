"""What a program of an entrant may use."""

import os
import re
from dataclasses import dataclass

MIB = 1 << 20
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", re.IGNORECASE)
_SHARE_OF_MEMORY = 0.9
_BYTES_PER_PIXEL = 16  # two label maps of 64 bits
_FIXED_BYTES = 64 * MIB


@dataclass(frozen=True)
class Limits:
    """Limits of one program and of everything that it starts.

    Attributes:
        seconds: running time; None for no limit.
        memory: bytes of memory.
        processes: number of processes and threads.
        file_bytes: size of one file, in bytes.
        disk_bytes: size of all files that it writes to its folders, in bytes.
        files: number of files and folders that it writes.
    """

    seconds: float | None
    memory: int
    processes: int = 4096
    file_bytes: int = 1 << 30
    disk_bytes: int = 8 << 30
    files: int = 100_000


def parse_memory(text: str) -> int:
    """Return a memory size in bytes.

    Args:
        text: a number and a unit, as container engines write it: ``500m``, ``8g``, ``1.5 GiB``.

    Raises:
        ValueError: if it is not such a size.

    Examples:
        >>> parse_memory("500m")
        524288000
    """
    match = _MEMORY.fullmatch(text.strip())
    if match is None or not (size := int(float(match[1]) * _UNITS[match[2].lower()])):
        raise ValueError("must be a number and a unit, for example 500m or 8g")
    return size


def memory_limit(text: str | None) -> int:
    """Return the memory limit of an entrant in bytes: what it asks for, at most 90 % of the machine's.

    Args:
        text: the entry's ``memory``; None if it does not ask.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    most = int(machine * _SHARE_OF_MEMORY)
    return most if text is None else min(parse_memory(text), most)


def label_map_bytes(height: int, width: int) -> int:
    """Return the largest accepted size of a label map's file, in bytes.

    Args:
        height: rows of the image, in pixels.
        width: columns of the image, in pixels.
    """
    return _FIXED_BYTES + _BYTES_PER_PIXEL * height * width
