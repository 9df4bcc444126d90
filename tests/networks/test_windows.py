"""Windows: blended predictions of images of any size."""

import pytest
import torch
from monai.inferers import sliding_window_inference

from cellbench.networks.windows import predict_in_windows


def double(windows: torch.Tensor) -> dict[str, torch.Tensor]:
    assert windows.shape[1:] == (3, 32, 32)
    assert len(windows) <= 4
    return {"all": windows * 2, "first": windows[:, :1].half()}


@pytest.mark.parametrize("shape", [(1, 1), (5, 31), (32, 32), (33, 200), (97, 64)])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_pointwise_predictions_do_not_depend_on_windows(
    shape: tuple[int, int], overlap: float
) -> None:
    image = torch.rand(3, *shape)
    maps = predict_in_windows(double, image, window=32, overlap=overlap)
    assert maps["all"].shape == image.shape
    assert maps["first"].dtype == torch.float32
    torch.testing.assert_close(maps["all"], image * 2, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(100, 70), (100, 300), (20, 31)])
def test_little_is_added_to_small_images(shape: tuple[int, int]) -> None:
    """What a network normalises by is the image, not what it was filled up with."""

    def normalise(windows: torch.Tensor) -> dict[str, torch.Tensor]:
        added = [padded - side for padded, side in zip(windows.shape[2:], shape, strict=True)]
        assert max(added) < 32
        return {"mean": windows.mean((2, 3), keepdim=True) * torch.ones_like(windows)}

    maps = predict_in_windows(normalise, torch.ones(3, *shape), window=256)
    torch.testing.assert_close(maps["mean"], torch.ones(3, *shape))


@pytest.mark.parametrize("shape", [(64, 64), (65, 200), (300, 129)])
@pytest.mark.parametrize(("window", "overlap"), [(64, 0.25), (32, 0.5), (48, 0.6), (64, 0.0)])
def test_windows_and_weights_are_those_of_monai(
    shape: tuple[int, int], window: int, overlap: float
) -> None:
    seen: list[torch.Tensor] = []

    def predict(windows: torch.Tensor) -> dict[str, torch.Tensor]:
        seen.append(windows)
        ramp = torch.linspace(0, 1, windows[0, 0].numel()).view(windows.shape[-2:])
        return {"a": windows * ramp, "b": windows[:, :1] - ramp}

    image = torch.rand(3, *shape)
    ours = predict_in_windows(predict, image, window=window, overlap=overlap)
    our_windows = torch.cat(seen)
    seen.clear()
    theirs = sliding_window_inference(
        image[None], [window, window], 4, predict, overlap=overlap, mode="gaussian"
    )
    assert torch.equal(our_windows, torch.cat(seen))
    for name, values in theirs.items():
        torch.testing.assert_close(ours[name], values[0])
