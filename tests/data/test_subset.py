"""`cellbench data subset`: the images that are asked for, whole, and nothing of the original changes."""

import csv
from pathlib import Path

import pytest
from datasets import make_dataset

from cellbench.cli import main
from cellbench.data import subset
from cellbench.data.folder import read_dataset, write_manifest
from cellbench.data.importers import writing
from cellbench.data.subset import make_subset
from cellbench.errors import DatasetError
from cellbench.locks import locked_folder

SOURCES = ("DSB 2018, rest", "DSB 2018, StarDist", "lab [1]", "")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four images in each split with one source each; an own column; one image is not listed."""
    folder = make_dataset(tmp_path / "data", images=4)
    rows = [
        {
            "image": f"{split}{index}.png" if index % 2 else f"{split}{index}",
            "split": split,
            "modality": ("fluorescence", "DIC")[index % 2],
            "source": source,
            "magnification": 20 + index,
        }
        for split in ("train", "tune", "test")
        for index, source in enumerate(SOURCES)
    ]
    write_manifest(folder, rows[:-1])  # test3 is in no row
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stems(out: Path) -> list[str]:
    return [image.stem for image in read_dataset(out)]


@pytest.mark.parametrize(
    ("where", "indices"),
    [
        (["source=lab [1]"], [2]),
        (["source=dsb 2018, stardist"], [1]),
        (["source=DSB*"], [0, 1]),
        (["source=DSB*", "modality=dic"], [1]),
        (["source=lab [1]", "source=*rest"], [0, 2]),
        (["magnification=22"], [2]),
        (["source=lab [1]", "magnification=2*"], [2]),
    ],
)
def test_images_with_the_values_are_chosen(
    where: list[str], indices: list[int], root: Path, tmp_path: Path
) -> None:
    before = contents(root)
    words = [word for each in where for word in ("--where", each)]
    assert main(["data", "subset", str(root), str(tmp_path / "out"), *words]) == 0
    wanted = [f"{split}{index}" for split in ("train", "tune", "test") for index in indices]
    assert stems(tmp_path / "out") == wanted
    assert contents(root) == before
    written = contents(tmp_path / "out")
    assert set(written) - {"manifest.csv"} == {
        f"{stem[:-1]}/{end}"
        for stem in wanted
        for end in (f"images/{stem}.png", f"labels/{stem}_label.tiff")
    }
    assert all(before[name] == data for name, data in written.items() if name != "manifest.csv")
    with (tmp_path / "out/manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [f"{stem}.png" for stem in wanted]
    assert [row["magnification"] for row in rows] == [str(20 + int(stem[-1])) for stem in wanted]
    assert {row["source"] for row in rows} == {SOURCES[index] for index in indices}


def test_the_command_says_what_it_wrote(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--where", "source=", "--where", "split=train", "--where", "split=tune"]
    assert main(["data", "subset", str(root), str(tmp_path / "out"), *words]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'out'}: 2 images (train: 1, tune: 1)\n"


@pytest.mark.parametrize(
    ("where", "status", "message"),
    [
        (
            ["sauce=lab"],
            2,
            "has no column 'sauce'; choose one of image, split, modality, source, magnification",
        ),
        (
            ["source=DSB"],
            2,
            "no image has source=DSB; its values are ''; 'DSB 2018, StarDist'; 'DSB 2018, rest'; 'lab [1]'",
        ),
        (["source=lab [1]", "source=DSB"], 2, "no image has source=DSB; its values are"),
        (["image=x*"], 2, "'test0.png'; 'test1.png'; 'test2.png'; 'train0.png'"),
        (
            ["source=lab [1]", "modality=DIC"],
            1,
            "no image has source=lab [1] and modality=DIC; change one of the conditions",
        ),
        (["source"], 2, "'source': write COLUMN=VALUE"),
        (["=lab"], 2, "'=lab': write COLUMN=VALUE"),
        ([], 2, "the following arguments are required: --where"),
    ],
)
def test_wrong_conditions_are_one_line(
    where: list[str],
    status: int,
    message: str,
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [word for each in where for word in ("--where", each)]
    assert main(["data", "subset", str(root), str(tmp_path / "out"), *words]) == status
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_folder_with_files_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    for out in (tmp_path / "full", tmp_path / "full/file"):
        with pytest.raises(DatasetError, match="exists and is not an empty folder"):
            make_subset(root, out, {"source": ["DSB*"]})
    (tmp_path / "out").mkdir()
    assert make_subset(root, tmp_path / "out", {"source": ["DSB*"]}).total() == 6


def test_a_folder_in_the_dataset_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(root)
    for out in (root, root / "train/new", root / "../data/new"):
        words = ["data", "subset", str(root), str(out), "--where", "source=DSB*"]
        assert main(words) == 1
        assert capsys.readouterr().err == (
            f"cellbench: {out}: is in the dataset folder {root}; choose a folder outside it\n"
        )
    assert contents(root) == before


def test_images_that_are_not_listed_are_counted(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_subset(root, tmp_path / "out", {"source": ["DSB*"]})
    assert caplog.messages == [
        f"{root / 'manifest.csv'} does not list 1 of 12 images; they are left out"
    ]


def test_splits_of_the_manifest_in_capitals(root: Path, tmp_path: Path) -> None:
    table = root / "manifest.csv"
    table.write_text(table.read_text().replace(",train,", ",Train,"))
    assert make_subset(root, tmp_path / "out", {"split": ["Train"]}) == {"train": 4}
    assert {image.source for image in read_dataset(tmp_path / "out")} == set(SOURCES)


def test_files_are_copied_where_links_are_impossible(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_subset(root, tmp_path / "linked", {"source": ["lab*"]})
    image = "train/images/train2.png"
    assert (tmp_path / "linked" / image).samefile(root / image)

    def refused(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(writing.Path, "hardlink_to", refused)
    make_subset(root, tmp_path / "copied", {"source": ["lab*"]})
    assert not (tmp_path / "copied" / image).samefile(root / image)
    assert contents(tmp_path / "copied") == contents(tmp_path / "linked")


def test_an_interruption_leaves_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subset, "write_manifest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_subset(root, tmp_path / "out", {"source": ["DSB*"]})
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_what_a_killed_process_left_is_replaced(root: Path, tmp_path: Path) -> None:
    (tmp_path / ".out.partial/train/images").mkdir(parents=True)
    (tmp_path / ".out.partial/train/images/old.png").write_bytes(b"half")
    (tmp_path / ".out.partial/manifest.csv").write_text("image\n")
    make_subset(root, tmp_path / "out", {"source": ["DSB*"]})
    make_subset(root, tmp_path / "other", {"source": ["DSB*"]})
    assert contents(tmp_path / "out") == contents(tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "other", "out"]


def test_one_process_writes_a_folder(root: Path, tmp_path: Path) -> None:
    with (
        locked_folder(tmp_path / ".out.partial", DatasetError),
        pytest.raises(DatasetError, match=f"{tmp_path / 'out'}: another cellbench process"),
    ):
        make_subset(root, tmp_path / "out", {"source": ["DSB*"]})
    assert not (tmp_path / "out").exists()


def test_unlabelled_images_and_names_cut_at_the_first_dot(root: Path, tmp_path: Path) -> None:
    (root / "unlabeled/images").mkdir(parents=True)
    (root / "train/images/train0.png").rename(root / "unlabeled/images/a.b.png")
    rows = [{"image": "a.png", "split": "unlabeled", "source": "lab"}]
    write_manifest(root, rows)
    assert make_subset(root, tmp_path / "out", {"source": ["lab"]}) == {"unlabeled": 1}
    (image,) = read_dataset(tmp_path / "out", ["unlabeled"])
    assert (image.stem, image.source) == ("a.b", "lab")


def test_a_manifest_is_needed(root: Path, tmp_path: Path) -> None:
    (root / "manifest.csv").write_text("image,source\nother.png,lab\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="lists none of the images"):
        make_subset(root, tmp_path / "out", {"source": ["lab"]})
    (root / "manifest.csv").unlink()
    with pytest.raises(DatasetError, match=r"manifest\.csv: does not exist; write one"):
        make_subset(root, tmp_path / "out", {"source": ["lab"]})
