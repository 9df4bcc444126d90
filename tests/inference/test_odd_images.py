"""All models on images of any size and content, and in half precision."""

import numpy as np
import numpy.typing as npt
import pytest
from checkpoints import small_unet, tiny_model

from cellbench.inference import segment_image
from cellbench.inference.segment import predict_maps
from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.names import OWN_MODELS

IMAGES = {
    "one pixel": np.ones((1, 1, 3)),
    "a strip": np.random.default_rng(0).random((17, 5000, 3)),
    "black": np.zeros((70, 65, 3)),
    "constant": np.full((64, 100, 3), 0.7),
    "not a number": np.full((64, 100, 3), np.nan),
    "partly not a number": np.where(np.arange(100)[:, None] < 3, np.nan, np.ones((64, 100, 3))),
}


@pytest.fixture(scope="module", params=OWN_MODELS)
def model(request: pytest.FixtureRequest) -> InstanceSegmentationModel:
    return tiny_model(request.param)


@pytest.mark.parametrize("kind", IMAGES)
def test_any_image_is_segmented(model: InstanceSegmentationModel, kind: str) -> None:
    labels = segment_image(model, IMAGES[kind])
    assert labels.shape == IMAGES[kind].shape[:2]
    assert set(np.unique(labels)) | {0} == set(range(int(labels.max()) + 1))


def maps(precision: str) -> npt.NDArray[np.floating]:
    image = np.random.default_rng(0).random((64, 64, 3))
    return predict_maps([small_unet()], image, precision=precision)["classes"]  # type: ignore[arg-type]


def test_half_precision_is_near_single_precision() -> None:
    half, single = maps("bf16"), maps("32")
    assert half.dtype == single.dtype == np.float32
    assert 0 < np.abs(half - single).max() < 0.05


@pytest.mark.parametrize(("fast", "same_as"), [(True, "bf16"), (False, "32")])
def test_precision_is_chosen_by_the_processor(
    fast: bool, same_as: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": fast})
    np.testing.assert_array_equal(maps("auto"), maps(same_as))
