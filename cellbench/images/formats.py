"""The image formats that are read, the kinds that are not, and how the format of a file is recognised."""

import unicodedata
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

from cellbench.errors import ImageError
from cellbench.files import files_by_stem
from cellbench.images.opened import OpenedImage

SUFFIXES = (
    ".png", ".tif", ".tiff", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".jp2", ".j2k",
    ".j2c", ".jpc", ".jpf", ".jpx", ".btf", ".tf2", ".tf8", ".ptif", ".ptiff", ".lsm", ".stk", ".svs",
    ".ndpi", ".scn", ".qptiff", ".czi", ".nd2", ".lif",
)  # fmt: skip
"""Extensions of image files that are read, lower case; the last three need ``cellbench[formats]``."""

UNREAD_SUFFIXES = frozenset((
    ".vsi", ".ets", ".oib", ".oif", ".oir", ".poir", ".dcm", ".dicom", ".heic", ".heif", ".avif",
    ".jxr", ".wdp", ".hdp", ".jxl", ".mrxs", ".vms", ".vmu", ".svslide", ".isyntax", ".afi", ".bif",
    ".zvi", ".ims", ".dv", ".r3d", ".flex", ".mvd2", ".lei", ".lof", ".xlif", ".xlef", ".ipw", ".ipl",
    ".liff", ".sld", ".spe", ".ics", ".nrrd", ".nhdr", ".mha", ".mhd", ".nii", ".c01", ".xdce", ".1sc",
    ".gel", ".dm3", ".dm4", ".mrc", ".zarr", ".n5", ".h5", ".hdf5", ".fits", ".exr", ".hdr", ".dib",
    ".pbm", ".pgm", ".ppm", ".pnm", ".tga", ".psd", ".xcf", ".dng", ".nef", ".cr2", ".cr3", ".arw",
    ".apng", ".mpo", ".avi", ".mp4", ".mov",
))  # fmt: skip
"""Extensions of images and films that are not read, lower case."""

EXPORT = "export the image as OME-TIFF, TIFF or PNG"
"""What to do with an image that is not read."""

Opener = Callable[[Path], AbstractContextManager[OpenedImage]]

_FLAT, _TIFF, _MICROSCOPES = "flat", "tiff", "microscopes"
_OPENERS: dict[bytes, tuple[str, str]] = {
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), (_TIFF, "open_tiff")),
    b"\x89PNG\r\n\x1a\n": (_FLAT, "open_png"),
    b"\xff\xd8\xff": (_FLAT, "open_jpeg"),
    b"BM": (_FLAT, "open_bmp"),
    **dict.fromkeys((b"GIF87a", b"GIF89a"), (_FLAT, "open_gif")),
    b"RIFF": (_FLAT, "open_webp"),
    **dict.fromkeys((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), (_FLAT, "open_jpeg2000")),
    b"ZISRAWFILE": (_MICROSCOPES, "open_czi"),
    b"\xda\xce\xbe\x0a": (_MICROSCOPES, "open_nd2"),
    b"p\0\0\0": (_MICROSCOPES, "open_lif"),
}
_OLD_ND2 = b"\0\0\0\x0cjP  "
_GIT_LFS = b"version http"
_LONGEST_SIGNATURE = max(map(len, (*_OPENERS, _GIT_LFS)))


def image_stem(name: str) -> str:
    """Return the stem of an image: its name without the extension of an image file.

    Args:
        name: file name, or a stem.

    Examples:
        >>> image_stem("a.b.TIF"), image_stem("a.b")
        ('a.b', 'a.b')
    """
    name = unicodedata.normalize("NFC", name)  # in the same form as the stems of files
    stem, dot, extension = name.rpartition(".")
    return stem if dot + extension.lower() in SUFFIXES else name


def image_files(folder: str | Path) -> dict[str, Path]:
    """Find the images in a folder.

    Args:
        folder: the folder; its subfolders are ignored.

    Returns:
        Stem (the file name without its last extension) to path, sorted.

    Raises:
        ImageError: if the folder is absent or two images share a stem.
    """
    return files_by_stem(folder, SUFFIXES, ImageError)


def unread_files(folder: str | Path) -> list[Path]:
    """Find the images in a folder that [`image_files`][] passes over, because their kind is not read.

    Args:
        folder: the folder; its subfolders and hidden files are ignored.

    Returns:
        The files (and Zarr folders) with one of the [`UNREAD_SUFFIXES`][], sorted.

    Raises:
        ImageError: if the folder is absent.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ImageError(f"{folder}: no such folder; check the path")
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in UNREAD_SUFFIXES
        and not path.name.startswith(".")
        and (path.is_file() or path.suffix.lower() == ".zarr")
    ]


def unread_message(path: Path) -> str:
    """Return one line that says that an image is of a kind that is not read, and what to do.

    Args:
        path: the file.

    Examples:
        >>> unread_message(Path("scan.vsi"))
        'scan.vsi: VSI files are not read; export the image as OME-TIFF, TIFF or PNG'
    """
    return f"{path}: {path.suffix[1:].upper()} files are not read; {EXPORT}"


def opener_of(path: Path) -> Opener:
    """Return the function that opens an image file, chosen by the first bytes of the file.

    Args:
        path: an existing file.

    Returns:
        The function; the module that it is in is imported only now.

    Raises:
        ImageError: if the file is empty, or its kind is not read.
    """
    if path.suffix.lower() in UNREAD_SUFFIXES:  # VSI is a TIFF, but of an overview only
        raise ImageError(unread_message(path))
    with path.open("rb") as stream:
        head = stream.read(_LONGEST_SIGNATURE)
    if not head:
        raise ImageError(f"{path}: the file is empty; copy or save it again")
    if head.startswith(_OLD_ND2) and path.suffix.lower() == ".nd2":
        head = b"\xda\xce\xbe\x0a"
    for signature, (module, name) in _OPENERS.items():
        if head.startswith(signature):
            opener: Opener = getattr(import_module(f"cellbench.images.{module}"), name)
            return opener
    if head.startswith(_GIT_LFS):
        raise ImageError(
            f"{path}: only a pointer of Git LFS to the image; run `git lfs pull` in its repository"
        )
    raise ImageError(
        f"{path}: not an image in a format that is read (TIFF, PNG, JPEG, BMP, GIF, WebP, JPEG 2000, "
        "CZI, ND2 or LIF); export it as OME-TIFF"
    )
