"""Reading CSV tables: a table that cannot be read causes an error of one clear line."""

from pathlib import Path

import pytest

from cellbench.csv_tables import read_rows
from cellbench.errors import DatasetError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image;split\na.png;train\n", "columns are separated by semicolons; save it with commas"),
        ("image\tsplit\na.png\ttrain\n", "columns are separated by tabs; save it with commas"),
        ("name;split\na.png;train\n", "the column 'image' is missing"),
        ("image,split\na.png,train\nb.png,test,x\n", "line 3 has more values than the first line"),
        ("image,split\n,train\n", "line 2 has no value in the column 'image'"),
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
