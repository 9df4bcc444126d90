"""The classes of cells by area and by shape, with their limits."""

from collections.abc import Mapping
from math import inf

Bounds = tuple[float, float]
"""The smallest value of a class, and the value from which cells are of the next class."""

AREA_CLASSES: dict[str, Bounds] = {
    "under_100": (0, 100),
    "100_to_999": (100, 1000),
    "1000_to_9999": (1000, 10_000),
    "10000_and_more": (10_000, inf),
}
"""Classes of the area in pixels, as the table of details names them."""

SHAPE_CLASSES: dict[str, Bounds] = {"round": (0, 1.3), "oval": (1.3, 2), "long": (2, inf)}
"""Classes of the elongation, see [`cellbench.evaluation.cell_shapes`][]."""

SHAPE_WORDS = ", ".join(
    f"{name}: elongation below {high:g}" if high < inf else f"{name}: {low:g} or more"
    for name, (low, high) in SHAPE_CLASSES.items()
)
"""The classes of shape for readers."""

AREA, SHAPE = "cell area", "cell shape"

CLASS_GROUPS: Mapping[str, Mapping[str, Bounds]] = {
    AREA: {f"{name.replace('_', ' ')} px": bounds for name, bounds in AREA_CLASSES.items()},
    SHAPE: SHAPE_CLASSES,
}
"""The groups of the table of summaries, with their classes in order."""
