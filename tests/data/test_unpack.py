"""Unpacking archives: safe, resumed, each file whole. And the list of downloads."""

import zipfile
from pathlib import Path

import pytest

from cellbench.data.download import DATASETS, download
from cellbench.data.fetch import unpack
from cellbench.errors import DatasetError


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\..\\x", "C:x"])
def test_archives_never_write_outside_their_folder(name: str, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "x.zip", {"good": b"1", name: b"2"})
    with pytest.raises(
        DatasetError, match=r"x\.zip: contains .*, a path outside the target folder"
    ):
        unpack(archive, tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_archives_hold_no_links(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc")
    with pytest.raises(DatasetError, match="contains 'link', a path outside"):
        unpack(tmp_path / "x.zip", tmp_path / "x")


def test_finished_files_stay_and_lost_ones_come_back(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "x.zip", {"a/one": b"1", "two": b"22"})
    unpack(archive, tmp_path / "x")
    kept = (tmp_path / "x" / "a" / "one").stat().st_ino
    (tmp_path / "x" / "two").write_bytes(b"2")
    unpack(archive, tmp_path / "x")
    assert (tmp_path / "x" / "two").read_bytes() == b"22"
    assert (tmp_path / "x" / "a" / "one").stat().st_ino == kept


def test_damaged_archives(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "x.zip", {"one": b"uncompressed"})
    archive.write_bytes(archive.read_bytes().replace(b"uncompressed", b"uncomprossed"))
    with pytest.raises(DatasetError, match=r"x\.zip: cannot be unpacked \(Bad CRC-32"):
        unpack(archive, tmp_path / "x")
    assert list((tmp_path / "x").iterdir()) == []
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("one", "deflated" * 99)
    content = bytearray(archive.read_bytes())
    content[33:37] = b"\xff" * 4  # right behind the header of 30 bytes and the name
    archive.write_bytes(content)
    with pytest.raises(DatasetError, match=r"cannot be unpacked \(Error -3 .*\); delete it"):
        unpack(archive, tmp_path / "x")
    archive.write_bytes(b"no zip")
    with pytest.raises(
        DatasetError, match=r"cannot be unpacked \(File is not a zip file\); delete it"
    ):
        unpack(archive, tmp_path / "x")


def test_archives_that_do_not_fit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("one", b"1")
        archive.infolist()[0].file_size = (
            1 << 60
        )  # what the directory at the archive's end will say
    with pytest.raises(
        DatasetError, match=r"x: unpacking needs 1152921504.6 GB, but only .* are free"
    ):
        unpack(tmp_path / "x.zip", tmp_path / "x")


def test_the_list_of_downloads() -> None:
    for dataset in DATASETS.values():
        assert dataset.address.startswith("https://")
        assert dataset.address.endswith("/")
        assert all(file.endswith(".zip") for file in dataset.files)
        assert not dataset.sha256 or len(dataset.files) == 1
    with pytest.raises(DatasetError, match="unknown dataset 'livecell'; choose one of neurips22, "):
        download("livecell", ".")
