"""Kaggle's run-length tables: both directions, all spellings of the columns, imported and scored."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cellbench.cli import main
from cellbench.labels import LabelMap, encode_cells, read_labels, write_labels

SHAPE = (40, 60)


def cells_of(shape: tuple[int, int], seed: int) -> LabelMap:
    """Draw four ellipses that do not touch; the map differs from its transpose."""
    labels = np.zeros(shape, np.uint16)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    places = [(8, 15), (12, 31), (24, 8 + seed), (33, 24)]
    for number, (row, column) in enumerate(places, start=1):
        labels[((rows - row) / 5) ** 2 + ((columns - column) / 4) ** 2 <= 1] = number
    return labels


def codes(labels: LabelMap, order: str) -> list[str]:
    """Return the run-length code of each cell; they count down the columns of the transposed map."""
    return [runs for _, runs in encode_cells(labels.T if order == "columns" else labels)]


def save(folder: Path, shape: tuple[int, int] = SHAPE) -> dict[str, LabelMap]:
    """Save two images with bright cells, and their truth."""
    truth = {stem: cells_of(shape, seed) for seed, stem in enumerate("ab", start=1)}
    (folder / "train").mkdir()
    for stem, labels in truth.items():
        pixels = np.where(labels > 0, 200, 20).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "train" / f"{stem}.png")
        write_labels(folder / "truth" / f"{stem}_label.tiff", labels)
    return truth


def write_table(
    path: Path, truth: dict[str, LabelMap], header: str, order: str, row: str = "{stem},{runs}"
) -> None:
    rows = [
        row.format(stem=stem, runs=runs, height=labels.shape[0], width=labels.shape[1])
        for stem, labels in truth.items()
        for runs in codes(labels, order)
    ]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def run_import(folder: Path, *options: str) -> int:
    words = ["data", "import", "kaggle-rle", str(folder), str(folder / "out"), "--split", "test"]
    return main([*words, *options])


def check_import(folder: Path, truth: dict[str, LabelMap]) -> None:
    found = {path.name: read_labels(path) for path in (folder / "out/test/labels").iterdir()}
    assert set(found) == {f"{stem}_label.tiff" for stem in truth}
    for stem, labels in truth.items():
        np.testing.assert_array_equal(found[f"{stem}_label.tiff"], labels)


def evaluate(folder: Path, *options: str) -> list[float]:
    """Score train.csv, and return the F1 of each image."""
    paths = [str(folder / name) for name in ("truth", "train.csv")]
    assert main(["evaluate", *paths, "--out", str(folder / "scores.csv"), *options]) == 0
    return pd.read_csv(folder / "scores.csv")["f1"].tolist()


SOLUTION = "{stem},{runs},{height},{width},Public"


@pytest.mark.parametrize(
    ("header", "order", "row"),
    [
        ("ImageId,EncodedPixels", "columns", "{stem},{runs}"),
        ("ImageId,EncodedPixels", "columns", "{stem}.png,{runs}"),
        ("ImageId,EncodedPixels,Height,Width,Usage", "columns", SOLUTION),
        ("\ufeffimageid;ENCODEDPIXELS", "columns", "{stem};{runs}"),
        ("image_id , Encoded_Pixels", "columns", "{stem} , {runs}"),
        ("sep=;\nImageId;EncodedPixels", "columns", "{stem};{runs}"),
        ("ImageId\tEncodedPixels", "columns", "{stem}\t{runs}"),
        ("EncodedPixels,ImageId", "columns", "{runs},{stem}.tif"),
        ("id,predicted", "rows", "{stem},{runs}"),
        ("id,annotation,width,height", "rows", "{stem},{runs},{width},{height}"),
        ("ID;Annotation;Width;Height", "rows", "{stem}.png;{runs};{width}.0;{height}"),
        (" Id , Predicted , Height , Width ", "rows", "{stem},{runs},,"),
        ('"id","predicted"', "rows", '"{stem}","{runs}"'),
    ],
)
def test_every_spelling_of_the_columns(
    header: str, order: str, row: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = save(tmp_path)
    write_table(tmp_path / "train.csv", truth, header, order, row)
    assert evaluate(tmp_path) == [1.0, 1.0]
    capsys.readouterr()
    assert run_import(tmp_path) == 0
    check_import(tmp_path, truth)
    assert capsys.readouterr().out.count("\n") == 1  # no warning


@pytest.mark.parametrize(
    ("header", "order"), [("id,predicted", "columns"), ("ImageId,EncodedPixels", "rows")]
)
@pytest.mark.parametrize("shape", [(40, 60), (40, 40)])
def test_the_direction_can_be_stated_and_a_wrong_one_is_noticed(
    header: str,
    order: str,
    shape: tuple[int, int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    truth = save(tmp_path, shape)
    write_table(tmp_path / "train.csv", truth, header, order)
    assert max(evaluate(tmp_path)) < 0.5
    other = "rows" if order == "columns" else "columns"
    assert (
        f"the run-length codes are read along the {other}, but fit the truth better" in caplog.text
    )
    assert f"add --order {order}" in caplog.text
    caplog.clear()
    assert evaluate(tmp_path, "--order", order) == [1.0, 1.0]
    assert not caplog.text
    assert run_import(tmp_path) == 0
    assert f"they fit the images better with --order {order}" in capsys.readouterr().out
    assert run_import(tmp_path, "--order", order) == 0
    assert "--order" not in capsys.readouterr().out
    check_import(tmp_path, truth)


def test_no_warning_without_contrast(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a dark image nothing but the pieces of the cells can show the direction."""
    truth = save(tmp_path)
    for path in (tmp_path / "train").iterdir():
        Image.fromarray(np.zeros(SHAPE, np.uint8)).save(path)
    write_table(tmp_path / "train.csv", truth, "id,predicted", "rows")
    assert run_import(tmp_path) == 0
    assert "--order" not in capsys.readouterr().out
    write_table(tmp_path / "train.csv", truth, "id,predicted", "columns")
    assert run_import(tmp_path) == 0
    assert "--order columns" in capsys.readouterr().out


