"""The U-Net against MONAI's, of which it has the names, the initial weights and the outputs."""

import pytest
import torch
from monai.networks.nets import UNet as MonaiUNet

from cellbench.errors import UsageError
from cellbench.networks.unet import UNet

MAPS = {"classes": 3, "more": 2}


@pytest.mark.parametrize("channels", [(4, 8), (4, 6, 8), (16, 32, 64, 128, 256)])
@pytest.mark.parametrize("units", [1, 2, 3])
def test_it_is_the_network_of_monai(channels: tuple[int, ...], units: int) -> None:
    torch.manual_seed(0)
    ours = UNet(MAPS, channels, units)
    torch.manual_seed(0)
    theirs = MonaiUNet(
        spatial_dims=2,
        in_channels=3,
        out_channels=5,
        channels=channels,
        strides=(2,) * (len(channels) - 1),
        num_res_units=units,
    )
    expected = {f"body.{name}": values for name, values in theirs.state_dict().items()}
    found = ours.state_dict()
    assert [*found] == [*expected]
    for name, values in expected.items():
        assert torch.equal(found[name], values), name
    image = torch.rand(2, 3, 64, 96)
    outputs = torch.cat([*ours(image).values()], dim=1)
    assert torch.equal(outputs, theirs(image))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": (4,)}, r"channels \[4\]: must be at least two numbers"),
        ({"channels": (4, 0)}, r"channels \[4, 0\]: must be at least two numbers"),
        ({"residual_units": 0}, "residual_units 0: must be 1 or more"),
    ],
)
def test_options_that_make_no_network(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        UNet(MAPS, **options)  # type: ignore[arg-type]
