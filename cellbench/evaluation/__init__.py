"""Scores of predicted label maps against the truth, as in the NeurIPS 2022 cell segmentation challenge."""

from typing import TYPE_CHECKING

from cellbench.lazy import lazy_names

if TYPE_CHECKING:
    from cellbench.evaluation.folder import evaluate_folder, score_folder
    from cellbench.evaluation.matching import Matches, match_cells
    from cellbench.evaluation.measures import MEASURES, Measure, get_measure
    from cellbench.evaluation.protocols import PROTOCOLS, Protocol, get_protocol
    from cellbench.evaluation.scoring import ImageScore, score_image
    from cellbench.evaluation.statuses import Status

__all__ = [
    "MEASURES",
    "PROTOCOLS",
    "ImageScore",
    "Matches",
    "Measure",
    "Protocol",
    "Status",
    "evaluate_folder",
    "get_measure",
    "get_protocol",
    "match_cells",
    "score_folder",
    "score_image",
]

_HOMES = {
    "folder": ("evaluate_folder", "score_folder"),
    "matching": ("Matches", "match_cells"),
    "measures": ("MEASURES", "Measure", "get_measure"),
    "protocols": ("PROTOCOLS", "Protocol", "get_protocol"),
    "scoring": ("ImageScore", "score_image"),
    "statuses": ("Status",),
}
# Whoever only needs the names of the measures does not wait for the readers of images.
__getattr__ = lazy_names(
    __name__, {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}
)
