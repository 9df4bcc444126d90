"""Representations: how label maps are encoded as dense maps, and decoded from them."""

from cellbench.representations.affinity import Affinity
from cellbench.representations.base import Representation
from cellbench.representations.boundary import Boundary
from cellbench.representations.distance import CellDistance
from cellbench.representations.flow import Flow
from cellbench.representations.hover import HoVer
from cellbench.representations.inner_distance import InnerDistance
from cellbench.representations.star import StarConvex

REPRESENTATIONS: dict[str, type[Representation]] = {
    "affinity": Affinity,
    "boundary": Boundary,
    "distance": CellDistance,
    "flow": Flow,
    "hover": HoVer,
    "inner_distance": InnerDistance,
    "star_convex": StarConvex,
}

__all__ = [
    "REPRESENTATIONS",
    "Affinity",
    "Boundary",
    "CellDistance",
    "Flow",
    "HoVer",
    "InnerDistance",
    "Representation",
    "StarConvex",
]
