"""Protocols: named, versioned sets of scoring rules."""

from dataclasses import asdict, dataclass
from typing import Any

from cellbench.errors import UsageError
from cellbench.labels.maps import FRAME_WIDTH


@dataclass(frozen=True)
class Protocol:
    """One set of scoring rules.

    Attributes:
        name: what ``--protocol`` takes.
        version: rises whenever a count or a rank can change.
        source: where the rules come from.
        frame_width: cells with a pixel in the outer rows or columns of this width are not scored, on
            truth and prediction independently.
        tile_size: side in pixels of the tiles in which large images are scored, each with its own
            frame; None where images are always scored whole.
        tile_from: images of so many pixels and more are scored in tiles.
        skips_empty_tiles: the true cells of a tile without scored predicted cells are not counted.
        rank_decimals: ranks see F1 rounded to so many decimals; None where it is not rounded.
    """

    name: str
    version: int
    source: str
    frame_width: int
    tile_size: int | None
    tile_from: int
    skips_empty_tiles: bool
    rank_decimals: int | None

    def part_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Give the shape of the parts in which an image is scored: its tiles, or the whole of it."""
        if self.tile_size is None or shape[0] * shape[1] < self.tile_from:
            return shape
        return self.tile_size, self.tile_size

    def explain(self) -> str:
        """Tell the rules in words, one to a line."""
        tiles = (
            f"images of {self.tile_from:,} px and more in {self.tile_size}-px tiles, each with its own "
            "frame, the last ones filled up with background; counts are added"
            if self.tile_size is not None
            else "none: images of any size are scored whole"
        )
        misses = (
            "true cells − tp; a tile without scored predicted cells adds no true cells"
            if self.skips_empty_tiles
            else "true cells − tp"
        )
        rounding = (
            f"ranks see F1 rounded to {self.rank_decimals} decimals; scores.csv has it in full"
            if self.rank_decimals is not None
            else "nothing is rounded"
        )
        rules = {
            "protocol": f"{self.name}, version {self.version}",
            "source": self.source,
            "frame": f"a cell with a pixel in the outer {self.frame_width} rows or columns is not "
            "scored, on truth and prediction independently",
            "comparison": "IoU >= threshold, exact; each cell is matched once, as many pairs as can be",
            "tiles": tiles,
            "counting": f"fp = predicted cells − tp, fn = {misses}",
            "scores": "precision = tp / predicted cells, recall = tp / true cells, "
            "F1 = 2 tp / (true + predicted cells); 0 where tp is 0",
            "rounding": rounding,
            "failures": "no usable prediction: F1 0 and an infinite rank runtime",
        }
        return "\n".join(f"{rule + ':':<12}{text}" for rule, text in rules.items())

    def describe(self) -> dict[str, Any]:
        """Give the rules for provenance.json."""
        return asdict(self)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="neurips22",
            version=1,
            source="the challenge's compute_metric.py of 2024-05-07 (NeurIPS-CellSeg@3128e96)",
            frame_width=FRAME_WIDTH,
            tile_size=2000,
            tile_from=25_000_000,
            skips_empty_tiles=False,
            rank_decimals=4,
        ),
        Protocol(
            name="neurips22-v1",
            version=1,
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
            rank_decimals=None,
        ),
    )
}


def get_protocol(name: str) -> Protocol:
    """Look a protocol up by name.

    Raises:
        UsageError: if there is none of that name.
    """
    if name not in PROTOCOLS:
        raise UsageError(f"protocol {name!r}: not known; choose from {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
