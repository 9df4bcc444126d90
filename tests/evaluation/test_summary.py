"""summarise: hand-worked rows, pooled counts, and the same bytes from any order of images."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest

from cellbench.evaluation.cell_shapes import measure_shapes
from cellbench.evaluation.class_counts import CLASS_COLUMNS, count_classes
from cellbench.evaluation.details import image_details
from cellbench.evaluation.measures import ERROR_COLUMNS, Table
from cellbench.evaluation.overlap import count_overlaps
from cellbench.evaluation.pooled import PooledOverlaps
from cellbench.evaluation.rows import columns
from cellbench.evaluation.summary import summarise, summary_columns
from cellbench.labels.banded import BandedLabels, in_bands

# Runs of pixels of one row: true areas, and the share of each that is predicted.
IMAGES = {
    "a": ("fluorescence", [10, 200, 3000], [1.0, 1.0, 0.0]),
    "b": ("fluorescence", [10, 10], [0.0, 0.3]),
    "c": ("DIC", [20_000], [0.75]),
    "d": ("", [300], [0.1]),
}


def maps_of(image: str) -> tuple[BandedLabels, BandedLabels]:
    _, areas, shares = IMAGES[image]
    cells = np.arange(1, len(areas) + 1)
    truth = np.repeat(cells, areas)
    kept = [round(area * share) for area, share in zip(areas, shares, strict=True)]
    prediction = np.concatenate(
        [np.arange(area) < keep for area, keep in zip(areas, kept, strict=True)]
    )
    return in_bands(truth[None]), in_bands((truth * prediction)[None])


def detail_row(image: str) -> dict[str, object]:
    maps = maps_of(image)
    modality, *_ = IMAGES[image]
    about = {"algorithm": "u-net", "image": image, "modality": modality, "status": "ok"}
    return about | image_details(count_overlaps(*maps), maps)


def class_rows(image: str) -> list[dict[str, object]]:
    maps = maps_of(image)
    pooled = PooledOverlaps(count_overlaps(*maps))
    found = count_classes(pooled, *map(measure_shapes, maps))
    about = {"algorithm": "u-net", "image": image}
    return [about | dict(zip(CLASS_COLUMNS, (*row[:2], *row.counts), strict=True)) for row in found]


@pytest.fixture
def details() -> pd.DataFrame:
    return pd.DataFrame([detail_row(image) for image in IMAGES])


@pytest.fixture
def classes() -> pd.DataFrame:
    return pd.DataFrame([row for image in IMAGES for row in class_rows(image)])


def row_of(summary: pd.DataFrame, group: str, value: str = "") -> dict[str, object]:
    (row,) = summary[(summary["group"] == group) & (summary["value"] == value)].to_dict("records")
    return row


def test_groups_and_columns(details: pd.DataFrame) -> None:
    found = summarise(pd.concat([details, details.assign(algorithm="cellpose")]))
    assert tuple(found.columns) == summary_columns()
    groups = [
        ("all", ""),
        ("modality", "DIC"),
        ("modality", "fluorescence"),
        ("cell area", "under 100 px"),
        ("cell area", "100 to 999 px"),
        ("cell area", "1000 to 9999 px"),
        ("cell area", "10000 and more px"),
    ]
    assert list(found[["algorithm", "group", "value"]].itertuples(index=False, name=None)) == [
        (algorithm, *group) for algorithm in ("cellpose", "u-net") for group in groups
    ]


def test_all_images_by_hand(details: pd.DataFrame) -> None:
    row = row_of(summarise(details), "all")
    # F1: a 2·2/(3+2) = .8, b 0, c 1, d 0. Predicted cells: 2, 1, 1, 1.
    expected = {"images": 4, "true_cells": 7, "predicted_cells": 5, "tp": 3, "fp": 2, "fn": 4}
    expected |= {"precision": 3 / 5, "recall": 3 / 7, "f1": 6 / 12}
    expected |= {"median_f1": 0.4, "mean_f1": 0.45}
    # AP: 2/3 at all of a's thresholds; c's IoU of .75 reaches 6 of 10.
    expected |= {"ap": (2 / 3 + 0 + 0.6 + 0) / 4}
    expected |= {"aji": (210 / 3210 + 3 / 20 + 0.75 + 0.1) / 4}
    expected |= {"fn_missed": 2, "fn_poor_outline": 2, "fp_poor_outline": 2, "fp_spurious": 0}
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_one_modality_by_hand(details: pd.DataFrame) -> None:
    row = row_of(summarise(details), "modality", "fluorescence")
    expected = {"images": 2, "tp": 2, "fp": 1, "fn": 3, "median_f1": 0.4, "ap": 1 / 3}
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_small_cells_by_hand(details: pd.DataFrame) -> None:
    row = row_of(summarise(details), "cell area", "under 100 px")
    expected = {"images": 3, "true_cells": 3, "predicted_cells": 3, "tp": 1, "fp": 2, "fn": 2}
    expected |= {"precision": 1 / 3, "recall": 1 / 3, "f1": 2 / 6}
    assert {name: row[name] for name in expected} == pytest.approx(expected)
    per_image = ("median_f1", "mean_f1", "ap", "pq", "aji", *ERROR_COLUMNS)
    assert all(pd.isna(row[name]) for name in per_image)


def test_classes_add_shapes_and_kinds_of_errors(
    details: pd.DataFrame, classes: pd.DataFrame
) -> None:
    found = summarise(details, classes)
    plain = summarise(details)
    assert list(found["value"]) == [*plain["value"], "round", "oval", "long"]
    counted = [name for name in summary_columns() if name not in ERROR_COLUMNS]
    pd.testing.assert_frame_equal(found[counted].head(len(plain)), plain[counted])
    pd.testing.assert_frame_equal(found.head(3), plain.head(3))
    small = row_of(found, "cell area", "under 100 px")
    expected = {"fn_missed": 1, "fn_poor_outline": 1, "fp_poor_outline": 2, "fp_spurious": 0}
    assert {name: small[name] for name in expected} == expected
    assert (
        small["fn"] == 2
    )  # the fp of 30 pixels is a part of a true cell of 300, and of another class
    long = row_of(found, "cell shape", "long")  # every cell is a line
    whole = row_of(found, "all")
    for name in ("images", "true_cells", "tp", "fp", "precision", "f1", *ERROR_COLUMNS):
        assert long[name] == whole[name]
    assert pd.isna(long["median_f1"])
    nothing = row_of(found, "cell shape", "round")
    assert [nothing[name] for name in ("images", "true_cells", "fp", "fn_missed", "f1")] == [0] * 5


def test_classes_in_any_order_give_the_same_bytes(
    details: pd.DataFrame, classes: pd.DataFrame
) -> None:
    both = [pd.concat([table, table.assign(algorithm="a")]) for table in (details, classes)]
    expected = summarise(*both).to_csv(index=False)
    mixed = [table.sample(frac=1, random_state=1) for table in both]
    assert summarise(*mixed).to_csv(index=False) == expected


def test_the_same_bytes_from_any_order_and_from_csv(details: pd.DataFrame) -> None:
    both = pd.concat([details, details.assign(algorithm="cellpose", f1_50=0.1)])
    expected = summarise(both).to_csv(index=False)
    assert summarise(both.sample(frac=1, random_state=1)).to_csv(index=False) == expected
    reread = pd.read_csv(StringIO(both.to_csv(index=False)), float_precision="round_trip")
    assert summarise(reread).to_csv(index=False) == expected


def test_no_rows_give_no_rows() -> None:
    nothing = pd.DataFrame(columns=list(columns(Table.DETAILS)))
    assert summarise(nothing).to_csv(index=False) == ",".join(summary_columns()) + "\n"


def test_nothing_matched_is_0(details: pd.DataFrame) -> None:
    row = row_of(summarise(details[details["image"] == "b"]), "all")
    assert (row["precision"], row["recall"], row["f1"]) == (0, 0, 0)
