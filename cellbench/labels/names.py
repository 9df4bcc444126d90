"""The one rule for the names of label maps: to which image a file belongs.

It is used in the same way for the truth, for predictions, for imported datasets and for what entrants
write. The label map of the image ``plate1.png`` is called ``plate1_label.tiff`` by this suite, as in the
challenge; other tools write ``plate1_cp_masks.png`` (Cellpose), ``plate1.tif`` (StarDist) and other names.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from cellbench.labels.image_names import OME, ImageNames

SUFFIXES = (".tiff", ".tif", ".png", ".npy", ".npz", ".mat")
"""Extensions of files that can contain a label map, lower case."""

ENDING = "_label"
"""What follows the stem of the image in the names that this suite writes."""

ENDINGS = (
    ENDING,
    "_labels",
    "_cp_masks",  # Cellpose
    "_masks",
    "_mask",
    "_instances",
    "_instance",
    "_inst_map",
    "_inst",
    "_predictions",
    "_prediction",
    "_pred",
    "_segmentation",
    "_predicted",
    "_segmented",
    "_annotations",
    "_annotation",
    "_labelled",
    "_labeled",
    "_label_map",
    "_labelmap",
    "_lbl",  # MorphoLibJ
    "_gt",
    "_ground_truth",
    "_groundtruth",
    "_truth",
    "_seg",  # Cellpose's _seg.npy
    "",
)
"""What may follow the stem of the image, in the order of preference.

Upper and lower case do not differ, nor do ``_``, ``-``, a space and a dot before the word.
"""

_TRUTH_ENDINGS = ("_gt", "_ground_truth", "_groundtruth", "_truth")
_WORDS = re.compile(
    r"_("
    r"cells?|whole|nucleus|nuclei|nuclear|nuc|cyto|objects?|identities|feature_\d|data|final|best|"
    r"labels?|labelled|labeled|lbl|lblimg|labelmap|map|image|img|masks?|instances?|inst|instseg|ids|"
    r"seg|segmented|segmentation|pred|predicted|predictions?|results?|res|out|output|annotations?|"
    r"cp|cpsam|cellpose|omnipose|stardist|instanseg|sam|cellsam|mesmer|deepcell|hovernet"
    r")$"
)
"""Words that tools and users append to the name of an image, besides those in ENDINGS."""
_BY_PRODUCTS = re.compile(
    r"_(cp_)?(flows?|outlines?|output|overlays?|probs?|probabilities|semantic|classes|types?)$",
    re.IGNORECASE,
)
"""Endings of further files that tools write for an image."""
_SEPARATORS = str.maketrans("- .", "___")

Value = TypeVar("Value")


def label_stem(name: str, ending: str = ENDING) -> str | None:
    """Return the stem of the image to which a file belongs if its name has a certain ending.

    Args:
        name: file name.
        ending: one of [`ENDINGS`][].

    Returns:
        The stem, in Unicode's composed form; None if the name has another ending or an extension that is
        not in [`SUFFIXES`][].

    Examples:
        >>> label_stem("plate1_Label.ome.TIF"), label_stem("plate1_cp_masks.png", "_cp_masks")
        ('plate1', 'plate1')
        >>> label_stem("notes.txt") is None
        True
    """
    stem = _without_extension(name)
    return None if stem is None else _without_ending(stem, _folded(stem), ending)


def _folded(stem: str) -> str:
    return stem.lower().translate(_SEPARATORS)


def _without_ending(stem: str, folded: str, ending: str) -> str | None:
    if not folded.endswith(ending) or len(stem) <= len(ending):
        return None
    return stem[: len(stem) - len(ending)]


def _without_extension(name: str) -> str | None:
    # In archives from a Mac, some names have accents as separate characters.
    stem, dot, extension = unicodedata.normalize("NFC", name).rpartition(".")
    if not stem or dot + extension.lower() not in SUFFIXES:
        return None
    ome = stem.lower().endswith(OME) and extension.lower().startswith("tif")
    return stem[: -len(OME)] if ome else stem


def label_stems(names: Iterable[str]) -> dict[str, list[str]]:
    """Group label maps by the stems of their images, where the images are not known.

    All files are expected to have the same ending: ``_gt`` and the like if any of them has it, else the
    first of [`ENDINGS`][] that any of them has.

    Args:
        names: the names of the files in one folder.

    Returns:
        Stem to the names of its files, in the order of ``names``; files with another ending are left out.

    Examples:
        >>> label_stems(["a_label.tiff", "b_label.tiff", "overview.png"])
        {'a': ['a_label.tiff'], 'b': ['b_label.tiff']}
        >>> label_stems(["a.tif", "b.tif"])
        {'a': ['a.tif'], 'b': ['b.tif']}
    """
    names = list(names)
    for ending in (*_TRUTH_ENDINGS, *ENDINGS):
        found: dict[str, list[str]] = {}
        for name in names:
            if stem := label_stem(name, ending):
                found.setdefault(stem, []).append(name)
        if found:
            return found
    return {}


def match_labels(stems: Iterable[str], names: Iterable[str]) -> dict[str, list[str]]:
    """Find the label maps of images by name.

    A file belongs to an image if its name is the stem of the image and one of [`ENDINGS`][], in upper or
    lower case. Names without an ending count only if no file has one, because the images themselves often
    are in the folder. If an image has files with several endings, those with the first one are taken.
    If no file fits at all, one other ending of known words is accepted, such as ``_Object Identities``.
    ``image_7.png`` and ``7_img.png`` also fit ``mask_7.png`` and ``7_masks.png``, and names cut at their
    first dot fit as in [`match_stems`][].

    Args:
        stems: the stems of the images.
        names: the names of the files in one folder, or in several.

    Returns:
        The names of the files of each stem that has any; more than one if they differ in the extension
        only. Files that are not mentioned belong to no image.

    Examples:
        >>> match_labels(["a", "b"], ["A_cp_masks.PNG", "b_cp_masks.png", "b_seg.npy", "c_seg.npy"])
        {'a': ['A_cp_masks.PNG'], 'b': ['b_cp_masks.png']}
    """
    stems = list(stems)
    plain = {name: stem for name in names if (stem := _without_extension(name)) is not None}
    parsed = {name: (stem, _folded(stem)) for name, stem in plain.items()}
    names = list(parsed)
    images = ImageNames(stems)
    found: dict[str, list[str]] = {}
    used: set[str] = set()
    unknown: set[str] = set()
    left: dict[str, list[str]] = {}

    def take(ending: str, candidates: Sequence[str]) -> None:
        fits: dict[str, dict[int, list[str]]] = {}
        for name in candidates:
            key = _without_ending(*parsed[name], ending) if name not in used else None
            if key is None:
                continue
            stem, rank = images.find(key)
            if stem is None:
                if name not in unknown:
                    left.setdefault(key, []).append(name)
                unknown.add(name)
            elif stem not in found:
                fits.setdefault(stem, {}).setdefault(rank, []).append(name)
        for stem, ranked in fits.items():
            found[stem] = ranked[min(ranked)]
            used.update(found[stem])

    # "a_mask.tif" beside the images a and a_mask: names that are the stem of an image come last.
    whole = {name for name, stem in plain.items() if stem in images.stems}
    for ending in ENDINGS[:-1]:
        take(ending, names if ending == ENDING else [n for n in names if n not in whole])
    if not found:
        take("", names)
    for ending in ENDINGS[1:-1]:
        take(ending, names)
    found |= match_stems([stem for stem in stems if stem not in found], left)
    found = found or _with_one_other_ending(images, parsed)
    return {stem: found[stem] for stem in stems if stem in found}


def _with_one_other_ending(
    images: ImageNames, parsed: Mapping[str, tuple[str, str]]
) -> dict[str, list[str]]:
    """Match names that end in `_WORDS`; none if there are several endings: which one is unknown."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, (stem, folded) in parsed.items():
        # What this suite writes is named after the whole stem.
        cut = 0 if folded.endswith(ENDING) else len(folded)
        while (word := _WORDS.search(folded[:cut])) is not None:
            cut = word.start()
            image = images.find(stem[:cut])[0] if cut else None
            if image is not None:
                found.setdefault(folded[cut:], {}).setdefault(image, []).append(name)
                break
    return next(iter(found.values())) if len(found) == 1 else {}


