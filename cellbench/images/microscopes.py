"""Opens files in microscopes' own formats: CZI (Zeiss), ND2 (Nikon) and LIF (Leica).

The packages that read them come with ``pip install "cellbench[formats]"`` and are imported only here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cellbench.errors import ImageError
from cellbench.extras import import_format_package
from cellbench.images.formats import EXPORT
from cellbench.images.opened import OpenedImage, Pixels, arranged, single_plane

_ZSTANDARD = (5, 6)  # compressions of CZI that czifile before 2026 does not read


@contextmanager
def open_czi(path: Path) -> Iterator[OpenedImage]:
    """Open a CZI file with one scene; the tiles of a mosaic are joined.

    Args:
        path: the file.

    Yields:
        The image.

    Raises:
        ImageError: if czifile is not installed, or the file contains several images.
    """
    czifile = import_format_package("czifile", path, ImageError)
    with czifile.CziFile(path) as file:
        if hasattr(file, "scenes"):
            _check_count(path, "scenes", [str(name) for name in file.scenes])
            image = file.scenes()
            yield _opened(path, tuple(image.sizes), image.shape, image)
        else:  # the last release for Python 3.11
            tiles = [each for each in file.filtered_subblock_directory if not each.pyramid_type]
            file.filtered_subblock_directory = tiles  # it would draw reduced copies over the image
            if any(tile.compression in _ZSTANDARD for tile in tiles):
                raise ImageError(
                    f"{path}: is compressed with Zstandard, which needs Python 3.12 or newer; {EXPORT}"
                )
            axes = ["scene" if name == "S" else name for name in file.axes]
            # In several threads it would return black tiles where one cannot be decoded.
            yield _opened(path, axes, file.shape, file, max_workers=1)


@contextmanager
def open_nd2(path: Path) -> Iterator[OpenedImage]:
    """Open an ND2 file.

    Args:
        path: the file.

    Yields:
        The image.

    Raises:
        ImageError: if nd2 is not installed, or the file contains several images.
    """
    nd2 = import_format_package("nd2", path, ImageError)
    with nd2.ND2File(path) as file:
        yield _opened(path, tuple(file.sizes), file.shape, file)


@contextmanager
def open_lif(path: Path) -> Iterator[OpenedImage]:
    """Open a LIF file with one image.

    Args:
        path: the file.

    Yields:
        The image.

    Raises:
        ImageError: if liffile is not installed, or the file contains several images.
    """
    liffile = import_format_package("liffile", path, ImageError)
    with liffile.LifFile(path) as file:
        _check_count(path, "images", [image.name for image in file.images])
        (image,) = file.images
        yield _opened(path, image.dims, image.shape, image)


def _check_count(path: Path, what: str, names: Sequence[str]) -> None:
    if not names:
        raise ImageError(f"{path}: contains no {what}; {EXPORT}")
    if len(names) > 1:
        shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
        raise ImageError(
            f"{path}: contains {len(names)} {what} ({shown}); export each as a file of its own (OME-TIFF, "
            "TIFF or PNG)"
        )


def _opened(
    path: Path,
    axes: Sequence[str],
    shape: Sequence[int],
    image: Any,  # noqa: ANN401
    **options: int,
) -> OpenedImage:
    """Return an image of one of the libraries, which all have ``asarray``."""
    order = single_plane(path, axes, shape)

    def decode() -> tuple[Pixels, int | None]:
        return arranged(image.asarray(**options), order), None

    return OpenedImage(path, tuple(shape[axis] for axis in order), decode)
