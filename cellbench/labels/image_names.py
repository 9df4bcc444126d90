"""Which image a name means, where the names of images and label maps have further words before or after."""

from collections.abc import Iterable, Iterator, Sequence

OME = ".ome"
"""What stands before the extension of an OME-TIFF."""

_LABEL_PREFIXES = (
    *("labels_", "label_", "masks_", "mask_", "seg_", "gt_", "pred_", "prediction_"),
    *("man_seg_", "man_seg", "mask"),  # Cell Tracking Challenge: man_seg007.tif, mask007.tif
)
_IMAGE_ENDINGS = ("_img", "_image", "_raw", "_im")
_IMAGE_PREFIXES = (
    *("images_", "image_", "img_", "im_", "raw_"),
    "t",  # Cell Tracking Challenge: t007.tif
)
_IMAGE_EXTENSIONS = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp")


class ImageNames:
    """The stems of the images, found by the names that other tools write for them.

    Attributes:
        stems: the stems.
    """

    def __init__(self, stems: Sequence[str]) -> None:
        """Prepare the search.

        Args:
            stems: the stems of the images.
        """
        self.stems = frozenset(stems)
        self._any_case = _unique((stem.casefold(), stem) for stem in stems)
        self._cores = _unique((core, stem) for stem in stems for core in _cores(stem))

    def find(self, key: str) -> tuple[str | None, int]:
        """Return the stem for the name of a label map without its ending; None if it fits none or two.

        The number that follows is the smaller, the more the two are alike.

        Args:
            key: the name.
        """
        if key in self.stems:
            return key, 0
        if (folded := key.casefold()) in self._any_case:
            return self._any_case[folded], 1
        # Longer parts of the name first: they say more.
        core = next((core for core in _cores(key) if core in self._cores), None)
        return (None if core is None else self._cores[core]), 2


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the stem of each key, without the keys of several stems."""
    owners: dict[str, set[str]] = {}
    for key, stem in pairs:
        owners.setdefault(key, set()).add(stem)
    return {key: next(iter(stems)) for key, stems in owners.items() if len(stems) == 1}


def _cores(name: str) -> Iterator[str]:
    """Yield a name, and the name without the words that only say what the file contains."""
    yield (name := name.casefold())
    for extension in (OME, *_IMAGE_EXTENSIONS):
        if name.endswith(extension) and name != extension:
            yield (name := name.removesuffix(extension))
    for ending in _IMAGE_ENDINGS:
        if name.endswith(ending) and name != ending:
            yield name.removesuffix(ending)
    for prefix in (*_IMAGE_PREFIXES, *_LABEL_PREFIXES):
        rest = name.removeprefix(prefix)
        # "mask007" is the label map of image 7, "maskless" is not.
        if rest not in (name, "") and (prefix.endswith("_") or rest.isdecimal()):
            yield rest
