"""Openers of label maps that programs save as arrays: NPY, NPZ, Cellpose's _seg.npy and MATLAB files."""

import io
import math
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from cellbench.errors import InvalidLabelsError, LabelMapError
from cellbench.files import max_pixels
from cellbench.labels.banded import BandedLabels, as_ids, band_rows, checked_type, in_bands
from cellbench.labels.headers import checked_plane, faults_named
from cellbench.labels.maps import LabelMap
from cellbench.labels.matlab import list_variables, read_variable
from cellbench.labels.pickled import read_pickled_array
from cellbench.labels.planes import Plane, gray_of_colours

_NPY_HEADER_BYTES = 1 << 14  # NumPy refuses longer ones; an archive may unpack to a huge one
_PICKLED_BYTES = 32
"""Bytes per pixel that are allowed in a pickle: Cellpose also stores the image and its flows."""
_KEYS = (
    *("labels", "label", "masks", "mask", "inst_map", "instances", "instance_map", "label_map"),
    *("segmentation", "prediction", "predictions", "pred"),
)
"""Names of the array of a label map, in the order of preference; Cellpose's _seg.npy has ``masks``."""
_MATLAB_KEY = "inst_map"  # HoVer-Net, CoNSeP, Kumar
_LONGEST_REASON = 120

_Opened = Callable[[], AbstractContextManager[IO[bytes]]]


