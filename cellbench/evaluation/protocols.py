"""Protocols: named and versioned sets of scoring rules."""

from dataclasses import asdict, dataclass
from typing import Any

from cellbench.errors import UsageError
from cellbench.labels.maps import FRAME_WIDTH

TIE_DECIMALS = 12
"""Values that agree to so many decimals differ only by floating-point error, and tie."""


@dataclass(frozen=True)
class Protocol:
    """One set of scoring rules.

    Attributes:
        name: name of the protocol, the value of ``--protocol``.
        version: increases whenever a count or a rank can change.
        source: where the rules come from.
        frame_width: cells with a pixel in this many outer rows or columns are not scored, on truth and
            prediction independently.
        tile_size: side in pixels of the tiles in which large images are scored, each with its own
            frame; None if images are always scored whole.
        tile_from: images of at least this many pixels are scored in tiles.
        skips_empty_tiles: whether the true cells of a tile without scored predicted cells are ignored.
        rank_decimals: decimals to which F1 is rounded before algorithms are ranked.
    """

    name: str
    version: int
    source: str
    frame_width: int
    tile_size: int | None
    tile_from: int
    skips_empty_tiles: bool
    rank_decimals: int

    def part_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the shape of the parts in which an image is scored: its tiles, or the whole image.

        Args:
            shape: (H, W) of the image.
        """
        if self.tile_size is None or shape[0] * shape[1] < self.tile_from:
            return shape
        return self.tile_size, self.tile_size

    def explain(self) -> str:
        """Return the rules in words, one line each."""
        tiles = (
            f"images of {self.tile_from:,} px and more are scored in tiles of {self.tile_size} × "
            f"{self.tile_size} px, each with its own frame; tiles at the right and lower border are "
            "filled up with background; the counts of all tiles are added"
            if self.tile_size is not None
            else "none; images of any size are scored whole"
        )
        misses = (
            "true cells − tp, but a tile without scored predicted cells adds no true cells"
            if self.skips_empty_tiles
            else "true cells − tp"
        )
        reason = " (values that differ only by floating-point error tie)"
        rules = {
            "protocol": f"{self.name}, version {self.version}",
            "source": self.source,
            "frame": f"a cell with a pixel in the outer {self.frame_width} rows or columns of the image "
            "is not scored; this is decided on truth and prediction independently",
            "matching": "a true and a predicted cell match if their IoU is at least the threshold, "
            "compared exactly; each cell is matched at most once, and as many pairs as possible match",
            "tiles": tiles,
            "counts": f"tp = matched pairs, fp = predicted cells − tp, fn = {misses}",
            "scores": "precision = tp / predicted cells, recall = tp / true cells, "
            "F1 = 2 × precision × recall / (precision + recall); all are 0 if tp is 0",
            "rounding": f"F1 is rounded to {self.rank_decimals} decimals before algorithms are ranked"
            f"{reason if self.rank_decimals == TIE_DECIMALS else ''}; scores.csv has all digits",
            "failures": "an image without a usable prediction scores F1 0 and has an infinite rank "
            "runtime",
        }
        return "\n".join(f"{rule + ':':<12}{text}" for rule, text in rules.items())

    def describe(self) -> dict[str, Any]:
        """Return the rules as they are written to provenance.json."""
        return asdict(self)


# Version 2 of the first two computes F1 with the official script's rounding errors.
PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="neurips22",
            version=2,
            source="the challenge's compute_metric.py of 2024-05-07 (NeurIPS-CellSeg@3128e96)",
            frame_width=FRAME_WIDTH,
            tile_size=2000,
            tile_from=25_000_000,
            skips_empty_tiles=False,
            rank_decimals=4,
        ),
        Protocol(
            name="neurips22-v1",
            version=2,
            source="compute_metric.py in force during the challenge (NeurIPS-CellSeg@6c5c0da)",
            frame_width=FRAME_WIDTH,
            tile_size=2000,
            tile_from=25_000_000,
            skips_empty_tiles=True,
            rank_decimals=4,
        ),
        Protocol(
            name="exact",
            version=1,
            source="cellbench: the challenge's F1 for any size",
            frame_width=FRAME_WIDTH,
            tile_size=None,
            tile_from=0,
            skips_empty_tiles=False,
            rank_decimals=TIE_DECIMALS,
        ),
    )
}


def get_protocol(name: str) -> Protocol:
    """Look up a protocol.

    Args:
        name: name of the protocol.

    Returns:
        The scoring rules.

    Raises:
        UsageError: if there is no protocol of that name.
    """
    if name not in PROTOCOLS:
        raise UsageError(f"protocol {name!r}: unknown; choose from {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
