"""All representations: cells to maps and back."""

import inspect

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from label_maps import blocky_maps, discs

from cellbench.errors import UsageError
from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap
from cellbench.representations import REPRESENTATIONS, Representation


@pytest.fixture(params=sorted(REPRESENTATIONS))
def representation(request: pytest.FixtureRequest) -> Representation:
    return REPRESENTATIONS[request.param]()


def touching_cells() -> LabelMap:
    """Halves of discs: two cells side by side, without background between them."""
    labels = discs(radius=9, spacing=26, shape=(110, 110)).astype(int) * 2
    labels[:, ::1] -= (labels > 0) & (np.arange(110) % 26 < 13)
    return labels


@pytest.mark.parametrize("labels", [discs(), discs(seed=4) * 60_000, touching_cells()])
def test_decoding_gives_the_cells_back(representation: Representation, labels: LabelMap) -> None:
    decoded = representation.decode(representation.encode(labels))
    found = match_cells(labels, decoded, threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


def test_maps_have_the_declared_channels(representation: Representation) -> None:
    maps = representation.encode(discs())
    shapes = {name: each.shape for name, each in maps.items()}
    assert shapes == {
        name: (channels, *discs().shape) for name, channels in representation.channels.items()
    }


@pytest.mark.parametrize("shape", [(1, 1), (2, 70), (64, 64)])
def test_no_cells_stay_no_cells(representation: Representation, shape: tuple[int, int]) -> None:
    empty = np.zeros(shape, np.int32)
    assert not representation.decode(representation.encode(empty)).any()


@settings(max_examples=25)
@given(labels=blocky_maps(scale=5))
def test_any_map_can_be_encoded_and_decoded(labels: LabelMap) -> None:
    for representation in (each() for each in REPRESENTATIONS.values()):
        decoded = representation.decode(representation.encode(labels))
        assert decoded.shape == labels.shape
        assert set(np.unique(decoded)) | {0} == set(range(decoded.max() + 1))


def test_the_loss_falls_towards_the_truth(representation: Representation) -> None:
    target = {
        name: torch.from_numpy(each[None]) for name, each in representation.encode(discs()).items()
    }
    logits = {name: torch.zeros(each.shape, requires_grad=True) for name, each in target.items()}
    optimizer = torch.optim.Adam(list(logits.values()), lr=0.5)
    losses = []
    for _ in range(40):
        loss = representation.loss(logits, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    activated = {
        name: each[0].detach().numpy() for name, each in representation.activate(logits).items()
    }
    found = match_cells(discs(), representation.decode(activated), threshold=0.8)
    assert (found.fp, found.fn) == (0, 0)


def test_options_are_plain_numbers(representation: Representation) -> None:
    for parameter in inspect.signature(type(representation)).parameters.values():
        assert isinstance(parameter.default, int | float)


def test_every_decoded_cell_has_its_measures(representation: Representation) -> None:
    maps = representation.encode(discs())
    labels, measures = representation.decode_cells(maps)
    np.testing.assert_array_equal(labels, representation.decode(maps))
    for values in measures.values():
        assert values.shape == (labels.max(),)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    empty = representation.decode_cells(representation.encode(np.zeros((9, 9), np.int32)))
    assert [*empty.measures] == [*measures]
    assert all(len(values) == 0 for values in empty.measures.values())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.5"])
def test_options_of_decoding_are_finite_numbers(
    representation: Representation, value: float | str
) -> None:
    before = representation.decoding()
    for name in representation.TUNED:
        with pytest.raises(UsageError, match=name):
            representation.set_decoding({name: value})  # type: ignore[dict-item]
    assert representation.decoding() == before


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 7), (7, 1), (32, 32)])
@pytest.mark.parametrize("cells", [0, 1])
def test_the_loss_and_its_gradient_are_finite_on_tiny_and_empty_maps(
    representation: Representation, shape: tuple[int, int], cells: int
) -> None:
    labels = np.full(shape, cells, np.int32)
    targets = {
        name: torch.from_numpy(each[None]) for name, each in representation.targets(labels).items()
    }
    outputs = {
        name: torch.full(each.shape, 0.1, requires_grad=True) for name, each in targets.items()
    }
    loss = representation.loss(outputs, targets)
    assert torch.isfinite(loss)
    loss.backward()
    for each in outputs.values():
        assert each.grad is None or torch.isfinite(each.grad).all()
