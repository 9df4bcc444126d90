"""`segment --overlap`: the windows of dense models overlap more for one run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint, small_unet, tiny_model

from cellbench.cli import main
from cellbench.errors import UsageError
from cellbench.inference import segment_image
from cellbench.inference.segment import predict_maps
from cellbench.networks.windows import predict_in_windows


def test_the_overlap_is_that_of_a_model_trained_with_it() -> None:
    image = np.random.default_rng(0).random((100, 150, 3)).astype(np.float32)
    model, wide = small_unet(), small_unet(overlap=0.6)
    before = predict_maps([model], image)["classes"]
    expected = segment_image(wide, image)
    assert not np.array_equal(before, predict_maps([wide], image)["classes"])
    np.testing.assert_array_equal(segment_image(model, image, overlap=0.6), expected)
    assert model.overlap == 0.25
    np.testing.assert_array_equal(predict_maps([model], image)["classes"], before)


def test_more_windows_are_predicted_also_by_a_router(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def predict(*arguments: Any, **options: Any) -> dict[str, torch.Tensor]:
        seen.append(options["overlap"])
        return predict_in_windows(*arguments, **options)

    monkeypatch.setattr("cellbench.models.dense_segmenter.predict_in_windows", predict)
    router = tiny_model("multi_stream")
    for overlap in (0.6, None, 0.0):
        labels = segment_image(router, np.zeros((64, 64, 3)), overlap=overlap)
        assert labels.shape == (64, 64)
    assert seen == [0.6, 0.25, 0.0]


@pytest.mark.parametrize("overlap", [1, -0.1, float("nan")])
def test_impossible_overlaps(overlap: float) -> None:
    with pytest.raises(UsageError, match="must be at least 0 and below 1"):
        segment_image(small_unet(), np.zeros((8, 8, 3)), overlap=overlap)


@pytest.mark.parametrize(
    "words", [["--overlap", "1"], ["--overlap", "wide"], ["--diameter", "wide"]]
)
def test_wrong_usage(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save_checkpoint(small_unet(), tmp_path / "model.ckpt")
    (tmp_path / "a.png").write_text("")
    files = [str(tmp_path / "a.png"), str(tmp_path / "out"), "--checkpoint", str(path)]
    assert main(["segment", *files, *words]) == 2
    assert words[0].strip("-") in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
