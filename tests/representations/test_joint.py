"""Several representations side by side: the maps of all, each by its own rules."""

import numpy as np
import pytest
import torch
from label_maps import discs

from cellbench.errors import UsageError
from cellbench.representations import HoVer, StarConvex
from cellbench.representations.joint import JointRepresentation


def joint() -> JointRepresentation:
    return JointRepresentation([StarConvex(rays=8, grid=2), StarConvex(rays=8, grid=2), HoVer()])


def test_maps_of_all_kinds() -> None:
    labels = discs()
    maps = joint().encode(labels)
    assert {name: len(each) for name, each in maps.items()} == joint().channels
    targets = joint().targets(labels)
    assert targets["distances"].shape == (8, 48, 56)
    assert targets["hv"].shape == (2, 96, 112)
    np.testing.assert_array_equal(joint().decode(maps), joint()._parts[0].decode(maps))
    hover = {name: maps[name] for name in ("foreground", "hv")}
    np.testing.assert_array_equal(joint().decode(hover), HoVer().decode(hover))
    for part in (StarConvex(rays=8), HoVer()):
        of_part = {name: maps[name] for name in part.channels}
        turned = joint().turn_back(maps, 1, True)
        for name, each in part.turn_back(of_part, 1, True).items():
            np.testing.assert_array_equal(turned[name], each)


def test_losses_of_all_kinds_add_up() -> None:
    targets = {
        name: torch.from_numpy(np.ascontiguousarray(each))[None]
        for name, each in joint().targets(discs()).items()
    }
    outputs = {name: torch.rand(each.shape) for name, each in targets.items()}
    parts = (StarConvex(rays=8, grid=2), HoVer())
    expected = sum(part.loss(outputs, targets) for part in parts)
    torch.testing.assert_close(joint().loss(outputs, targets), expected)
    assert joint().activate(outputs).keys() == targets.keys()


def test_options_are_named_by_part() -> None:
    several = joint()
    several.set_decoding({"1.nms_threshold": 0.3, "2.edge_threshold": 0.2})
    assert [part.decoding().get("nms_threshold") for part in several._parts] == [0.4, 0.3, None]
    assert several.decoding()["2.edge_threshold"] == 0.2
    assert several.fixed() == joint().fixed()
    assert several.fixed()["2.kind"] == "HoVer"
    for wrong in ("nms_threshold", "3.nms_threshold", "2.nms_threshold"):
        with pytest.raises(UsageError, match="no such option"):
            several.set_decoding({wrong: 0.3})
