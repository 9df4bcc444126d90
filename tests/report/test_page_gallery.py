"""The error gallery: which images, which window, and outlines that are the cells'."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from datasets import make_dataset
from hypothesis import given
from hypothesis import strategies as st
from label_maps import blocky_maps, discs
from pages import make_all, make_predictions, scores_of, write_scores
from skimage.draw import polygon, polygon_perimeter

from cellbench.boards.reading import read_board
from cellbench.evaluation.details import image_details
from cellbench.evaluation.protocols import get_protocol
from cellbench.evaluation.scoring import count_parts
from cellbench.labels import LabelMap, in_bands, label_path, read_labels, write_labels
from cellbench.report.page import gallery as gallery_module
from cellbench.report.page import make_gallery
from cellbench.report.page.choices import Choice, choose_images, order_images
from cellbench.report.page.outlines import KINDS, cell_paths, join_by_kind, kinds_by_id
from cellbench.report.page.sources import find_sources
from cellbench.report.page.window import SIDE, Window, choose_window, encode_picture

_STEPS = re.compile(r"([MhvlzH])([^MhvlzH]*)")


def points_of(path: str) -> list[list[tuple[int, int]]]:
    """Read a path back as the corners (x, y) of its pieces."""
    pieces: list[list[tuple[int, int]]] = []
    for letter, text in _STEPS.findall(path):
        numbers = [int(word) for word in re.findall(r"-?\d+", text)]
        if letter == "M":
            pieces.append([(numbers[0], numbers[1])])
        elif letter != "z":
            across, down = {"h": (*numbers, 0), "v": (0, *numbers), "l": numbers}[letter][:2]
            x, y = pieces[-1][-1]
            pieces[-1].append((x + across, y + down))
    return pieces


def fill(path: str, shape: tuple[int, int]) -> np.ndarray:
    filled = np.zeros(shape, bool)
    for piece in points_of(path):
        columns, rows = np.array(piece).T
        if len(piece) > 2:
            filled[polygon(rows, columns, shape)] = True
        filled[polygon_perimeter(rows, columns, shape)] = True
    return filled


def test_outlines_are_the_cells() -> None:
    labels = discs(shape=(200, 240), radius=9)
    paths = cell_paths(labels)
    assert sorted(paths) == sorted(set(labels.ravel().tolist()) - {0})
    for cell, path in paths.items():
        cells, filled = labels == cell, fill(path, labels.shape)
        assert (cells & filled).sum() / (cells | filled).sum() > 0.9


@given(blocky_maps())
def test_outlines_of_blocks(labels: LabelMap) -> None:
    for cell, path in cell_paths(labels).items():
        rows, columns = np.nonzero(labels == cell)
        corners = [point for piece in points_of(path) for point in piece]
        xs, ys = zip(*corners, strict=True)
        assert (min(xs), max(xs)) == (columns.min(), columns.max())
        assert (min(ys), max(ys)) == (rows.min(), rows.max())
        assert all(labels[y, x] == cell for x, y in corners)
        assert len(re.findall("M", path)) == len(re.findall("z", path))


def test_single_pixels_and_large_ids() -> None:
    labels = np.zeros((5, 5), np.int64)
    labels[2, 3], labels[4, 0:2] = 2**40, 7
    assert cell_paths(labels) == {7: "M0 4h1z", 2**40: "M3 2h0z"}
    assert cell_paths(np.zeros((3, 3), int)) == {}


def test_kinds_add_up_as_in_the_tables() -> None:
    truth = discs(shape=(120, 120))
    predicted = truth.copy()
    cells = np.unique(truth)[1:]
    predicted[truth == cells[5]] = 0
    predicted[truth == cells[7]] = cells[6]
    maps = in_bands(truth), in_bands(predicted)
    parts = count_parts(*maps, get_protocol("neurips22"))
    kinds = kinds_by_id(parts)
    details = image_details(parts, maps)
    for side, named in zip(("fn", "fp"), kinds, strict=True):
        for kind in set(KINDS) - {"matched", "not-scored"}:
            column = f"{side}_{kind.replace('-', '_')}"
            assert list(named.values()).count(kind) == details.get(column, 0)
    joined = join_by_kind(cell_paths(predicted), kinds[1])
    assert list(joined) == [kind for kind in KINDS if kind in joined]


@given(
    st.tuples(st.integers(1, 1500), st.integers(1, 1500)),
    st.lists(st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)), max_size=9),
)
def test_windows_lie_inside(shape: tuple[int, int], places: list[tuple[float, float]]) -> None:
    errors = np.array(places).reshape(-1, 2) * shape
    window = choose_window(shape, [errors])
    assert (window.height, window.width) == (min(shape[0], SIDE), min(shape[1], SIDE))
    assert 0 <= window.top <= shape[0] - window.height
    assert 0 <= window.left <= shape[1] - window.width


def test_the_window_is_where_the_errors_are() -> None:
    rng = np.random.default_rng(0)
    crowd = rng.uniform((1200, 2100), (1400, 2300), (50, 2))
    rest = rng.uniform((0, 0), (2000, 3000), (20, 2))
    window = choose_window((2000, 3000), [crowd, rest])
    assert window.top <= 1200
    assert window.top + window.height >= 1400
    assert window.left <= 2100
    assert window.left + window.width >= 2300


def test_pictures_are_small_and_of_the_window() -> None:
    from io import BytesIO

    from PIL import Image

    raw = np.zeros((600, 700, 1), np.uint16)
    raw[100:200, 100:200] = 4000
    raw[300:, :] = 1000
    picture = encode_picture(raw, Window(50, 60, 400, 512))
    opened = Image.open(BytesIO(picture))
    assert opened.size == (512, 400)
    pixels = np.asarray(opened.convert("L")).astype(int)
    assert pixels[100, 90] > 250
    assert pixels[10, 10] < 5
    assert len(picture) < 20_000


def test_choices_pass_failures_over() -> None:
    images = [f"i{number}" for number in range(6)]
    values = scores_of(["a", "b"], images, failed=[("a", "i0")])
    values.loc[values["algorithm"] == "a", "f1"] = [0.0, 0.9, 0.3, 0.5, 0.7, 0.6]
    chosen = choose_images(values, "f1", ["a"], images)
    assert [(one.role, one.image) for one in chosen] == [
        ("worst", "i2"),
        ("median", "i5"),
        ("best", "i1"),
    ]
    turned = choose_images(values, "f1", ["a"], images, higher_is_better=False)
    assert [one.image for one in turned] == ["i1", "i5", "i2"]
    assert [one.image for one in choose_images(values, "f1", ["a"], ["i3"])] == ["i3"] * 3
    assert choose_images(values, "f1", ["a"], []) == []


def test_what_most_chose_comes_first() -> None:
    chosen = [Choice(name, "worst", image, 0.1) for name, image in ("ax", "by", "cy", "dz")]
    assert order_images(chosen) == ["y", "x", "z"]


def test_a_gallery_of_everything(tmp_path: Path) -> None:
    board, data, predictions = make_all(tmp_path, ["exact", "poor"])
    made = make_gallery(read_board(board), data, predictions)
    assert (made.problems, made.left_out) == ([], [])
    scores = pd.read_csv(board / "scores.csv").set_index(["algorithm", "image"])
    for stem, image in made.images.items():
        assert list(image["drawn"]) == ["exact", "poor"]
        for name, drawn in image["drawn"].items():
            row = scores.loc[(name, stem)]
            assert sum(drawn["true_cells"].values()) == row["true_cells"]
            assert sum(drawn["predicted_cells"].values()) == row["predicted_cells"]
            assert (
                drawn["true_cells"].get("matched", 0)
                == drawn["predicted_cells"].get("matched", 0)
                == row["tp"]
            )
            assert len(drawn["kinds"]) == len(image["truth"])


def test_faults_are_told_and_the_rest_is_drawn(tmp_path: Path) -> None:
    board, data, predictions = make_all(tmp_path, ["a", "b", "c"], images=3)
    (predictions / "a" / "test0_label.tiff").unlink()
    write_labels(label_path(predictions / "b", "test1"), np.ones((3, 3), int))
    (data / "test" / "images" / "test2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for path in (predictions / "c").iterdir():
        path.unlink()
    (predictions / "c").rmdir()
    made = make_gallery(read_board(board), data, predictions)
    assert set(made.images) == {"test0", "test1"}
    reasons = {(one.algorithm, one.image): one.reason for one in made.problems}
    assert reasons["c", ""] == "no folder of this name among the predictions"
    assert reasons["a", "test0"] == "no prediction: missing"
    assert "(3, 3)" in reasons["b", "test1"]
    assert "test2.png" in reasons["", "test2"]
    assert not any(str(tmp_path) in reason for reason in reasons.values())


def test_images_without_a_cell_tell_nothing(tmp_path: Path) -> None:
    board, data, predictions = make_all(tmp_path, ["a", "b"], images=3)
    scores = pd.read_csv(board / "scores.csv")
    scores.loc[scores["image"].isin(["test0", "test1"]), "f1"] = 0.0
    write_labels(label_path(data / "test" / "labels", "test0"), np.zeros((64, 96), int))
    write_scores(board, scores)
    made = make_gallery(read_board(board), data, predictions)
    assert set(made.images) == {"test1", "test2"}
    assert made.problems == []


def test_a_damaged_truth_is_told(tmp_path: Path) -> None:
    board, data, predictions = make_all(tmp_path, ["a"], images=2)
    (data / "test" / "labels" / "test1_label.tiff").write_bytes(b"II*\0")
    scores = pd.read_csv(board / "scores.csv")
    scores.loc[scores["image"] == "test1", "f1"] = 0.0
    write_scores(board, scores)
    made = make_gallery(read_board(board), data, predictions)
    assert set(made.images) == {"test0"}
    (problem,) = made.problems
    assert (problem.algorithm, problem.image) == ("", "test1")
    assert "test1_label.tiff" in problem.reason


def test_little_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board, data, predictions = make_all(tmp_path, ["a", "b"])
    whole = make_gallery(read_board(board), data, predictions)
    sizes = [gallery_module._size(image) for image in whole.images.values()]
    monkeypatch.setattr(gallery_module, "MOST_BYTES", sum(sizes) - 1)
    made = make_gallery(read_board(board), data, predictions)
    drawn = sum(gallery_module._size(image) for image in made.images.values())
    assert drawn < sum(sizes)
    assert set(made.images) | set(made.left_out) == set(whole.images)


def test_names_of_the_challenge_are_found(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data", 1)
    predictions = make_predictions(data, tmp_path / "predictions", ["a"])
    (data / "test" / "images" / "test0.png").rename(data / "test" / "images" / "test0.v1.png")
    found = find_sources(["test0"], ["a"], data, predictions)
    assert found.images["test0"].image.name == "test0.v1.png"
    assert list(found.cases["a"]) == ["test0"]


def test_the_split_with_the_boards_images(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data")
    predictions = make_predictions(data, tmp_path / "predictions", ["a"])
    assert set(find_sources(["tune0", "tune1"], ["a"], data, predictions).images) == {
        "tune0",
        "tune1",
    }
    assert set(find_sources(["test1", "other"], ["a"], data, predictions).images) == {"test1"}


def test_other_measures_choose_too(tmp_path: Path) -> None:
    board, data, predictions = make_all(tmp_path, ["a", "b"])
    scores = scores_of(["a", "b"], ["test0", "test1"])
    tables = read_board(write_scores(tmp_path / "other", scores))
    made = make_gallery(tables, data, predictions)
    assert {choice.image for choice in made.choices} == {"test0", "test1"}
    assert read_labels(label_path(data / "test" / "labels", "test0")).shape == tuple(
        made.images["test0"]["size"]
    )
    assert board != tables.folder
