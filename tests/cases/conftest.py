"""Fixtures of the cases, which several files share."""

from coco_content import content
from scored_predictions import evaluate
from trained_runs import command, trained

__all__ = ["command", "content", "evaluate", "trained"]