def open_npz(path: Path) -> BandedLabels:
    """Open an archive of NumPy that contains a single array, or one that is called labels or masks.

    Args:
        path: the file.

    Raises:
        LabelMapError: if it is not a label map; other errors of decoders are passed on.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) != 1:
        names = [one.filename.removesuffix(".npy") for one in members]
        members = [one for one, name in zip(members, names, strict=True) if name.lower() in _KEYS]
        if len(members) != 1:
            raise InvalidLabelsError(
                f"{path}: contains {len(names)} arrays, of which not exactly one is called labels or masks "
                f"({', '.join(names)[:_LONGEST_REASON]}); save a single label map"
            )
    # NumPy writes no others, and zipfile would unpack them without a limit.
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise LabelMapError(f"{path}: unsupported compression; save it with numpy.savez_compressed")

    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with zipfile.ZipFile(path) as archive, archive.open(members[0]) as member:
            yield member

    return _open_array(path, opened, may_be_pickled=False)


def open_npy(path: Path) -> BandedLabels:
    """Open an array of NumPy, or a dictionary that Cellpose saved as ``_seg.npy``.

    Args:
        path: the file.

    Raises:
        LabelMapError: if it is not a label map; other errors of decoders are passed on.
    """
    return _open_array(path, lambda: path.open("rb"), may_be_pickled=True)


def _open_array(path: Path, opened: _Opened, *, may_be_pickled: bool) -> BandedLabels:
    """Read the header of an NPY file or of a member of an archive."""
    with opened() as stream:
        head = io.BytesIO(stream.read(_NPY_HEADER_BYTES))
    old = np.lib.format.read_magic(head) == (1, 0)
    read_header = (
        np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    )
    with warnings.catch_warnings():  # about headers that Python 2 wrote
        warnings.simplefilter("ignore")
        shape, by_columns, stored = read_header(head)
    if stored.kind == "O" and shape == () and may_be_pickled:
        return _open_pickled(path, head.tell())
    plane, dtype = checked_plane(path, shape, stored)
    if by_columns:
        numbers = Plane(1, math.prod(shape))
        (flat,) = stored_bands(path, opened, head.tell(), numbers, stored)
        return array_in_bands(flat.reshape(shape, order="F"), path)
    bands = partial(stored_bands, path, opened, head.tell(), plane, stored)
    return BandedLabels(path, plane[:2], dtype, bands)


def array_in_bands(array: npt.NDArray[Any], path: Path) -> BandedLabels:
    """Return an array in memory as bands of a label map.

    Args:
        array: (H, W), also with further axes as [`cellbench.labels.planes.find_plane`][] knows them.
        path: the file, which error messages name.

    Raises:
        LabelMapError: if it is not a label map.
    """
    plane, _ = checked_plane(path, array.shape, array.dtype)
    if plane.channels == 1:
        return in_bands(array.reshape(plane[:2]), path)
    return in_bands(gray_of_colours(array.reshape(plane), path), path)


def stored_bands(
    path: Path,
    opened: _Opened,
    offset: int,
    plane: Plane,
    stored: np.dtype[Any],
    rows: int | None = None,
) -> Iterator[LabelMap]:
    """Yield bands of uncompressed rows that are stored one after the other.

    Args:
        path: the file, which error messages name.
        opened: opens the file, or the member of an archive.
        offset: where the first row starts, in bytes.
        plane: shape of the label map.
        stored: type of the numbers in the file.
        rows: smallest number of rows of a band; by default about as many as
            [`band_rows`][cellbench.labels.banded.band_rows] says.

    Yields:
        (rows, W) ids.

    Raises:
        LabelMapError: if the file is truncated or damaged.
    """
    height, width, channels = plane
    dtype, rows = checked_type((height, width), stored, path), band_rows((height, width), rows)
    with faults_named(path), opened() as stream:
        stream.seek(offset)
        for top in range(0, height, rows):
            band = np.empty((min(rows, height - top), width * channels), stored)
            if stream.readinto(band.view(np.uint8)) < band.nbytes:  # type: ignore[attr-defined]
                raise LabelMapError(f"{path}: the file is truncated; copy or save it again")
            if top + rows >= height:
                stream.read(1)  # an archive checks its checksum at the end of the member
            if channels > 1:
                band = gray_of_colours(band.reshape(-1, width, channels), path)
            yield as_ids(band, dtype, path)


def _open_pickled(path: Path, offset: int) -> BandedLabels:
    """Read the label map in a dictionary that Cellpose saved; no program in it is run."""
    if path.stat().st_size > _PICKLED_BYTES * max_pixels():
        raise LabelMapError(
            f"{path}: is too large to be read at once; save the label map alone, as TIFF"
        )
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    try:
        masks = read_pickled_array(data, _KEYS)
    except KeyError as error:
        raise InvalidLabelsError(
            f"{path}: contains Python objects, but no array 'masks', as Cellpose saves, or 'labels'; save "
            "the label map alone, as TIFF"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise LabelMapError(
            f"{path}: the Python objects in it are not read ({reason}); save the label map alone, as TIFF"
        ) from error
    return array_in_bands(masks, path)


def open_matlab(path: Path) -> BandedLabels:
    """Open a MATLAB file (version 5 to 7): the variable ``inst_map`` of HoVer-Net, or the only variable.

    Args:
        path: the file.

    Raises:
        LabelMapError: if it is not a label map; other errors of decoders are passed on.
    """
    variables = {variable.name: variable for variable in list_variables(path)}
    only = next(iter(variables.values())) if len(variables) == 1 else None
    variable = variables.get(_MATLAB_KEY, only)
    if variable is None or not variable.numeric:
        raise InvalidLabelsError(
            f"{path}: has no variable '{_MATLAB_KEY}' with numbers, but "
            f"{', '.join(variables)[:_LONGEST_REASON] or 'none'}; save the label map under this name"
        )
    checked_plane(path, variable.shape, np.uint8)
    return array_in_bands(read_variable(path, variable), path)


def refuse_hdf5(path: Path) -> BandedLabels:
    """Refuse a MATLAB file of version 7.3 and other HDF5 files, which need a further library.

    Args:
        path: the file.

    Raises:
        LabelMapError: always.
    """
    raise LabelMapError(
        f"{path}: is an HDF5 file, as MATLAB saves with -v7.3; save it with -v7, or the label map as TIFF"
    )
