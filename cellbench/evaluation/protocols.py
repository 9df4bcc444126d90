"""Protocols: named, versioned sets of scoring rules."""

from dataclasses import dataclass

from cellbench.errors import UsageError
from cellbench.labels import FRAME_WIDTH


@dataclass(frozen=True)
class Protocol:
    """One set of scoring rules.

    Attributes:
        name: what ``--protocol`` takes.
        version: rises whenever a count can change.
        frame_width: cells with a pixel in the outer rows or columns of this width are not scored, on
            truth and prediction independently.
        tile_size: side in pixels of the tiles in which large images are scored, each with its own
            frame; None where images are always scored whole.
        tile_from: images of so many pixels and more are scored in tiles.
    """

    name: str
    version: int
    frame_width: int
    tile_size: int | None
    tile_from: int

    def is_tiled(self, shape: tuple[int, ...]) -> bool:
        """Say whether an image of this shape is scored in tiles."""
        return self.tile_size is not None and shape[0] * shape[1] >= self.tile_from


PROTOCOLS = {
    # The challenge's present compute_metric.py (NeurIPS-CellSeg, version of 2024-05-07).
    "neurips22": Protocol("neurips22", 1, FRAME_WIDTH, tile_size=2000, tile_from=25_000_000),
}


def get_protocol(name: str) -> Protocol:
    """Look a protocol up by name.

    Raises:
        UsageError: if there is none of that name.
    """
    if name not in PROTOCOLS:
        raise UsageError(f"protocol {name!r}: not known; choose from {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
