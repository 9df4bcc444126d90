"""COCO segmentations: polygons and run-length codes, in all the spellings that tools write."""

import re
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cellbench.data.json_values import shown, whole_number
from cellbench.errors import DatasetError
from cellbench.labels.runs import run_pixels

_Numbers = npt.NDArray[np.int64]

_COMPRESSED = re.compile(r"(?:[P-o]{0,6}[0-O])*")
"""Numbers in groups of five bits; pycocotools reads beyond the end of a text that is cut in a number."""

_EMPTY: tuple[object, ...] = (None, [], {}, "", [[]])

_FARTHEST = 1e8
"""Coordinates in pixels; pycocotools counts fifths of pixels in 32 bits."""

_LONGEST_OUTLINE = 2e7
"""Length in pixels; pycocotools needs about 100 bytes for each."""


class Runs(NamedTuple):
    """The pixels of a cell as runs down the columns.

    Attributes:
        starts: (N,) first pixel of each run, as an index into the image flattened column by column.
        ends: (N,) pixel after the last one of each run.
    """

    starts: _Numbers
    ends: _Numbers

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int((self.ends - self.starts).sum())


def segmentation_runs(
    segmentation: object, shape: tuple[int, int], where: str = "segmentation"
) -> Runs:
    """Read one COCO segmentation.

    Polygons are rasterised by pycocotools, which the field uses as reference. Several polygons or
    run-length codes are united.

    Args:
        segmentation: a list of polygons ``[x1, y1, x2, y2, …]`` in pixels, where (0, 0) is the corner
            of the first pixel; a single polygon, also as points ``[x, y]``; a run-length code
            ``{"size": [H, W], "counts": …}`` down the columns, plain or compressed; or a list of such
            codes.
        shape: (H, W) of the image.
        where: where the segmentation was read, for the error message.

    Returns:
        The runs, which are sorted and do not overlap; none if there is no polygon with an area.

    Raises:
        DatasetError: if the segmentation is none of these, has another size, or is broken.

    Examples:
        >>> segmentation_runs([[1, 0, 3, 0, 3, 1, 1, 1]], (2, 4))
        Runs(starts=array([2, 4]), ends=array([3, 5]))
    """
    parts = [_part_runs(part, shape, where) for part in _parts(segmentation, where)]
    if len(parts) == 1:
        return parts[0]
    covered = [run_pixels(*part) for part in parts]
    return _runs_of_pixels(np.unique(np.concatenate([np.empty(0, np.int64), *covered])))


def decode_segmentation(
    segmentation: object, shape: tuple[int, int], where: str = "segmentation"
) -> _Numbers:
    """Return the pixels of one COCO segmentation.

    Args:
        segmentation: see [`segmentation_runs`][], also for the errors.
        shape: (H, W) of the image.
        where: where the segmentation was read, for the error message.

    Returns:
        Ascending indices into the flattened, row-major image.

    Raises:
        DatasetError: as [`segmentation_runs`][].

    Examples:
        >>> decode_segmentation([[1, 0, 3, 0, 3, 1, 1, 1]], (2, 4)).tolist()
        [1, 2]
    """
    columns, rows = np.divmod(run_pixels(*segmentation_runs(segmentation, shape, where)), shape[0])
    return np.sort(rows * shape[1] + columns)


def has_no_outline(segmentation: object) -> bool:
    """Return whether a segmentation contains neither a polygon nor a run-length code.

    Args:
        segmentation: the value of the entry ``segmentation``.

    Examples:
        >>> has_no_outline([[]]), has_no_outline([[1, 1, 3, 1, 3, 3]])
        (True, False)
    """
    parts = segmentation if isinstance(segmentation, list) else [segmentation]
    return all(part in _EMPTY for part in parts)


def _parts(segmentation: object, where: str) -> list[Any]:
    """Return the polygons and run-length codes; polygons as arrays (N, 2) of x and y."""
    if has_no_outline(segmentation):
        return []
    if isinstance(segmentation, dict):
        return [segmentation]
    if not isinstance(segmentation, list):
        raise DatasetError(f"{where}: has neither polygons nor a run-length code; add one")
    filled = [part for part in segmentation if part not in _EMPTY]
    if not isinstance(filled[0], list | dict) or all(map(_is_point, filled)):
        filled = [filled]
    return [part if isinstance(part, dict) else _points(part, where) for part in filled]


