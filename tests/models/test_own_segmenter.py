"""Segmenters of cellbench's own models: they return the same label maps as the classes that are trained."""

from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint, small_unet, tiny_model

from cellbench.errors import CheckpointError
from cellbench.inference import load_model, segment_image
from cellbench.models.dense import DenseModel
from cellbench.models.names import OWN_MODELS
from cellbench.models.own_segmenter import OwnSegmenter
from cellbench.models.parts import PARTS
from cellbench.models.unet import UNetBoundary

FINDS_MORE = {"flow_threshold": 3.0, "foreground_threshold": 0.2, "probability_threshold": 0.05}
FINDS_MORE["score_threshold"] = 0.05


def checkpoint_of(name: str, path: Path) -> Path:
    """Write a checkpoint with all that training and tuning store; its model finds a few cells."""
    model = tiny_model(name)
    assert isinstance(model, DenseModel)
    torch.manual_seed(0)
    for weights in model.state_dict().values():
        if weights.is_floating_point():
            weights.add_(torch.rand(weights.shape) - 0.5, alpha=0.1)
    tuned = model.representation.TUNED
    model.representation.set_decoding(
        {option: FINDS_MORE.get(option, min(values)) for option, values in tuned.items()}
    )
    model.diameters = (5.0, 10.0, 20.0)
    model.weights_licence = "CC-BY-4.0"
    return save_checkpoint(model, path)


def test_all_models_of_dense_maps_have_a_segmenter() -> None:
    assert OWN_MODELS.keys() - PARTS.keys() == {"multi_stream"}


@pytest.mark.parametrize("name", PARTS)
def test_label_maps_are_those_of_the_class_that_was_trained(name: str, tmp_path: Path) -> None:
    path = checkpoint_of(name, tmp_path / "best.ckpt")
    segmenter = load_model(path, "cpu")
    trained = load_model(path, "cpu", model_class=OWN_MODELS[name])
    assert isinstance(segmenter, OwnSegmenter)
    assert isinstance(trained, DenseModel)

    image = np.random.default_rng(0).random((48, 80, 3), dtype=np.float32)
    labels = segment_image(segmenter, image)
    assert labels.max() > 0
    np.testing.assert_array_equal(labels, segment_image(trained, image))

    assert segmenter.model_name() == trained.model_name() == name
    assert segmenter.memory_format == trained.memory_format
    assert segmenter.representation.fixed() == trained.representation.fixed()
    assert segmenter.representation.decoding() == trained.representation.decoding()
    assert segmenter.diameters == trained.diameters == (5.0, 10.0, 20.0)
    assert segmenter.weights_licence == trained.weights_licence == "CC-BY-4.0"


def test_options_of_other_versions_are_left_to_the_class(tmp_path: Path) -> None:
    """The class has default values for new options, and refuses unknown ones."""
    path = save_checkpoint(small_unet(), tmp_path / "unet.ckpt")
    content = torch.load(path, weights_only=True)
    del content["hyper_parameters"]["smallest_interior"]
    torch.save(content, path)
    assert type(load_model(path, "cpu")) is UNetBoundary
    content["hyper_parameters"]["colour"] = 1
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="colour"):
        load_model(path, "cpu")