@pytest.mark.parametrize("empty", ["", " ", "nan", "-1"])
def test_images_without_cells(empty: str, tmp_path: Path) -> None:
    truth = save(tmp_path)
    write_table(tmp_path / "train.csv", {"a": truth["a"]}, "ImageId,EncodedPixels", "columns")
    with (tmp_path / "train.csv").open("a") as file:
        file.write(f"b,{empty}\n")
    assert run_import(tmp_path) == 0
    check_import(tmp_path, truth | {"b": np.zeros(SHAPE, np.uint16)})
    assert evaluate(tmp_path) == [1.0, 0.0]
    assert pd.read_csv(tmp_path / "scores.csv")["status"].tolist() == ["ok", "ok"]


def test_the_folders_of_stage_1(tmp_path: Path) -> None:
    truth = save(tmp_path)
    for stem in truth:
        folder = tmp_path / "stage1_train" / stem
        (folder / "images").mkdir(parents=True)
        (folder / "masks").mkdir()
        (tmp_path / f"train/{stem}.png").rename(folder / f"images/{stem}.png")
        Image.fromarray(np.zeros(SHAPE, np.uint8)).save(folder / "masks" / "one.png")
    (tmp_path / "train").rmdir()
    table = tmp_path / "stage1_train_labels.csv"
    write_table(table, truth, "ImageId,EncodedPixels", "columns")
    assert run_import(tmp_path) == 0
    check_import(tmp_path, truth)


def test_rows_that_were_not_scored_in_stage_2(tmp_path: Path) -> None:
    truth = save(tmp_path)
    header = "ImageId,EncodedPixels,Height,Width,Usage"
    write_table(tmp_path / "train.csv", truth, header, "columns", SOLUTION)
    with (tmp_path / "train.csv").open("a") as file:
        file.write("c,1 1,-1,-1,Ignored\n")
    assert run_import(tmp_path) == 0
    check_import(tmp_path, truth)


def test_missing_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = save(tmp_path)
    write_table(tmp_path / "train.csv", truth, "ImageId,EncodedPixels", "columns")
    with (tmp_path / "train.csv").open("a") as file:
        file.write("gone,1 2\n")
    assert run_import(tmp_path) == 1
    error = capsys.readouterr().err
    assert "line 10, image gone: there is no such image in" in error
    assert "1 of 3 images are missing" in error
    assert "--skip-missing" in error
    assert run_import(tmp_path, "--skip-missing") == 0
    check_import(tmp_path, truth)
    assert "left out because they are missing: 1 of 3, the first is gone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,1 2,60,40,Public", "states the size 60 × 40, but the image is 40 × 60"),
        ("a,2401 1,40,60,Public", "ends at pixel 2401, outside the image of 40 × 60 px"),
        ("a,1 2 3,40,60,Public", "expected pairs of positive integers"),
    ],
)
def test_broken_rows(
    row: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path)
    (tmp_path / "train.csv").write_text(f"ImageId,EncodedPixels,Height,Width,Usage\n{row}\n")
    assert run_import(tmp_path) == 1
    error = capsys.readouterr().err
    assert "train.csv, line 2, image a: " in error
    assert message in error
    assert error.count("\n") == 1


def test_other_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path)
    (tmp_path / "train.csv").write_text("image;rle\na;1 2\n")
    assert run_import(tmp_path) == 1
    assert (
        "train.csv: needs the columns id and annotation (or predicted), or ImageId and EncodedPixels; "
        "found 'image, rle'"
    ) in capsys.readouterr().err
