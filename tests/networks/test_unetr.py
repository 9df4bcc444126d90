"""UNETR: MONAI's network, for images of any size and with a convolution stem."""

import pytest
import torch

from cellbench.errors import UsageError
from cellbench.networks.unetr import UNETR

MAPS = {"boundary": 3}
TINY = {"feature_size": 4, "hidden_size": 24, "mlp_size": 48, "heads": 3}
# MONAI's UNETR in the challenge's sizes has 87,727,379 for three maps. Twelve norms that it does not use
# are left out here.
OFFICIAL_PARAMETERS = 87_727_379 - 12 * 2 * 768


def tiny(window: int = 64, convolution_stem: bool = False) -> UNETR:
    torch.manual_seed(0)
    return UNETR(MAPS, window, **TINY, convolution_stem=convolution_stem).eval()


def test_a_window_has_the_outputs_of_monais_network() -> None:
    network = tiny()
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(network(image)["boundary"], network.body(image))


def test_the_official_size() -> None:
    with torch.device("meta"):
        network = UNETR(MAPS)
    assert sum(each.numel() for each in network.parameters()) == OFFICIAL_PARAMETERS


@pytest.mark.parametrize("convolution_stem", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (32, 48), (64, 64), (65, 33), (144, 64)])
def test_images_of_any_size(shape: tuple[int, int], convolution_stem: bool) -> None:
    with torch.inference_mode():
        maps = tiny(64, convolution_stem)(torch.rand(1, 3, *shape))["boundary"]
    assert maps.shape == (1, 3, *shape)
    assert maps.isfinite().all()


@pytest.mark.parametrize(("window", "grid"), [(1, 2), (64, 4), (65, 5), (256, 16)])
def test_there_is_an_embedding_for_each_position_of_a_window(window: int, grid: int) -> None:
    embeddings = tiny(window).body.vit.patch_embedding.position_embeddings
    assert embeddings.shape == (1, grid * grid, 24)


def test_embeddings_of_other_sizes_lie_between_those_of_the_window() -> None:
    network = tiny(64)
    embeddings = network.body.vit.patch_embedding.position_embeddings
    column = torch.arange(4.0).repeat(4)  # of each token, row by row
    with torch.no_grad():
        embeddings.copy_(column[None, :, None].expand_as(embeddings))
        same, half, double = (network._positions(side, side)[0, 0] for side in (4, 2, 8))
    assert same.tolist() == [[0, 1, 2, 3]] * 4
    assert half.tolist() == [[0.5, 2.5]] * 2
    assert double.tolist() == [[0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]] * 8


def test_the_order_of_tokens_is_that_of_the_image() -> None:
    network = tiny(64)
    image = torch.zeros(1, 3, 64, 96, requires_grad=True)
    tokens = network._transform(network.body.vit.patch_embedding.patch_embeddings(image))
    # Without the attention between tokens, each would see its own patch alone: the strongest one.
    tokens[0][0, :, 1, 4].square().sum().backward()
    assert image.grad is not None
    seen = image.grad.abs().sum(1)[0].reshape(4, 16, 6, 16).sum((1, 3))
    assert divmod(int(seen.argmax()), 6) == (1, 4)


def test_the_decoder_sees_the_stem() -> None:
    network = tiny(64, convolution_stem=True)
    assert network.stem is not None
    maps = network.stem(torch.rand(1, 4, 64, 64))
    assert [each.shape[1:] for each in maps] == [
        (8, 32, 32),
        (16, 16, 16),
        (32, 8, 8),
        (24, 4, 4),
    ]


@pytest.mark.parametrize("convolution_stem", [False, True])
def test_arrays_stored_pixel_by_pixel_in_half_precision(convolution_stem: bool) -> None:
    network = tiny(64, convolution_stem).to(memory_format=torch.channels_last)
    image = torch.rand(2, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        half = network(image)["boundary"]
    half.float().sum().backward()
    torch.testing.assert_close(half.float(), network(image)["boundary"], rtol=0.1, atol=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"heads": 5}, "heads 5: must divide hidden_size 24"),
        ({"heads": 0}, "heads 0: must be at least 1"),
        ({"feature_size": 0}, "feature_size 0: must be at least 1"),
        ({"window": -1}, "window -1: must be at least 1"),
    ],
)
def test_numbers_that_fit_no_network(options: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        UNETR(MAPS, **{**TINY, **options})
