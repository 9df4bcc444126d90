"""Fetch and unpack archives: resumed after an interruption, checked, each file whole or not at all."""

import lzma
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import NoReturn

import pooch
import requests
from tqdm import tqdm

from cellbench.errors import DatasetError
from cellbench.files import written_whole

TIMEOUT = (10, 60)
"""Seconds to wait for a connection, and between two pieces of an answer."""

_ATTEMPTS = 5
_CHUNK = 1 << 14  # what is lost of an interrupted transfer, at most


def fetch(address: str, target: Path, checksum: str = "", wait_s: float = 1.0) -> None:
    """Download one file; pooch cannot resume, so only its checksums are used here.

    Bytes gather in ``<target>.part``, which the next attempt or run goes on with (HTTP Range); it becomes
    ``target`` once it is complete and its checksum is right. The SHA-256 is kept in ``<target>.sha256``,
    and a target that is already there has to agree with it.

    Args:
        address: http or https.
        target: the file to write.
        checksum: ``md5:…`` or ``sha256:…`` as published; empty where unknown.
        wait_s: pause in seconds before another attempt; doubled each time nothing came.

    Raises:
        DatasetError: if the address is wrong, the network or the disk fails, or a checksum differs.
    """
    part, note = _beside(target, ".part"), _beside(target, ".sha256")
    recorded = f"sha256:{note.read_text().partition(' ')[0]}" if note.exists() else ""
    if target.exists():
        _verify(target, recorded or checksum, target, f"delete it and {note.name}, then run again")
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        _gather(address, part, wait_s)
        try:
            for expected in (checksum, recorded):
                _verify(part, expected, address, "run again; if it stays so, the file was changed")
        except DatasetError:
            part.unlink()  # going on with damaged bytes would never end well
            raise
        part.replace(target)
    if not recorded:
        with written_whole(note) as temporary:
            temporary.write_text(f"{pooch.file_hash(str(target))}  {target.name}\n")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _verify(path: Path, checksum: str, source: object, mend: str) -> None:
    if not checksum:
        return
    algorithm, _, expected = checksum.partition(":")
    found = pooch.file_hash(str(path), alg=algorithm)
    if found != expected.lower():
        raise DatasetError(f"{source}: {algorithm} is {found}, not {expected}; {mend}")


def _gather(address: str, part: Path, wait_s: float) -> None:
    """Transfer until the file is complete; give up after some attempts that brought nothing."""
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
                f"{part}: cannot be written ({error.strerror}); make room, then run again"
            ) from error
        failures = 0 if _size(part) > before else failures + 1
        time.sleep(wait_s * 2**failures)
    raise DatasetError(
        f"{address}: {reason}; check the network and run again, {_size(part)} bytes are kept"
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _transfer(address: str, part: Path) -> None:
    """Ask once for what is missing of ``part``, and add it."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity"}  # ranges count the bytes that are sent
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT) as response:
        span = response.headers.get("Content-Range", "")
        resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if span == f"bytes */{have}":
                return
            part.unlink()  # longer than the file: not a part of it
            raise requests.HTTPError("the file has changed")
        if resumed and not span.startswith(f"bytes {have}-"):
            part.unlink()
            raise requests.HTTPError("the server does not go on where it was asked to")
        if not response.ok:
            _refuse(response, address, part)
        _append(response, part, have if resumed else 0)


def _refuse(response: requests.Response, address: str, part: Path) -> NoReturn:
    status, answer = response.status_code, f"answers {response.status_code} {response.reason}"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise requests.HTTPError(answer)  # worth another attempt
    raise DatasetError(
        f"{address}: {answer}; find the file by hand, put it into {part.parent} and run again"
    )


def _append(response: requests.Response, part: Path, have: int) -> None:
    length = response.headers.get("Content-Length")
    total = have + int(length) if length else None
    name = part.name.removesuffix(".part")
    with (
        part.open("ab" if have else "wb") as file,
        tqdm(desc=name, initial=have, total=total, unit="B", unit_scale=True, disable=None) as bar,
    ):
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            bar.update(len(chunk))


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip archive; files that are there in their full size stay.

    Args:
        archive: the zip file.
        folder: where its files go; it is made.

    Raises:
        DatasetError: if the archive is damaged, leads outside ``folder``, or does not fit on the disk.
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
            for info, target in tqdm(missing, desc=f"unpacking {archive.name}", disable=None):
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
            f"{folder}: cannot be written ({error.strerror}); make room, then run again"
        ) from error


def _safe_name(info: zipfile.ZipInfo, archive: Path) -> PurePosixPath:
    path = PurePosixPath(info.filename)
    outside = path.is_absolute() or ".." in path.parts or set(info.filename) & set("\\:")
    if outside or stat.S_ISLNK(info.external_attr >> 16):
        raise DatasetError(
            f"{archive}: holds {info.filename!r}, which leads out of the folder; do not use this archive"
        )
    return path


def _check_room(missing: Sequence[zipfile.ZipInfo], folder: Path) -> None:
    needed, free = sum(info.file_size for info in missing), shutil.disk_usage(folder).free
    if needed > free:
        raise DatasetError(
            f"{folder}: unpacking needs {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; make room"
        )
