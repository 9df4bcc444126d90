"""Protocols: what they tell about themselves."""

import json

import pytest

from cellbench.evaluation import PROTOCOLS, get_protocol


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_explains_its_rules(name: str) -> None:
    protocol = get_protocol(name)
    rules = dict(line.split(":", 1) for line in protocol.explain().splitlines())
    assert list(rules) == [
        *("protocol", "source", "frame", "matching", "tiles", "counts", "scores", "rounding"),
        "failures",
    ]
    assert rules["protocol"].split() == [f"{name},", "version", str(protocol.version)]
    assert ("2000 × 2000 px" in rules["tiles"]) == (name != "exact")
    assert ("to 4 decimals" in rules["rounding"]) == (name != "exact")
    assert ("adds no true cells" in rules["counts"]) == (name == "neurips22-v1")
    assert json.loads(json.dumps(protocol.describe()))["name"] == name


@pytest.mark.parametrize(
    ("name", "shape", "part"),
    [
        ("neurips22", (4999, 5000), (4999, 5000)),
        ("neurips22", (5000, 5000), (2000, 2000)),
        ("neurips22-v1", (1, 25_000_000), (2000, 2000)),
        ("exact", (9000, 9000), (9000, 9000)),
    ],
)
def test_tiles_begin_at_25_million_pixels(
    name: str, shape: tuple[int, int], part: tuple[int, int]
) -> None:
    assert get_protocol(name).part_shape(shape) == part
