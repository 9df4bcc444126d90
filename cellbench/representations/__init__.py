"""Representations: how label maps are encoded as dense maps, and decoded from them."""

from cellbench.representations.base import Representation
from cellbench.representations.boundary import Boundary
from cellbench.representations.contour import Contour
from cellbench.representations.flow import Flow
from cellbench.representations.hover import HoVer
from cellbench.representations.star import StarConvex

REPRESENTATIONS: dict[str, type[Representation]] = {
    "boundary": Boundary,
    "contour": Contour,
    "flow": Flow,
    "hover": HoVer,
    "star_convex": StarConvex,
}

__all__ = [
    "REPRESENTATIONS",
    "Boundary",
    "Contour",
    "Flow",
    "HoVer",
    "Representation",
    "StarConvex",
]
