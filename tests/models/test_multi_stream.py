"""A classifier and four streams in one model: who learns what, and who segments what."""

import csv
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint
from datasets import make_dataset
from multi_streams import batch_of, same, stored_streams, tiny, weights
from PIL import Image
from training_runs import fit

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.errors import UsageError
from cellbench.inference import load_model, load_models, segment_image
from cellbench.inference.segment import predict_maps
from cellbench.inference.tuning import tune_streams
from cellbench.models.checkpoint_keys import DECODING_KEY
from cellbench.models.multi_stream import MultiStream


def send_all_to(model: MultiStream, group: int) -> None:
    last = model.network.classifier.body.fc  # type: ignore[union-attr]
    torch.nn.init.zeros_(last.weight)
    last.bias.data = torch.nn.functional.one_hot(torch.tensor(group), 4).float()


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({}, "star star star hover"),
        ({"rules": "paper"}, "star star hover hover"),
        ({"rules": "paper", "streams": ["hover"] * 4}, "hover hover hover hover"),
    ],
)
def test_rules_say_the_kinds_of_the_streams(options: dict[str, Any], kinds: str) -> None:
    model = tiny(**options)
    assert " ".join(model.kinds) == kinds
    assert {"hover": "ConvNextHoVer", "star": "ConvNextStarDist"}[model.kinds[-1]] == type(
        model.stream(3)
    ).__name__
    assert same(weights(model, 0), weights(model, 1))


@pytest.mark.parametrize(
    "options",
    [{"streams": ["star"] * 3}, {"streams": ["x"] * 4}, {"pretraining": 2.0}, {"thumbnail": 32}],
)
def test_senseless_options(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        tiny(**options)


def test_streams_learn_their_own_patches_weighted_by_their_number() -> None:
    model = tiny()
    batch = batch_of(model, [2, 3, 2, 2])

    def loss_of(index: int, chosen: list[int]) -> torch.Tensor:
        targets = {name: each[chosen] for name, each in batch["targets"].items()}
        return model.stream(index).loss({"image": batch["image"][chosen], "targets": targets})

    expected = 0.75 * loss_of(2, [0, 2, 3]) + 0.25 * loss_of(3, [1])
    torch.testing.assert_close(model.routed_loss(batch), expected)


def test_the_chosen_stream_segments() -> None:
    model = tiny()
    image = np.random.default_rng(0).random((50, 70, 3), dtype=np.float32)
    for group, names in ((1, {"probability", "distances"}), (3, {"foreground", "hv"})):
        send_all_to(model, group)
        maps = predict_maps([model], image, precision="32")
        assert maps.keys() == names
        assert all(each.shape[1:] == (50, 70) for each in maps.values())
        stream = model.stream(group)
        alone = predict_maps([stream], image, precision="32")
        assert all(np.array_equal(maps[name], alone[name]) for name in names)
        np.testing.assert_array_equal(
            segment_image(model, image, augment=True), segment_image(stream, image, augment=True)
        )


@pytest.mark.slow
def test_the_first_of_an_ensemble_chooses(tmp_path: Path) -> None:
    first, second, other = tiny(0), tiny(1), tiny(rules="paper")
    send_all_to(first, 3)
    send_all_to(second, 0)
    paths = [
        save_checkpoint(each, tmp_path / f"{number}.ckpt")
        for number, each in enumerate((first, second, other))
    ]
    image = np.random.default_rng(0).random((40, 70, 3))
    together = predict_maps(load_models(paths[:2], "cpu"), image, precision="32")["hv"]
    alone = [predict_maps([each.stream(3)], image, precision="32") for each in (first, second)]
    np.testing.assert_allclose(together, (alone[0]["hv"] + alone[1]["hv"]) / 2, atol=1e-6)
    with pytest.raises(ValueError, match=r"differ in 2\.channels"):
        load_models([paths[0], paths[2]], "cpu")


def test_each_stream_keeps_its_decoding(tmp_path: Path) -> None:
    model = tiny()
    model.stream(1).representation.set_decoding({"probability_threshold": 0.3})
    loaded = load_model(save_checkpoint(model, tmp_path / "model.ckpt"), "cpu")
    thresholds = [loaded.stream(index).representation.decoding() for index in range(4)]
    assert [each.get("probability_threshold") for each in thresholds] == [0.5, 0.3, 0.5, None]
    with pytest.raises(UsageError, match="no such option"):
        model.representation.set_decoding({"7.probability_threshold": 0.3})


def coloured(data: Path, stem: str) -> None:
    """Make an image one of group 3: strong colours."""
    for path in data.glob(f"*/images/{stem}.png"):
        gray = np.asarray(Image.open(path))
        Image.fromarray(np.dstack([gray, gray // 3, 255 - gray])).save(path)


def test_streams_are_tuned_on_what_is_sent_to_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_dataset(tmp_path / "data", images=3)
    coloured(data, "tune1")
    monkeypatch.setattr(
        MultiStream, "choose", lambda _, image: 1 if torch.equal(image[0], image[1]) else 3
    )
    items = read_dataset(data, ["tune"])
    trials = tune_streams(tiny(), items)
    assert trials.keys() == {1, 3}
    assert "probability_threshold" in trials[1][0].decoding
    path = save_checkpoint(tiny(), tmp_path / "model.ckpt")
    assert main(["tune", str(path), "--data", str(data), "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("stream")] == ["stream 1", "stream 3"]
    stored = torch.load(path, weights_only=True)[DECODING_KEY]
    assert stored == tiny().representation.decoding() | {
        f"{index}.{name}": value
        for index in trials
        for name, value in max(trials[index], key=lambda each: each.f1).decoding.items()
    }


@pytest.mark.slow
def test_groups_are_reported_and_scored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data, run = make_dataset(tmp_path / "data"), tmp_path / "run"
    coloured(data, "train1")
    coloured(data, "tune1")
    with caplog.at_level(logging.INFO):
        assert fit("multi_stream", run, data) == 0
    tables = [each.message for each in caplog.records if each.message.startswith("group ")]
    first, last = (table.splitlines() for table in tables)
    assert first[0].split() == ["group", "images", "stream", "train", "tune"]
    assert [line.split()[-2:] for line in first[1:]] == [
        ["1", "1"],
        ["0", "0"],
        ["0", "0"],
        ["1", "1"],
    ]
    assert last[0].endswith("F1")
    assert last[2].endswith("-")
    with (run / "logs/version_0/metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    scored = [row for row in rows if row["val/f1"]]
    assert len(scored) == 2
    for row in scored:
        both = [float(row[f"val/f1_group{group}"]) for group in (0, 3)]
        assert float(row["val/f1"]) == pytest.approx(sum(both) / 2, abs=1e-5)
        assert 0 <= float(row["val/group_accuracy"]) <= 1
    assert "val/f1_group1" not in rows[0]
    assert last[1].endswith(f"{float(scored[-1]['val/f1_group0']):.4f}")
    for streams in stored_streams(run):
        assert same(streams[1], streams[2])  # no image is in either: what pre-training left
        assert not same(streams[0], streams[1])


def test_encoders_learn_at_their_own_rate() -> None:
    model = tiny(learning_rate=1e-3, encoder_rate=0.1)
    rest, encoders = model.parameter_groups()
    assert encoders["lr"] == pytest.approx(1e-4)
    streams = [model.stream(index).network for index in range(4)]
    assert {id(each) for each in encoders["params"]} == {
        id(each)
        for network in streams
        for each in network.encoder.parameters()  # type: ignore[union-attr]
    }
    assert len(rest["params"]) + len(encoders["params"]) == len(list(model.parameters()))
