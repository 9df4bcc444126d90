"""The model card is made from scores, and a model that is not good enough is not published."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from ready_models import ABOUT

from cellbench.errors import UsageError

ROOT = Path(__file__).parents[2]
IMAGES = {
    "a": ("lab 1", "fluorescence"),
    "b": ("lab 1", "fluorescence"),
    "c": ("lab 2", "brightfield"),
    "d": ("train", "DIC"),
}
GOOD = {"generalist": [0.9, 0.8, 0.7, 0.15], "otsu_watershed": [0.8, 0.7, 0.2, 0.1]}


@pytest.fixture(scope="module")
def card() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "scripts")
        yield import_module("write_model_card")


def scores(path: Path, values: dict[str, list[float]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"algorithm": name, "image": image, "threshold": threshold, "f1": f1 * threshold / 0.5}
        for name, each in values.items()
        for image, f1 in zip(IMAGES, each, strict=True)
        for threshold in (0.5, 0.4)
    ]
    pd.DataFrame(rows).to_csv(path, index=False)


def make(
    card: ModuleType,
    folder: Path,
    values: dict[str, list[float]],
    scaled: float = 0.8,
    *words: str,
) -> tuple[int, str]:
    """Write a model card from scores of three images; return the exit status and the text."""
    folder.mkdir(exist_ok=True)
    (folder / "about.yaml").write_text(yaml.safe_dump(ABOUT))
    (folder / "a.safetensors").write_bytes(b"0" * 9_100_000)
    (folder / "trained").write_text("cellbench fit --trainer.max_time 00:01:00:00\nNVIDIA T4\n")
    lines = ["image,split,modality,source"]
    for split in ("test", "tune", "train"):
        (folder / f"data/{split}/images").mkdir(parents=True)
        for image, (source, modality) in IMAGES.items():
            name = f"{image}.png"
            cv2.imwrite(str(folder / f"data/{split}/images/{name}"), np.zeros((4, 4), np.uint8))
            known = ("train", "DIC") if split != "test" else (source, modality)
            lines.append(f"{name},{split},{known[1]},{known[0]}")
        scores(folder / f"boards/{split}/scores.csv", values)
    (folder / "data/manifest.csv").write_text("\n".join(lines))
    scores(folder / "boards/scaled/0.5.csv", {"generalist": [scaled, scaled, 0.7, 0]})
    options = ["--weights", "a.safetensors", "--data", "data", "--boards", "boards"]
    options += ["--training", "trained", "--out", "card.md"]
    paths = [each if each.startswith("--") else str(folder / each) for each in options]
    status = card.main([str(folder / "about.yaml"), *paths, *words])
    return status, (folder / "card.md").read_text("utf-8")


def test_scores_stand_in_the_card_and_its_fields(card: ModuleType, tmp_path: Path) -> None:
    status, text = make(card, tmp_path, GOOD)
    assert status == 0
    fields = yaml.safe_load(text.split("---\n")[1])
    assert fields["license"] == "apache-2.0"
    results = fields["model-index"][0]["results"]
    assert [each["metrics"][0]["value"] for each in results] == [0.85, 0.7, 0.8]
    assert fields.keys() >= {"library_name", "pipeline_tag", "tags", "datasets", "metrics"}
    assert "| lab 1 | 2 | 0.850 | 0.800 to 0.900 | 0.750 |" in text
    assert "| brightfield | 1 | 0.700 | 0.700 to 0.700 | 0.200 |" in text
    assert "| 0.5 | 0.700 | 0.800 | 0.767 |\n| 1 | 0.700 | 0.850 | 0.800 |" in text
    assert "Version 1.2.3, 9.1 MB. Licence of the weights: Apache-2.0." in text


def test_images_of_training_sources_are_kept_apart(card: ModuleType, tmp_path: Path) -> None:
    _, text = make(card, tmp_path, GOOD)
    assert "| train | DIC | 4 |" in text
    assert "| DIC | 5 | 0.540 |" in text  # four of tune, and the one of test that training knows
    assert "No test image of an unseen source is DIC" in text


def test_the_card_says_how_the_model_was_trained(card: ModuleType, tmp_path: Path) -> None:
    _, text = make(card, tmp_path, GOOD)
    assert "with this command on NVIDIA T4;" in text
    assert "```\ncellbench fit --trainer.max_time 00:01:00:00\n```" in text


@pytest.mark.parametrize(
    ("values", "scaled", "message", "row"),
    [
        (
            GOOD | {"otsu_watershed": [0, 0, 0.8, 0]},
            0.75,
            "mean F1 on lab 2 above Otsu and watershed; measured: 0.700 and 0.800",
            "| mean F1 on lab 2 above Otsu and watershed | 0.700 and 0.800 | **no** |",
        ),
        (
            {"generalist": [0.6, 0.7, 0.7, 0.7], "otsu_watershed": [0, 0, 0, 0]},
            0.7,
            "at least 0.70; measured: 0.667 (0.600 to 0.700)",
            "at least 0.70 | 0.667 (0.600 to 0.700) | **no** |",
        ),
        (
            GOOD,
            0.6,
            "fluorescence: at most 0.10 apart; measured: 0.250",
            "fluorescence: at most 0.10 apart | 0.250 | **no** |",
        ),
    ],
)
def test_a_bad_model_is_published_only_on_request(
    values: dict[str, list[float]],
    scaled: float,
    message: str,
    row: str,
    card: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, text = make(card, tmp_path / "a", values, scaled)
    assert status == 1
    assert message in capsys.readouterr().err
    assert row in text
    assert make(card, tmp_path / "b", values, scaled, "--publish-anyway") == (0, text)


def test_without_an_unseen_source_there_is_no_card(
    card: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(IMAGES, "a", ("train", "DIC"))
    monkeypatch.setitem(IMAGES, "b", ("train", "DIC"))
    monkeypatch.setitem(IMAGES, "c", ("", "DIC"))
    with pytest.raises(UsageError, match="no test image has a source that is not in train"):
        make(card, tmp_path, GOOD)
