"""Long and narrow cells: what flows to a centre lose, and flows away from the outline keep."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import ndimage

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap
from cellbench.networks.windows import predict_in_windows
from cellbench.representations import Flow, Omni, Representation

SIDE = 260
LONG, WIDE = 160, 8  # 20 : 1


def rods(angle: float, bend: float = 0.0, gap: float = 0.0, count: int = 5) -> LabelMap:
    """Rods with round ends side by side; with a gap of 0 they touch along their whole length."""
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.13
    along = columns * np.cos(angle) + rows * np.sin(angle)
    across = rows * np.cos(angle) - columns * np.sin(angle) - bend * along**2 / LONG
    labels = np.zeros((SIDE, SIDE), np.int32)
    beyond = np.maximum(np.abs(along) - (LONG - WIDE) / 2, 0)
    for rod in range(count):
        offset = (rod - count // 2) * (WIDE + gap)
        inside = np.hypot(beyond, across - offset) < WIDE / 2
        labels[inside & (labels == 0)] = rod + 1
    return labels


RODS = {
    "straight": rods(0),
    "nearly straight": rods(0.02),
    "tilted": rods(0.3),
    "diagonal": rods(np.pi / 4),
    "curved": rods(0, bend=0.6),
    "tilted and curved": rods(0.3, bend=0.6),
    "apart": rods(0.3, gap=4),
}


def lost(labels: LabelMap, representation: Representation, maps: Mapping[str, npt.NDArray]) -> int:
    """Return the number of rods that are not found, at an IoU of 0.8, plus that of wrong cells."""
    found = match_cells(labels, representation.decode(maps), threshold=0.8)
    return found.fn + found.fp


@pytest.mark.parametrize("name", RODS)
def test_rods_are_given_back(name: str) -> None:
    labels = RODS[name]
    assert lost(labels, Omni(), Omni().encode(labels)) == 0


def window_by_window(
    labels: LabelMap, representation: Representation
) -> Mapping[str, npt.NDArray[np.float32]]:
    """Return the maps of a network that has learned windows of 128 pixels perfectly."""

    def predict(windows: torch.Tensor) -> dict[str, torch.Tensor]:
        encoded = [representation.encode(each[0].numpy().astype(np.int32)) for each in windows]
        return {
            name: torch.stack([torch.from_numpy(np.float32(maps[name])) for maps in encoded])
            for name in representation.channels
        }

    image = torch.from_numpy(np.float32(labels))[None]
    maps = predict_in_windows(predict, image, window=128, overlap=0.25)
    return {name: each.numpy() for name, each in maps.items()}


@pytest.mark.parametrize("name", RODS)
def test_rods_longer_than_a_window_are_split_by_flows_to_a_centre_alone(name: str) -> None:
    labels = RODS[name]
    split = lost(labels, Flow(), window_by_window(labels, Flow()))
    kept = lost(labels, Omni(), window_by_window(labels, Omni()))
    print(f"\n{name}: flow {split} wrong, omni {kept} wrong")
    assert kept == 0
    assert split >= 10  # all five, and parts of them


def blurred(labels: LabelMap, representation: Representation) -> dict[str, npt.NDArray[np.float32]]:
    """Maps with shorter flows and errors that neighbours share, as networks predict them."""
    rng = np.random.default_rng(0)
    maps = {name: np.float32(each) for name, each in representation.encode(labels).items()}
    errors = ndimage.gaussian_filter(rng.normal(0, 1, maps["flows"].shape), (0, 1, 1))
    maps["flows"] = np.float32(0.8 * maps["flows"] + 0.5 * errors / errors.std())
    for name in {"foreground", "boundary"} & set(maps):
        maps[name] = np.float32(0.1 + 0.8 * maps[name])
    return maps


@pytest.mark.parametrize("name", RODS)
def test_noise_does_not_split_rods(name: str) -> None:
    labels = RODS[name]
    print(f"\n{name}: flow {lost(labels, Flow(), blurred(labels, Flow()))} wrong")
    assert lost(labels, Omni(), blurred(labels, Omni())) == 0
