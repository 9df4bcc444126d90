"""Windows: blended predictions of images of any size."""

import pytest
import torch

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
