"""Representations: how label maps are encoded as dense maps, and decoded from them."""

from cellbench.representations.base import Representation
from cellbench.representations.boundary import Boundary
from cellbench.representations.contour import Contour
from cellbench.representations.distance import CellDistance
from cellbench.representations.flow import Flow
from cellbench.representations.hover import HoVer
from cellbench.representations.inner_distance import InnerDistance
from cellbench.representations.omni import Omni
from cellbench.representations.star import StarConvex

REPRESENTATIONS: dict[str, type[Representation]] = {
    "boundary": Boundary,
    "contour": Contour,
    "distance": CellDistance,
    "flow": Flow,
    "hover": HoVer,
    "inner_distance": InnerDistance,
    "omni": Omni,
    "star_convex": StarConvex,
}

__all__ = [
    "REPRESENTATIONS",
    "Boundary",
    "CellDistance",
    "Contour",
    "Flow",
    "HoVer",
    "InnerDistance",
    "Omni",
    "Representation",
    "StarConvex",
]