def _is_point(value: object) -> bool:
    """Return whether a value is ``[x, y]``, or ``[[x, y]]`` as OpenCV writes the points of contours."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return isinstance(value, list) and len(value) == 2 and not isinstance(value[0], list | dict)


def _points(polygon: object, where: str) -> npt.NDArray[np.float64]:
    try:
        points = np.array(polygon, np.float64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError):
        points = np.full((1, 2), np.nan)
    if not np.isfinite(points).all():
        raise DatasetError(f"{where}: a polygon is not a list of pairs of numbers; correct it")
    return points


def _part_runs(part: Any, shape: tuple[int, int], where: str) -> Runs:  # noqa: ANN401
    if isinstance(part, dict):
        return _code_runs(part, shape, where)
    return _polygon_runs(part, shape, where)


def _polygon_runs(points: npt.NDArray[np.float64], shape: tuple[int, int], where: str) -> Runs:
    from pycocotools import mask

    if len(points) < 3:  # no area; pycocotools would take two points for a box
        return _runs_of_counts([])
    sides = np.abs(np.diff(points, axis=0, append=points[:1])).max(axis=1)
    if np.abs(points).max() > _FARTHEST or sides.sum() > _LONGEST_OUTLINE:
        raise DatasetError(
            f"{where}: a polygon reaches far beyond the image of {shape[0]} × {shape[1]} px; correct it"
        )
    code = mask.frPyObjects([points.ravel().tolist()], *shape)[0]
    return _runs_of_counts(_numbers(code["counts"].decode("ascii")))


def _code_runs(code: dict[str, Any], shape: tuple[int, int], where: str) -> Runs:
    if "counts" not in code:
        raise DatasetError(f"{where}: has neither polygons nor a run-length code; add one")
    size = code.get("size")
    if size is not None:
        stated = [whole_number(side) for side in size] if isinstance(size, list) else None
        if stated != list(shape):
            raise DatasetError(
                f"{where}: has the size {shown(size)}, but the image is {list(shape)}"
            )
    counts = code["counts"]
    if isinstance(counts, str):
        # Python's str() of bytes, which is a usual mistake when such codes are saved.
        counts = counts[2:-1] if counts.startswith("b'") and counts.endswith("'") else counts
        if not _COMPRESSED.fullmatch(counts):
            raise DatasetError(f"{where}: the run-length code is broken; export it again")
        numbers = _numbers(counts)
    else:
        read = [whole_number(count) for count in counts] if isinstance(counts, list) else [None]
        numbers = [-1 if number is None else number for number in read]
    # Some tools leave out the last run of background; pycocotools reads such codes, too.
    if any(number < 0 for number in numbers) or sum(numbers) > shape[0] * shape[1]:
        raise DatasetError(
            f"{where}: the run lengths do not fit the image of {shape[0]} × {shape[1]} px; correct them"
        )
    return _runs_of_counts(numbers)


def _numbers(text: str) -> list[int]:
    """Return the counts of a compressed code, as pycocotools' maskApi.c defines it.

    Each number is written in groups of five bits, the lowest first; from the fourth on, numbers are
    differences to the last but one.
    """
    groups = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    lasts = np.flatnonzero(groups & 32 == 0)
    firsts = np.concatenate([[0], lasts[:-1] + 1]).astype(np.int64)[: len(lasts)]
    places = np.arange(len(groups)) - np.repeat(firsts, lasts - firsts + 1)
    if not len(lasts):
        return []
    numbers = np.add.reduceat((groups & 31) << 5 * places, firsts)
    numbers -= np.where(groups[lasts] & 16, np.int64(1) << 5 * (places[lasts] + 1), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return [int(number) for number in numbers]


def _runs_of_counts(counts: list[int]) -> Runs:
    edges = np.cumsum(np.array(counts, np.int64))
    starts, ends = edges[:-1:2], edges[1::2]
    filled = starts < ends
    return Runs(starts[filled], ends[filled])


def _runs_of_pixels(pixels: _Numbers) -> Runs:
    breaks = np.flatnonzero(np.diff(pixels) > 1) + 1
    firsts = np.concatenate([[0], breaks]).astype(np.int64)[: len(pixels)]
    lasts = np.append(breaks - 1, len(pixels) - 1)[: len(pixels)]
    return Runs(pixels[firsts], pixels[lasts] + 1)
