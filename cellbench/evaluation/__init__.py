"""Two label maps to scores: the challenge's F1, its runtime tolerance and the failure rules."""

from cellbench.evaluation.folder import evaluate_folder, score_folder
from cellbench.evaluation.matching import Matches, match_cells
from cellbench.evaluation.protocols import PROTOCOLS, Protocol, get_protocol
from cellbench.evaluation.scoring import ImageScore, score_image

__all__ = [
    "PROTOCOLS",
    "ImageScore",
    "Matches",
    "Protocol",
    "evaluate_folder",
    "get_protocol",
    "match_cells",
    "score_folder",
    "score_image",
]
