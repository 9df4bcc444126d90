"""Representations: how cells become dense maps, and dense maps cells."""

from cellbench.representations.base import Representation
from cellbench.representations.boundary import Boundary

REPRESENTATIONS: dict[str, type[Representation]] = {"boundary": Boundary}

__all__ = ["REPRESENTATIONS", "Boundary", "Representation"]
