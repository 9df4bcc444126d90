"""Downloads from a local server that resumes, breaks off, forgets ranges and refuses."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from cellbench.data.download import RemoteDataset, download
from cellbench.data.fetch import fetch
from cellbench.errors import DatasetError
from cellbench.locks import lock

CONTENT = np.random.default_rng(0).bytes(300_000)


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


ARCHIVE = zipped({"X/images/a.png": b"image", "X/labels/a_label.tiff": b"labels", "X/empty/": b""})


class Server(ThreadingHTTPServer):
    """Serves files, and notes the ``Range`` of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.breaks_after: list[int] = []
        self.statuses: list[int] = []
        self.ranges: list[str | None] = []
        self.knows_ranges = True

    def address(self, name: str = "") -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.ranges.append(wanted)
        content = self.server.files.get(self.path.strip("/").split("?")[0])
        if self.server.statuses or content is None:
            self.send_error(self.server.statuses.pop(0) if self.server.statuses else 404)
            return
        start = int(wanted[6:-1]) if wanted and self.server.knows_ranges else 0
        if start and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        sent = self.server.breaks_after.pop(0) if self.server.breaks_after else len(content)
        self.wfile.write(content[start : start + sent])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        running.files = {"file": CONTENT, "X.zip": ARCHIVE}
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_goes_on_where_the_connection_broke(server: Server, tmp_path: Path) -> None:
    server.breaks_after = [200_000, 50_000]
    fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert (tmp_path / "file").read_bytes() == CONTENT
    starts = [0 if span is None else int(span[6:-1]) for span in server.ranges]
    assert starts == sorted(starts)
    assert 180_000 < starts[1] <= 200_000
    assert 200_000 < starts[2] <= 250_000
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "file.sha256").read_text() == f"{digest}  file\n"
    assert names(tmp_path) == ["file", "file.sha256"]


def test_goes_on_with_the_part_of_an_earlier_run(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT[:123_456])
    fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert server.ranges == ["bytes=123456-"]
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("part", "requests"),
    [(CONTENT, 1), (CONTENT + b"more", 2)],
    ids=["complete", "longer than the file"],
)
def test_parts_with_nothing_missing(
    part: bytes, requests: int, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "file.part").write_bytes(part)
    fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert len(server.ranges) == requests


def test_starts_afresh_where_the_server_knows_no_ranges(server: Server, tmp_path: Path) -> None:
    server.knows_ranges = False
    (tmp_path / "file.part").write_bytes(b"what was there")
    fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_tries_again_while_the_server_is_busy(server: Server, tmp_path: Path) -> None:
    server.statuses = [503, 429, 500]
    fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("statuses", "message"),
    [
        (
            [403],
            r"file: the server answered 403 Forbidden; download the file yourself, put it into ",
        ),
        ([404], r"file: the server answered 404 Not Found; download the file yourself"),
        ([503] * 9, r"file: the server answered 503 Service Unavailable; check the network"),
    ],
)
def test_refusals(statuses: list[int], message: str, server: Server, tmp_path: Path) -> None:
    server.statuses = statuses
    with pytest.raises(DatasetError, match=message):
        fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert names(tmp_path) == []


def test_no_network_keeps_what_is_there(tmp_path: Path) -> None:
    with Server() as closed:
        address = closed.address("file")
    (tmp_path / "file.part").write_bytes(b"1234")
    with pytest.raises(
        DatasetError, match=r"cannot be reached .* continues after the 4 bytes in file\.part"
    ):
        fetch(address, tmp_path / "file", wait_s=0)
    assert names(tmp_path) == ["file.part"]


def test_a_full_disk(server: Server, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    (tmp_path / "file.part").symlink_to("/dev/full")
    with pytest.raises(DatasetError, match=r"file\.part: cannot be written \(No space left"):
        fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert not (tmp_path / "file").exists()


def test_a_wrong_checksum_leaves_no_file(server: Server, tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"file: the md5 is [0-9a-f]{32} instead of 00; .* run again"
    ):
        fetch(server.address("file"), tmp_path / "file", "md5:00", wait_s=0)
    assert names(tmp_path) == []


def test_what_was_downloaded_must_stay_the_same(server: Server, tmp_path: Path) -> None:
    fetch(server.address("file"), tmp_path / "file", wait_s=0)
    fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert len(server.ranges) == 1
    (tmp_path / "file").write_bytes(b"changed")
    with pytest.raises(
        DatasetError, match=r"sha256 is .*; the file was changed; delete it and file\.sha256"
    ):
        fetch(server.address("file"), tmp_path / "file", wait_s=0)
    (tmp_path / "file").unlink()
    server.files["file"] = b"another release"
    with pytest.raises(
        DatasetError, match=r"sha256 is .*; the download is damaged, or the file was changed"
    ):
        fetch(server.address("file"), tmp_path / "file", wait_s=0)


def remote(server: Server, md5: str) -> RemoteDataset:
    record = {"files": [{"key": "X.zip", "checksum": f"md5:{md5}"}]}
    server.files["record"] = json.dumps(record).encode()
    return RemoteDataset(
        server.address(), ("X.zip",), "CC0", "?download=1", server.address("record")
    )


def test_download_checks_against_the_record_and_unpacks(server: Server, tmp_path: Path) -> None:
    datasets = {"x": remote(server, hashlib.md5(ARCHIVE).hexdigest())}
    assert download("x", tmp_path, datasets=datasets, wait_s=0) == [tmp_path / "X"]
    assert (tmp_path / "X" / "X" / "labels" / "a_label.tiff").read_bytes() == b"labels"
    asked = len(server.ranges)
    download("x", tmp_path, datasets=datasets, wait_s=0)
    assert len(server.ranges) == asked, "a second run needs no network"

    datasets = {"x": remote(server, "0" * 32)}
    with pytest.raises(DatasetError, match=r"X\.zip\?download=1: the md5 is "):
        download("x", tmp_path / "other", datasets=datasets, wait_s=0)
    assert names(tmp_path / "other") == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>", r"record: the answer is not JSON"),
        (b"{}", r"record lists no checksum for 'files'"),
        (b'{"files": []}', r"record lists no checksum for 'X.zip'"),
        (None, r"record: 404 Client Error"),
    ],
)
def test_records(answer: bytes | None, message: str, server: Server, tmp_path: Path) -> None:
    datasets = {"x": remote(server, "")}
    server.files.pop("record")
    server.files |= {"record": answer} if answer is not None else {}
    with pytest.raises(DatasetError, match=message) as caught:
        download("x", tmp_path, datasets=datasets, wait_s=0)
    assert "\n" not in str(caught.value)


def test_a_file_is_downloaded_by_one_process_at_a_time(server: Server, tmp_path: Path) -> None:
    server.files["file"] = CONTENT
    part = tmp_path / "file.part"
    part.write_bytes(CONTENT[:10])
    with part.open("ab") as other:
        assert lock(other.fileno())
        with pytest.raises(DatasetError) as error:
            fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert str(error.value) == (
        f"{tmp_path}/file: another cellbench process is downloading this file; wait until it has ended "
        "and run the same command again"
    )
    assert not server.ranges
    assert part.read_bytes() == CONTENT[:10]
    fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert names(tmp_path) == ["file", "file.sha256"]


def test_a_refused_download_leaves_no_file(server: Server, tmp_path: Path) -> None:
    server.statuses = [404]
    with pytest.raises(DatasetError, match="the server answered 404"):
        fetch(server.address("file"), tmp_path / "file", wait_s=0)
    assert names(tmp_path) == []
