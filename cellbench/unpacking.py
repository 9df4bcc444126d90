"""Compressed files, read up to a size: a small file can unpack to one that fills the memory."""

import gzip
import io
import zipfile
from pathlib import Path

_LARGEST = 1 << 30  # bytes: millions of outlines or of rows
_TOO_LARGE = "it unpacks to more than 1 GiB; unpack the file yourself if this is right"
_GZIP = b"\x1f\x8b"


def read_unpacked(path: Path) -> bytes:
    """Read a file, and unpack it if its first bytes say that it is compressed with gzip.

    Args:
        path: the file.

    Returns:
        The content.

    Raises:
        ValueError: if the content is larger than 1 GiB when it is unpacked.
        OSError: if the file cannot be read; EOFError or zlib.error if its compressed content is damaged.
    """
    content = path.read_bytes()  # once, because it may be a pipe
    if not content.startswith(_GZIP):
        return content
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
        unpacked = packed.read(_LARGEST + 1)
    if len(unpacked) > _LARGEST:
        raise ValueError(_TOO_LARGE)
    return unpacked


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read a file in a ZIP archive.

    Args:
        archive: the archive.
        name: the file in it.

    Returns:
        The content.

    Raises:
        ValueError: if the content is larger than 1 GiB when it is unpacked.
    """
    if archive.getinfo(name).file_size > _LARGEST:
        raise ValueError(_TOO_LARGE)
    return archive.read(name)
