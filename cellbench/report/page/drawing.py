"""One image of the gallery: its window, and the cells of every algorithm in it."""

import base64
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cellbench.errors import LabelMapError
from cellbench.evaluation.cases import Case
from cellbench.evaluation.cell_shapes import CellShapes, measure_shapes
from cellbench.evaluation.protocols import Protocol
from cellbench.evaluation.scoring import count_parts
from cellbench.images import read_raw
from cellbench.labels import BandedLabels, open_labels
from cellbench.report.page.outlines import KINDS, KindById, cell_paths, join_by_kind, kinds_by_id
from cellbench.report.page.window import Places, Window, choose_window, encode_picture

FAULTS = (ValueError, OSError, MemoryError)
"""Errors that a damaged file can raise; every error of cellbench is a ValueError."""

ImageData = dict[str, Any]


@dataclass(frozen=True)
class _Judged:
    """A prediction compared with the truth: kinds by id, and the centres of the incorrect cells."""

    labels: BandedLabels
    truth: KindById
    prediction: KindById
    errors: Places


class ImageDrawing:
    """An image with its truth; predictions are added to it before it is drawn."""

    def __init__(self, case: Case, protocol: Protocol) -> None:
        self._case = case
        self._protocol = protocol
        self._truth = open_labels(case.truth)
        self._judged: dict[str, _Judged] = {}

    def add(self, algorithm: str, case: Case) -> None:
        """Compare the prediction of an algorithm with the truth.

        Args:
            algorithm: name of the algorithm.
            case: the truth and this algorithm's prediction.

        Raises:
            LabelMapError: if the prediction is missing, damaged or of another shape.
        """
        if case.status != "ok":
            raise LabelMapError(f"no prediction: {case.status}")
        prediction = case.open_prediction(self._truth.shape)
        parts = count_parts(self._truth, prediction, self._protocol, images=1)
        truth, predicted = kinds_by_id(parts)
        errors = [_wrong(self._true_centres, truth), _wrong(_centres(prediction), predicted)]
        self._judged[algorithm] = _Judged(prediction, truth, predicted, np.concatenate(errors))

    @cached_property
    def _true_centres(self) -> CellShapes:
        return _centres(self._truth)

    def draw(self) -> ImageData:
        """Draw the window with the most errors.

        Returns:
            The data for the page's script: the picture as a data URI, outlines as SVG paths, and for
            each algorithm the kind of each true cell (its index in ``KINDS``) and the predicted cells.

        Raises:
            CellbenchError: if the image is damaged, or its size differs from that of its truth.
        """
        raw = read_raw(self._case.image or "")
        if raw.shape[:2] != self._truth.shape:
            raise LabelMapError(
                f"the image has {raw.shape[:2]} rows and columns, but its truth {self._truth.shape}"
            )
        window = choose_window(self._truth.shape, [one.errors for one in self._judged.values()])
        picture = base64.b64encode(encode_picture(raw, window)).decode()
        truth = cell_paths(window.cut(self._truth.whole()))
        return {
            "modality": self._case.modality,
            "size": list(self._truth.shape),
            "window": [window.top, window.left, window.height, window.width],
            "picture": f"data:image/webp;base64,{picture}",
            "truth": list(truth.values()),
            "drawn": {
                name: _describe(one, list(truth), window) for name, one in self._judged.items()
            },
        }


def _centres(labels: BandedLabels) -> CellShapes:
    (centres,) = measure_shapes(labels)  # one entry, because the image is not tiled
    return centres


def _wrong(centres: CellShapes, kinds: KindById) -> Places:
    """Return the centres of the cells that are not matched."""
    wrong = {cell for cell, kind in kinds.items() if kind != "matched"}
    chosen = np.isin(centres.ids, list(wrong))
    return np.stack([centres.rows[chosen], centres.columns[chosen]], axis=1)


def _describe(judged: _Judged, true_cells: Collection[int], window: Window) -> ImageData:
    paths = cell_paths(window.cut(judged.labels.whole()))
    kinds = (judged.truth.get(cell, "not-scored") for cell in true_cells)
    return {
        "true_cells": _count(judged.truth),
        "predicted_cells": _count(judged.prediction),
        "kinds": "".join(str(KINDS.index(kind)) for kind in kinds),
        "cells": join_by_kind(paths, judged.prediction),
    }


def _count(kinds: Mapping[int, str]) -> dict[str, int]:
    """Count the cells of each kind in the whole image, in the order of the legend."""
    counts = Counter(kinds.values())
    return {kind: counts[kind] for kind in KINDS if counts[kind]}