def unmatched_labels(
    stems: Iterable[str], names: Iterable[str], found: Mapping[str, Sequence[str]]
) -> list[str]:
    """List the files that [`match_labels`][] did not use although no other file replaces them.

    Args:
        stems: the stems of the images.
        names: the names of the files in one folder.
        found: the result of [`match_labels`][].

    Returns:
        The names of the files that fit no image, or that fit an image without a label map, in the order of
        ``names``. Further files of an image that has a label map, such as ``a_seg.npy`` beside
        ``a_cp_masks.png``, are left out.

    Examples:
        >>> names = ["a_masks.tif", "a.tif", "b.tif", "x_masks.tif"]
        >>> unmatched_labels(["a", "b"], names, match_labels(["a", "b"], names))
        ['b.tif', 'x_masks.tif']
    """
    images, used = ImageNames(list(stems)), {name for files in found.values() for name in files}

    def is_further_file(name: str) -> bool:
        keys = [label_stem(name, ending) for ending in ENDINGS]
        stem = _without_extension(name)
        keys += [_BY_PRODUCTS.sub("", stem)] if stem else []
        return any(images.find(key)[0] in found for key in keys if key)

    return [name for name in names if name not in used and not is_further_file(name)]


def match_stems(stems: Iterable[str], named: Mapping[str, Value]) -> dict[str, Value]:
    """Find what belongs to each image stem: its file, time, modality or status.

    The challenge's scripts cut names at the first dot (``a.b.png`` gives ``a_label.tiff``). Such a
    shortened name is accepted, on either side, if it fits only one other name.

    Args:
        stems: the stems of the images.
        named: the values to match, by stem or by shortened stem.

    Returns:
        The value of each stem that has one.

    Examples:
        >>> match_stems(["a.b", "c"], {"a": 12.5, "c": 3.0})
        {'a.b': 12.5, 'c': 3.0}
    """
    stems = list(stems)
    matched = {stem: named[stem] for stem in stems if stem in named}
    open_stems = _by_first_dot(stem for stem in stems if stem not in matched)
    open_names = _by_first_dot(name for name in named if name not in matched)
    for beginning, candidates in open_stems.items():
        names = open_names.get(beginning, [])
        if len(candidates) == len(names) == 1 and beginning in (candidates[0], names[0]):
            matched[candidates[0]] = named[names[0]]
    return {stem: matched[stem] for stem in stems if stem in matched}


def _by_first_dot(names: Iterable[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name in names:
        grouped.setdefault(name.split(".")[0], []).append(name)
    return grouped
