"""Reading CSV tables: as spreadsheets save them; one that cannot be read causes one clear line."""

import gzip
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cellbench.csv_tables import read_rows
from cellbench.decimal_signs import has_decimal_commas
from cellbench.errors import DatasetError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"split" "image"\n"train" "a.png"\n', "spaces separate its columns; save it with commas"),
        ("name;split\na.png;train\n", "the column 'image' is missing"),
        ("image,split\na.png,train\nb.png,test,x\n", "line 3 has more values than the first line"),
        (
            "image,split,split\na.png,tune,test\n",
            "the column 'split' occurs twice; keep one of them",
        ),
        ("image,split\n,train\n", "line 2 has no value in the column 'image'"),
        (
            f"image,split\na,b\n{'c' * 131073},d\n",
            "line 3 has a value of more than 131072 characters",
        ),
    ],
)
def test_wrong_tables(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DatasetError, match=rf"a\.csv: .*{message}"):
        read_rows(tmp_path / "a.csv", ["image"], DatasetError)


def test_empty_values_at_the_end_of_a_row_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,split\na.png,train,,\n")
    rows = read_rows(tmp_path / "a.csv", ["image"], DatasetError)
    assert rows == [{"image": "a.png", "split": "train"}]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"image;split\na,b.png;train\n", id="semicolons"),
        pytest.param(b"image\tsplit\r\na,b.png\ttrain\r\n", id="tabs"),
        pytest.param(
            b"sep=;\r\nimage;split\r\na,b.png;train\r\n", id="Excel's line of the separator"
        ),
        pytest.param(
            b'\xef\xbb\xbf image ,split \n"a,b.png",train\n', id="byte-order mark, spaces"
        ),
        pytest.param("image\tsplit\na,b.png\ttrain\n".encode("utf-16"), id="Excel's Unicode text"),
        pytest.param(b"image;split\na,b.png;train\n;\n;\n", id="empty rows below"),
        pytest.param(gzip.compress(b"image;split\na,b.png;train\n"), id="compressed"),
    ],
)
def test_tables_of_spreadsheets(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    rows = read_rows(tmp_path / "a.csv", ["image", "split"], DatasetError)
    assert rows == [{"image": "a,b.png", "split": "train"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"PK\x03\x04\x14\x00",
            "is an Excel or OpenDocument file, not a CSV table; save the sheet as",
        ),
        (b"\xd0\xcf\x11\xe0\xa1", "is an old Excel file, not a CSV table; save the sheet as"),
        ("image\nm\u00fcller.png\n".encode("latin-1"), "save it as “CSV UTF-8”"),
        (b"\x1f\x8b damaged", "cannot be read as a CSV in UTF-8"),
    ],
)
def test_files_that_are_no_tables(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message) as raised:
        read_rows(tmp_path / "a.csv", ["image"], DatasetError)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("cells", "separator", "expected"),
    [
        (["0.5", "1"], ",", False),
        (["0,5", "1", "", "NA"], ",", True),
        (["0,702", "0,811"], "\t", True),  # thousands do not begin with 0
        (["1,234", "12,345"], ";", True),
        (["-1,5e-3", ",5"], ";", True),
        (["a,b", "0,5"], ";", False),
    ],
)
def test_decimal_commas(cells: list[str], separator: str, expected: bool) -> None:
    assert has_decimal_commas(cells, separator) == expected


@pytest.mark.parametrize(
    ("cells", "separator", "message"),
    [
        (
            ["1,234", "12,345"],
            ",",
            r"can be a decimal sign or separate thousands; write 1\.234 or 1234",
        ),
        (["1,234", "12"], "\t", "can be a decimal sign or separate thousands"),
        (["1,234.5"], ";", "'1,234.5' has thousands separators; write it without them"),
        (["1.234,5"], ";", "'1.234,5' has thousands separators"),
        (["1,234,567"], ";", "'1,234,567' has thousands separators"),
        (["0,702", "0.81"], ";", "'0,702' has a decimal comma, but '0.81' has a decimal point"),
    ],
)
def test_unclear_commas(cells: list[str], separator: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        has_decimal_commas(cells, separator)


def test_a_small_file_does_not_unpack_to_a_huge_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cellbench.unpacking._LARGEST", 1 << 20)
    text = b"image\n" + b"a.png\n" * 100_000
    (tmp_path / "a.csv").write_bytes(gzip.compress(text))
    assert len(read_rows(tmp_path / "a.csv", ["image"], DatasetError)) == 100_000
    (tmp_path / "a.csv").write_bytes(
        gzip.compress(text) * 20
    )  # several members, unpacked one by one
    with pytest.raises(
        DatasetError, match=r"a\.csv: it unpacks to more than 1 GiB; unpack the file"
    ):
        read_rows(tmp_path / "a.csv", ["image"], DatasetError)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_pipe_is_read(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    pipe = tmp_path / "a.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[pack(b"image\na.png\n")])
    writer.start()
    assert read_rows(pipe, ["image"], DatasetError) == [{"image": "a.png"}]
    writer.join()


def test_a_damaged_compressed_table_is_one_line(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(b"image;split\na,b.png;train\n" * 50))
    content[20] ^= 0xFF
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"a\.csv: cannot be read as a CSV"):
        read_rows(tmp_path / "a.csv", ["image", "split"], DatasetError)
