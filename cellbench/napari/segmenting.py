"""Segments the planes of an image layer, and measures the cells."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellbench.errors import CheckpointError, ImageError
from cellbench.images.pixel_size import PixelSize
from cellbench.labels import LabelMap
from cellbench.napari.planes import Planes

if TYPE_CHECKING:
    from cellbench.models.segmenter import Segmenter


@dataclass(frozen=True)
class SegmentOptions:
    """How to segment; the options mean what they mean in ``cellbench segment``.

    Attributes:
        checkpoint: file of the trained model.
        diameter: diameter of the cells in pixels, ``auto`` to estimate it, None to use the image as it is.
        precision: precision of the network's numbers.
        augment: whether to average the eight orientations of the image.
    """

    checkpoint: Path
    diameter: float | Literal["auto"] | None = None
    precision: Literal["auto", "bf16", "32"] = "auto"
    augment: bool = False


class Segmentation(NamedTuple):
    """The cells of an image layer.

    Attributes:
        labels: (…, H, W) label map; ids are unique in the whole stack.
        table: one row per cell: ``index`` is the id, and ``plane`` the number of its plane, from 0, if
            there are several; the other columns are those of [`cellbench.inference.measurements`][].
    """

    labels: LabelMap
    table: pd.DataFrame


def segment_planes(
    planes: Planes,
    options: SegmentOptions,
    pixel_size: PixelSize | None = None,
    *,
    is_cancelled: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int, int], object] = lambda _done, _total: None,
) -> Segmentation:
    """Segment every plane of an image layer, each on its own.

    The network gets the first three channels; the table has the intensities of all.

    Args:
        planes: the pixels.
        options: the model, and how to use it.
        pixel_size: size of the pixels, for sizes in micrometres; None if it is not known.
        is_cancelled: asked often; returns True to stop.
        on_progress: called with the number of windows that are predicted, and the number of all; the
            second is 0 where it is not known.

    Returns:
        The label map, and the table of its cells.

    Raises:
        CellbenchError: if the file is no checkpoint, or an option does not fit the model or the image.
        Cancelled: if ``is_cancelled`` returned True.
    """
    model = load(options.checkpoint)
    from cellbench.inference.segment import segment_cells
    from cellbench.napari.watching import Cancelled, count_windows, watched

    total = len(planes) * count_windows(
        model, planes.sides, diameter=options.diameter, augment=options.augment
    )
    done = 0

    def on_windows(count: int) -> None:
        nonlocal done
        done += count
        on_progress(done, max(done, total) if total else 0)

    on_progress(0, total)
    labels = np.zeros((len(planes), *planes.sides), np.int32)
    tables: list[pd.DataFrame] = []
    with watched(model, is_cancelled, on_windows):
        for number, raw in enumerate(planes):
            if is_cancelled():
                raise Cancelled
            cells = segment_cells(
                model,
                _model_image(model, raw),
                precision=options.precision,
                augment=options.augment,
                diameter=options.diameter,
            )
            first = sum(map(len, tables))
            labels[number] = np.where(cells.labels > 0, cells.labels + first, 0)
            table = cell_table(cells.labels, raw, pixel_size, cells.measures)
            table["index"] += first
            if planes.stack:
                table.insert(1, "plane", number)
            tables.append(table)
    return Segmentation(
        labels.reshape((*planes.stack, *planes.sides)), pd.concat(tables, ignore_index=True)
    )


def cell_table(
    labels: LabelMap,
    raw: npt.NDArray[Any],
    pixel_size: PixelSize | None = None,
    measures: Mapping[str, npt.NDArray[np.floating]] | None = None,
) -> pd.DataFrame:
    """Measure the cells of one plane.

    Args:
        labels: (H, W) label map.
        raw: (H, W, C) pixels.
        pixel_size: size of the pixels; None if it is not known.
        measures: what decoding found out about each cell; the ids of the label map are 1 … N then.

    Returns:
        One row per cell. ``index`` is the id, as napari calls it in the features of a labels layer.
    """
    from cellbench.inference.measurements import measure_cells

    rows = list(measure_cells(labels, raw, pixel_size))
    table = pd.DataFrame(rows).rename(columns={"id": "index"})
    if not rows:
        return pd.DataFrame({"index": np.zeros(0, np.int64)})
    for name, values in (measures or {}).items():
        table[name] = np.asarray(values)[table["index"].to_numpy() - 1]
    return table


def load(checkpoint: Path) -> "Segmenter":
    """Load a model, or return the one that was loaded last if its file has not changed.

    Args:
        checkpoint: file of the trained model.

    Raises:
        CheckpointError: if there is no such file, or it is not a checkpoint of a model.
    """
    try:
        changed = checkpoint.stat().st_mtime_ns
    except OSError as error:
        raise CheckpointError(
            f"{checkpoint}: no such checkpoint; choose a file that `cellbench fit` wrote"
        ) from error
    return _load(checkpoint, changed)


@lru_cache(maxsize=1)
def _load(checkpoint: Path, _changed: int) -> "Segmenter":
    _leave_out_triton()
    from cellbench.inference.checkpoint import load_model

    return load_model(checkpoint)


def _leave_out_triton() -> None:
    """Let PyTorch do without triton where the window is drawn with Mesa's OpenGL.

    Both bring a copy of LLVM, and the process crashes when the second one is loaded. Triton only compiles
    models for GPUs, which segmenting does not use.
    """
    maps = Path("/proc/self/maps")
    if maps.is_file() and "libLLVM" in maps.read_text("utf-8", "replace"):
        sys.modules.setdefault("triton", None)  # type: ignore[arg-type]  # its import now fails


def _model_image(model: "Segmenter", raw: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Normalise the pixels of a plane as those of an image file."""
    if raw.dtype.kind == "f" and not np.isfinite(raw).any():
        raise ImageError("the image has no pixel that is a finite number; open it again")
    return np.divide(model.normalise(raw[..., :3]), 255, dtype=np.float32)
