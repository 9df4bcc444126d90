"""Checks of the header of a label map's file, and errors of decoders that become one line."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.errors import CellbenchError, LabelMapError
from cellbench.files import max_pixels
from cellbench.labels.banded import checked_type
from cellbench.labels.planes import Plane, find_plane

_LONGEST_REASON = 120


@contextmanager
def faults_named(path: Path) -> Iterator[None]:
    """Turn any error of a decoder into a LabelMapError that names the file.

    Args:
        path: the file that is read in the block.

    Raises:
        LabelMapError: if the block raises anything.
    """
    try:
        yield
    except CellbenchError:
        raise
    except FileNotFoundError as error:
        raise LabelMapError(f"{path}: no such file; check the path") from error
    except Exception as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        # Some decoders quote kilobytes of what they could not read.
        reason = " ".join(text.split())[:_LONGEST_REASON] or type(error).__name__
        denied = isinstance(error, PermissionError)
        advice = "check its permissions" if denied else "copy or save it again"
        raise LabelMapError(
            f"{path}: cannot be read as a label map ({reason}); {advice}"
        ) from error


def checked_plane(
    path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike
) -> tuple[Plane, np.dtype[Any]]:
    """Check the shape and type in a header, before anything is decoded.

    Args:
        path: the file, which error messages name.
        shape: shape of the array in the file.
        dtype: type of the array in the file.

    Returns:
        The label map's shape, and the type of its ids in memory.

    Raises:
        LabelMapError: if it has more pixels than are allowed.
        InvalidLabelsError: if an array of this shape and type is not a label map.
    """
    plane = find_plane(shape)
    if plane is None:
        check_size(path, shape)
        checked_type(shape, dtype, path)  # raises the right error
        raise ValueError("unexpected shape")
    check_size(path, plane[:2])
    return plane, checked_type(plane[:2], dtype, path)


def check_size(path: Path, shape: tuple[int, ...]) -> None:
    """Check that an array does not have more pixels than are allowed.

    Args:
        path: the file, which error messages name.
        shape: shape of the array.

    Raises:
        LabelMapError: if it has more.
        ValueError: if a side of the shape is not a number.
    """
    if not all(isinstance(side, int) for side in shape):  # a tag with many values is a tuple
        raise ValueError("a width or height in its header is not a number")
    if (pixels := math.prod(shape)) > max_pixels():
        raise LabelMapError(
            f"{path}: its header declares {pixels} px, more than the limit of {max_pixels()}; if this is "
            "correct, set the environment variable CELLBENCH_MAX_PIXELS"
        )
