"""Download and unpack archives: transfers resume after an interruption, and checksums are verified."""

import hashlib
import lzma
import os
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import NoReturn

import requests

from cellbench.errors import DatasetError
from cellbench.files import write_faults_named, written_whole
from cellbench.locks import lock
from cellbench.progress import progress_bar

TIMEOUT = (10, 60)
"""Seconds to wait for a connection, and between two parts of a response."""

_ATTEMPTS = 5
_CHUNK = 1 << 14  # bytes; an interruption loses at most these


def fetch(address: str, target: Path, checksum: str = "", wait_s: float = 1.0) -> None:
    """Download one file.

    The transfer is written to ``<target>.part``, which the next attempt or run continues (HTTP Range), and
    which is renamed to ``target`` once it is complete and its checksum is right. Its SHA-256 is stored in
    ``<target>.sha256``; a target that already exists must have this checksum.

    Args:
        address: address of the file, http or https.
        target: the file to write.
        checksum: the published checksum, ``md5:…`` or ``sha256:…``; empty if there is none.
        wait_s: pause in seconds before another attempt; doubled after each attempt without progress.

    Raises:
        DatasetError: if the address is wrong, the network or the disk fails, a checksum differs, or
            another process is downloading the file.
    """
    part, note = _beside(target, ".part"), _beside(target, ".sha256")
    recorded = f"sha256:{note.read_text().partition(' ')[0]}" if note.exists() else ""
    if target.exists():
        _verify(
            target,
            recorded or checksum,
            target,
            f"the file was changed; delete it and {note.name}, then run again",
        )
    else:
        with _locked(part, target):
            _gather(address, part, wait_s)
            try:
                for expected in (checksum, recorded):
                    _verify(
                        part,
                        expected,
                        address,
                        "the download is damaged, or the file was changed; run again",
                    )
            except DatasetError:
                os.truncate(part, 0)  # a damaged part must not be continued
                raise
            part.replace(target)
    if not recorded:
        with written_whole(note) as temporary:
            temporary.write_text(f"{_digest(target, 'sha256')}  {target.name}\n")


@contextmanager
def _locked(part: Path, target: Path) -> Iterator[None]:
    """Keep other processes from downloading the same file; an empty part is removed at the end."""
    with write_faults_named(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("ab")
    with file:
        # Another process that had the lock may have renamed or removed the file since it was opened.
        if not lock(file.fileno()) or target.exists() or not _is_open_file(part, file.fileno()):
            raise DatasetError(
                f"{target}: another cellbench process is downloading this file; wait until it has ended "
                "and run the same command again"
            )
        try:
            yield
        finally:
            if not _size(part):
                part.unlink(missing_ok=True)


def _is_open_file(path: Path, handle: int) -> bool:
    return path.exists() and os.path.samestat(path.stat(), os.fstat(handle))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _verify(path: Path, checksum: str, source: object, advice: str) -> None:
    if not checksum:
        return
    algorithm, _, expected = checksum.partition(":")
    found = _digest(path, algorithm)
    if found != expected.lower():
        raise DatasetError(f"{source}: the {algorithm} is {found} instead of {expected}; {advice}")


def _gather(address: str, part: Path, wait_s: float) -> None:
    """Transfer until the file is complete; stop after several attempts without progress."""
    failures = 0
    while failures < _ATTEMPTS:
        before = _size(part)
        try:
            return _transfer(address, part)
        except requests.HTTPError as error:
            reason = str(error)
        except requests.RequestException as error:
            reason = f"cannot be reached ({type(error).__name__})"
        except OSError as error:
            raise DatasetError(
                f"{part}: cannot be written ({error.strerror}); free some disk space and run again"
            ) from error
        failures = 0 if _size(part) > before else failures + 1
        time.sleep(wait_s * 2**failures)
    raise DatasetError(
        f"{address}: {reason}; check the network connection and run again: "
        f"the download continues after the {_size(part)} bytes in {part.name}"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _transfer(address: str, part: Path) -> None:
    """Request the rest of the file once, and append it to ``part``."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity"}  # ranges count transferred bytes
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT) as response:
        span = response.headers.get("Content-Range", "")
        resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if span == f"bytes */{have}":
                return
            os.truncate(part, 0)  # it is longer than the file, so no part of it
            raise requests.HTTPError("the file on the server has changed")
        if resumed and not span.startswith(f"bytes {have}-"):
            os.truncate(part, 0)
            raise requests.HTTPError("the server returned another part than requested")
        if not response.ok:
            _refuse(response, address, part)
        _append(response, part, have if resumed else 0)


def _refuse(response: requests.Response, address: str, part: Path) -> NoReturn:
    status = response.status_code
    answer = f"the server answered {status} {response.reason}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise requests.HTTPError(answer)  # worth another attempt
    raise DatasetError(
        f"{address}: {answer}; download the file yourself, put it into {part.parent} and run again"
    )


def _append(response: requests.Response, part: Path, have: int) -> None:
    length = response.headers.get("Content-Length")
    total = have + int(length) if length else None
    name = part.name.removesuffix(".part")
    with (
        part.open("ab" if have else "wb") as file,
        progress_bar(what=name, initial=have, total=total, unit="B") as bar,
    ):
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            bar.update(len(chunk))


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip archive; files that exist with their full size are kept.

    Args:
        archive: the zip file.
        folder: where to put its files; created if it does not exist.

    Raises:
        DatasetError: if the archive is damaged, contains paths outside ``folder``, or does not fit on
            the disk.
        WriteError: if a file cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            missing = []
            for info in opened.infolist():
                target = folder / _safe_name(info, archive)
                if not info.is_dir() and _size(target) != info.file_size:
                    missing.append((info, target))
            folder.mkdir(parents=True, exist_ok=True)
            _check_room([info for info, _ in missing], folder)
            for info, target in progress_bar(missing, f"unpacking {archive.name}", unit="file"):
                with (
                    opened.open(info) as source,
                    written_whole(target) as temporary,
                    temporary.open("wb") as file,
                ):
                    shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise DatasetError(
            f"{archive}: cannot be unpacked ({error}); delete it and {archive.name}.sha256, then run again"
        ) from error
    except OSError as error:
        raise DatasetError(
            f"{folder}: cannot be written ({error.strerror}); free some disk space and run again"
        ) from error


def _safe_name(info: zipfile.ZipInfo, archive: Path) -> PurePosixPath:
    path = PurePosixPath(info.filename)
    outside = path.is_absolute() or ".." in path.parts or set(info.filename) & set("\\:")
    if outside or stat.S_ISLNK(info.external_attr >> 16):
        raise DatasetError(
            f"{archive}: contains {info.filename!r}, a path outside the target folder; "
            "do not use this archive"
        )
    return path


def _check_room(missing: Sequence[zipfile.ZipInfo], folder: Path) -> None:
    needed, free = sum(info.file_size for info in missing), shutil.disk_usage(folder).free
    if needed > free:
        raise DatasetError(
            f"{folder}: unpacking needs {needed / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are free; "
            "free some disk space and run again"
        )
