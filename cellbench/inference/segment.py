"""Segmenting images with a trained model."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from cellbench.data.rescale import rescaled_shape, resize_image
from cellbench.errors import CellbenchError, ImageError
from cellbench.images import read_raw
from cellbench.inference.augmented import augmented_maps
from cellbench.inference.cell_size import estimated_diameter
from cellbench.inference.ensemble import mean_maps, routed, why_not_dense, with_dense_maps
from cellbench.inference.overlap import overlapping
from cellbench.inference.scaling import Diameter, check_diameter, restored_cells, scaling_of
from cellbench.inference.tiles import cells_in_tiles
from cellbench.labels import LabelMap
from cellbench.models.dense_segmenter import DenseSegmenter
from cellbench.models.segmenter import Segmenter
from cellbench.networks.precision import half_precision
from cellbench.representations.base import DecodedCells, NumpyMaps, Representation
from cellbench.representations.decoded import decoded_cells

Models = Segmenter | Sequence[Segmenter]
Precision = Literal["auto", "bf16", "32"]
Decode = Callable[[Representation, NumpyMaps], DecodedCells]
"""A function that turns the maps of a tile into cells."""

IMAGE_ERRORS = (CellbenchError, OSError, MemoryError, RuntimeError, ValueError)
"""What one image can cause; the others are still segmented."""


def read_model_image(model: Models, path: str | Path) -> npt.NDArray[np.float32]:
    """Read an image file with the normalisation that the model was trained with.

    Args:
        model: a loaded model, or the models of an ensemble, which all have the same class.
        path: the image file.

    Returns:
        (H, W, 3) in [0, 1].

    Raises:
        ImageError: if the file cannot be read as an image, or no pixel of it is a finite number.
    """
    raw = read_raw(path)
    if raw.dtype.kind == "f" and not np.isfinite(raw).any():
        raise ImageError(f"{path}: no pixel is a finite number; export the image again")
    return np.divide(model_list(model)[0].normalise(raw), 255, dtype=np.float32)


def segment_image(
    model: Models,
    image: npt.NDArray[np.floating],
    *,
    precision: Precision = "auto",
    augment: bool = False,
    overlap: float | None = None,
    diameter: Diameter = None,
) -> LabelMap:
    """Segment one image of any size; a large one in tiles, see [`tiles`][cellbench.inference.tiles].

    Args:
        model: a loaded model, or the models of an ensemble (see `load_models`).
        image: (H, W, 3) in [0, 1], as [`read_model_image`][] returns it, or
            [`cellbench.images.read_image`][] if the model has the challenge's normalisation. Values
            that are not finite are replaced, because they would spread over much of the prediction.
        precision: ``auto`` uses half precision where the hardware is fast in it, ``bf16`` always,
            ``32`` never.
        augment: average over the eight orientations of the image; this takes eight times as long.
        overlap: share of a window that its neighbour covers too, in [0, 1); None keeps that of the model.
        diameter: diameter of the cells in pixels, or ``auto`` to estimate it. If the model was not
            trained with cells of this size (of an ensemble the first model), the image is resized for
            it, and the label map is resized back. None segments the image as it is.

    Returns:
        (H, W) label map, ids 1 … N.

    Raises:
        UsageError: if a model without dense maps is to be averaged, an overlap is given and a model has
            no windows, or a number is out of its range.
        CheckpointError: if a diameter is given and the model does not know the cells in its training.
    """
    return segment_cells(
        model, image, precision=precision, augment=augment, overlap=overlap, diameter=diameter
    ).labels


def segment_cells(
    model: Models,
    image: npt.NDArray[np.floating],
    *,
    precision: Precision = "auto",
    augment: bool = False,
    overlap: float | None = None,
    diameter: Diameter = None,
    decode: Decode | None = None,
) -> DecodedCells:
    """Segment one image as [`segment_image`][] does, and return also the measures of its cells.

    Args:
        model: as in [`segment_image`][].
        image: as in [`segment_image`][].
        precision: as in [`segment_image`][].
        augment: as in [`segment_image`][].
        overlap: as in [`segment_image`][].
        diameter: as in [`segment_image`][].
        decode: called for each tile instead of the decoding of the model, which must predict dense maps.

    Returns:
        (H, W) label map, ids 1 … N, and what the representation of the model measures of each cell when
        it decodes them, such as its score. There are no measures if it measures nothing, or if the model
        segments in another way than to decode its dense maps.

    Raises:
        CellbenchError: as [`segment_image`][].
    """
    models = model_list(model)
    check_diameter(models[0], diameter)
    if diameter == "auto":
        diameter = image_diameter(model, image, precision=precision, overlap=overlap)
    scale = scaling_of(models[0], diameter).scale
    if scale == 1:
        return _segment(models, image, precision, augment, overlap, decode)
    resized = resize_image(np.asarray(image, np.float32), rescaled_shape(image.shape, scale))
    cells = _segment(models, resized, precision, augment, overlap, decode)
    return restored_cells(cells, image.shape[:2])


def image_diameter(
    model: Models,
    image: npt.NDArray[np.floating],
    *,
    precision: Precision = "auto",
    overlap: float | None = None,
) -> float | None:
    """Estimate the diameter of the cells in an image; see [`cell_size`][cellbench.inference.cell_size].

    Args:
        model: a loaded model; of an ensemble the first estimates for all.
        image: as in [`segment_image`][].
        precision: as in [`segment_image`][].
        overlap: as in [`segment_image`][].

    Returns:
        The median diameter in pixels; None if no cell is found.
    """
    first = model_list(model)[:1]
    return estimated_diameter(
        lambda part: _segment(first, part, precision, False, overlap).labels,
        np.asarray(image, np.float32),
    )


def _segment(
    models: Sequence[Segmenter],
    image: npt.NDArray[np.floating],
    precision: Precision,
    augment: bool,
    overlap: float | None,
    decode: Decode | None = None,
) -> DecodedCells:
    """Segment one image in its own size."""
    pixels = image_tensor(image)
    with (
        torch.inference_mode(),
        _autocast(models[0].device.type, precision),
        overlapping(models, overlap),
    ):
        if len(models) == 1 and not (augment or decode) and why_not_dense(models[0]):
            return DecodedCells(models[0].segment_tiled(pixels), {})
        streams = routed([with_dense_maps(each) for each in models], pixels)

        def segment(tile: torch.Tensor) -> DecodedCells:
            maps = _mean(streams, tile.permute(2, 0, 1), augment)
            return (decode or decoded_cells)(streams[0].representation, maps)

        return cells_in_tiles(segment, pixels.permute(1, 2, 0))


def predict_maps(
    models: Sequence[Segmenter],
    image: npt.NDArray[np.floating],
    *,
    precision: Precision = "auto",
    augment: bool = False,
) -> NumpyMaps:
    """Predict the activated maps of one image, averaged over models; see [`segment_image`][].

    Args:
        models: one loaded model, or those of an ensemble; of several routers the first chooses.
        image: as in [`segment_image`][], but not cut into tiles.
        precision: as in [`segment_image`][].
        augment: as in [`segment_image`][].

    Returns:
        (C, H, W) float32 for each map.

    Raises:
        UsageError: if a model does not predict dense maps.
    """
    pixels = image_tensor(image)
    with torch.inference_mode(), _autocast(models[0].device.type, precision):
        return _mean(routed([with_dense_maps(each) for each in models], pixels), pixels, augment)


def _mean(streams: Sequence[DenseSegmenter], pixels: torch.Tensor, augment: bool) -> NumpyMaps:
    return mean_maps(
        augmented_maps(each, pixels) if augment else each.predict_maps(pixels) for each in streams
    )


def model_list(model: Models) -> list[Segmenter]:
    """Return one model or several as a list.

    Args:
        model: a loaded model, or the models of an ensemble.
    """
    return [model] if isinstance(model, Segmenter) else list(model)


def image_tensor(image: npt.NDArray[np.floating]) -> torch.Tensor:
    """Turn an image into a tensor of finite values.

    Args:
        image: (H, W, 3); NaN and −∞ become 0, ∞ becomes 1.

    Returns:
        (3, H, W) float32.
    """
    finite = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=1.0, neginf=0.0)
    return torch.from_numpy(np.ascontiguousarray(finite)).permute(2, 0, 1)


def _autocast(device: str, precision: Precision) -> AbstractContextManager[object]:
    half = torch.bfloat16 if precision == "bf16" else half_precision(device)
    return nullcontext() if half is None or precision == "32" else torch.autocast(device, half)
