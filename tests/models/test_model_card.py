"""The model card is made from scores, and a model that is not good enough is not published."""

import importlib.util
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from ready_models import ABOUT

ROOT = Path(__file__).parents[2]
IMAGES = {
    "a": ("lab 1", "fluorescence"),
    "b": ("lab 1", "fluorescence"),
    "c": ("lab 2", "brightfield"),
}
GOOD = {"generalist": [0.9, 0.8, 0.7], "otsu_watershed": [0.8, 0.7, 0.2]}


@pytest.fixture(scope="module")
def card() -> ModuleType:
    spec = importlib.util.spec_from_file_location("card", ROOT / "scripts/write_model_card.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    card: ModuleType, folder: Path, values: dict[str, list[float]], scaled: float = 0.75
) -> tuple[int, str]:
    """Write a model card from scores of three images; return the exit status and the text."""
    (folder / "about.yaml").write_text(yaml.safe_dump(ABOUT))
    (folder / "a.safetensors").write_bytes(b"0" * 9_100_000)
    lines = ["image,split,modality,source"]
    for split in ("test", "tune"):
        (folder / f"data/{split}/images").mkdir(parents=True)
        for image, (source, modality) in IMAGES.items():
            name = f"{image}.png"
            cv2.imwrite(str(folder / f"data/{split}/images/{name}"), np.zeros((4, 4), np.uint8))
            lines.append(f"{name},{split},{modality},{source}")
        scores(folder / f"boards/{split}/scores.csv", values)
    (folder / "data/manifest.csv").write_text("\n".join(lines))
    scores(folder / "boards/scaled/0.5.csv", {"generalist": [scaled] * 3})
    words = ["about.yaml", "--weights", "a.safetensors", "--data", "data", "--boards", "boards"]
    paths = [word if word.startswith("--") else str(folder / word) for word in words]
    status = card.main([*paths, "--out", str(folder / "card.md")])
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
    assert "| 0.5 | 0.750 |" in text
    assert "Version 1.2.3, 9.1 MB. Licence of the weights: Apache-2.0." in text


@pytest.mark.parametrize(
    ("values", "scaled", "message"),
    [
        (
            {"generalist": [0.9, 0.8, 0.7], "otsu_watershed": [0, 0, 0.8]},
            0.8,
            "on lab 2 its mean F1 0.700",
        ),
        ({"generalist": [0.6, 0.7, 0.7], "otsu_watershed": [0, 0, 0]}, 0.7, "is 0.667, below 0.7"),
        (GOOD, 0.6, "differs by 0.200, more than 0.1"),
    ],
)
def test_a_bad_model_is_not_published(
    values: dict[str, list[float]],
    scaled: float,
    message: str,
    card: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert make(card, tmp_path, values, scaled)[0] == 1
    assert message in capsys.readouterr().err
