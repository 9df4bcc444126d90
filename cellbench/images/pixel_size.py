"""The size of a pixel, as image files state it: OME, ImageJ, TIFF, PNG, JPEG, CZI, ND2 and LIF."""

import math
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MICROMETRES = {
    "m": 1e6, "dm": 1e5, "cm": 1e4, "mm": 1e3, "nm": 1e-3, "pm": 1e-6, "å": 1e-4, "a": 1e-4,
    "inch": 25_400.0, "inches": 25_400.0, "in": 25_400.0,
    **dict.fromkeys(("um", "µm", "μm", "\\u00b5m", "micron", "microns", "micrometer", "micrometre"), 1.0),
}  # fmt: skip
_TAG_UNITS = {2: 25_400.0, 3: 10_000.0, 4: 1_000.0, 5: 1.0}  # ResolutionUnit: inch, cm, mm, µm
_LARGEST_FROM_PRINT_TAGS = 20.0
_MPP = re.compile(r"\bMPP\s*=\s*([0-9.]+)")
_UNIT = re.compile(r"^unit=(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class PixelSize:
    """The distance between the centres of neighbouring pixels.

    Attributes:
        x_um: distance between two columns, in micrometres.
        y_um: distance between two rows, in micrometres.
        on_sample: whether it is the size on the sample. It is not if the file only states how large the
            image is to be printed, as with 72 or 300 dots per inch: tags of TIFF, PNG and JPEG that mean
            pixels of 20 µm or more are taken for this, unless a microscope's program wrote them.
    """

    x_um: float
    y_um: float
    on_sample: bool = True


def read_pixel_size(path: str | Path) -> PixelSize | None:
    """Read the size of the pixels from the header of an image file.

    OME-XML (``PhysicalSizeX``) comes first, then ImageJ's unit, Aperio's ``MPP``, the voxels of LSM, and
    the resolution tags of TIFF, PNG and JPEG. CZI, ND2 and LIF need the packages of ``cellbench[formats]``.

    Args:
        path: the image file.

    Returns:
        The size at full resolution; None if the file does not state it, cannot be read, or states a size
        that is not a positive number.
    """
    path = Path(path)
    with suppress(Exception), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with path.open("rb") as file:
            head = file.read(4)
        if reader := _MICROSCOPES.get(head):
            return _checked(*reader(path))
        return _of_tiff(path) if head in _TIFF else _of_flat(path)
    return None


def _of_tiff(path: Path) -> PixelSize | None:
    with tifffile.TiffFile(path) as file:
        for reader in _TIFF_READERS:
            found = None
            with suppress(Exception):  # damaged metadata of one kind do not hide those of another
                found = reader(file)
            if found is not None and (size := _checked(*found)) is not None:
                return size
    return None


_Found = tuple[float, float, bool] | None


def _of_ome(file: Any) -> _Found:  # noqa: ANN401  (tifffile has no types)
    if not file.is_ome:
        return None
    for element in ElementTree.fromstring(file.ome_metadata).iter():
        if element.tag.rpartition("}")[2] == "Pixels":
            across = _ome_length(element.attrib, "PhysicalSizeX")
            down = "PhysicalSizeY" in element.attrib
            return across, _ome_length(element.attrib, "PhysicalSizeY") if down else across, True
    return None


def _ome_length(attributes: dict[str, str], name: str) -> float:
    return float(attributes[name]) * _micrometres(attributes.get(f"{name}Unit", "µm"))


def _micrometres(unit: str) -> float:
    return _MICROMETRES[unit.strip().lower()]


def _of_imagej(file: Any) -> _Found:  # noqa: ANN401
    page = file.pages.first
    if not file.is_imagej or not (unit := _UNIT.search(page.description)):
        return None
    factor = _micrometres(unit[1])
    return factor / _number(page, "XResolution"), factor / _number(page, "YResolution"), True


def _number(page: Any, name: str) -> float:  # noqa: ANN401
    value = page.tags[name].value
    return float(value[0] / value[1]) if isinstance(value, tuple) else float(value)


def _of_aperio(file: Any) -> _Found:  # noqa: ANN401
    found = _MPP.search(file.pages.first.description)
    return (float(found[1]), float(found[1]), True) if found else None


def _of_lsm(file: Any) -> _Found:  # noqa: ANN401
    if not file.is_lsm:
        return None
    metres = file.lsm_metadata
    return metres["VoxelSizeX"] * 1e6, metres["VoxelSizeY"] * 1e6, True


def _of_tags(file: Any) -> _Found:  # noqa: ANN401
    page = file.pages.first
    unit = _TAG_UNITS[
        int(page.tags["ResolutionUnit"].value) if "ResolutionUnit" in page.tags else 2
    ]
    sides = [unit / _number(page, name) for name in ("XResolution", "YResolution")]
    return sides[0], sides[1], max(sides) < _LARGEST_FROM_PRINT_TAGS


_TIFF_READERS: tuple[Callable[[Any], _Found], ...] = (
    _of_ome, _of_imagej, _of_aperio, _of_lsm, _of_tags,
)  # fmt: skip


def _of_czi(path: Path) -> tuple[float, float, bool]:
    with import_module("czifile").CziFile(path) as file:
        found = ElementTree.fromstring(file.metadata()).iterfind(".//Scaling/Items/Distance")
        metres = {each.attrib["Id"]: float(each.findtext("Value") or 0) for each in found}
    return metres["X"] * 1e6, metres["Y"] * 1e6, True


def _of_nd2(path: Path) -> tuple[float, float, bool]:
    with import_module("nd2").ND2File(path) as file:
        calibrated = file.metadata.channels[0].volume.axesCalibrated
        size = file.voxel_size()
    return size.x, size.y, bool(calibrated[0] and calibrated[1])


def _of_lif(path: Path) -> tuple[float, float, bool]:
    with import_module("liffile").LifFile(path) as file:
        places = file.images[0].coords  # in metres
        sides = [float(places[axis][1] - places[axis][0]) * 1e6 for axis in "XY"]
    return sides[0], sides[1], True


_MICROSCOPES: dict[bytes, Callable[[Path], tuple[float, float, bool]]] = {
    b"ZISR": _of_czi,
    b"\xda\xce\xbe\x0a": _of_nd2,
    b"p\0\0\0": _of_lif,
}
"""The reader for the first bytes of a microscope's own format."""


def _of_flat(path: Path) -> PixelSize | None:
    from PIL import Image

    with Image.open(path) as image:
        per_inch = [float(value) for value in image.info["dpi"]]
    sides = [_TAG_UNITS[2] / value for value in per_inch]
    return _checked(sides[0], sides[1], max(sides) < _LARGEST_FROM_PRINT_TAGS)


def _checked(x_um: float, y_um: float, on_sample: bool) -> PixelSize | None:
    usable = all(math.isfinite(side) and side > 0 for side in (x_um, y_um))
    return PixelSize(float(x_um), float(y_um), on_sample) if usable else None


def resolution_tags(size: PixelSize | None) -> dict[str, Any]:
    """Return the options with which tifffile writes a pixel size, in pixels per centimetre.

    ImageJ, QuPath and Bio-Formats read these tags, and so does [`read_pixel_size`][].

    Args:
        size: the size of the pixels; None if it is not known.

    Returns:
        Keyword arguments of ``tifffile.imwrite``; none if the size is not known or no tag can hold it.
    """
    if size is None:
        return {}
    resolution = tuple(_TAG_UNITS[3] / side for side in (size.x_um, size.y_um))
    if not all(1 / _LARGEST_TAG < value < _LARGEST_TAG for value in resolution):
        return {}
    # The nearest fraction that fits: older releases of tifffile round to six digits.
    nearest = (
        Fraction(value).limit_denominator(int(min(_LARGEST_TAG, _LARGEST_TAG / value)))
        for value in resolution
    )
    fractions = tuple(each.as_integer_ratio() for each in nearest)
    return {"resolution": fractions, "resolutionunit": "CENTIMETER"}


_LARGEST_TAG = float(1 << 31)  # the tag is a fraction of two integers of 32 bits
