"""Where the label maps of an algorithm are: its folder, or a folder inside, as many tools write them."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellbench.errors import LabelMapError, ScoresError
from cellbench.evaluation.runtimes import RUNTIME_FILE
from cellbench.evaluation.seals import RUN_JOURNAL
from cellbench.evaluation.statuses import RESOURCES_FILE
from cellbench.files import is_junk, list_files
from cellbench.labels.names import SUFFIXES, match_labels, unmatched_labels

_OTHER_SUFFIXES = (
    *(".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".jp2"),
    *(".h5", ".hdf5", ".zip", ".geojson", ".pkl", ".pickle"),
)
"""Further extensions of files that somebody may take for label maps."""

_LABEL_FOLDERS = (
    *("labels", "label", "label_maps", "masks", "mask", "instances", "instance", "inst", "mat"),
    *("predictions", "prediction", "predicted", "pred", "preds", "segmentations", "segmentation"),
    *("seg", "outputs", "output", "out", "results", "result", "test", "tune", "val", "train"),
)
"""Names of folders that say what is inside, in the order of preference; compared in lower case."""

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "raw")
"""Names of folders that contain images, lower case."""

_OTHER_FOLDERS = (
    *IMAGE_FOLDERS,
    *("overlays", "overlay", "outlines", "flows", "json"),
    *("qupath", "thumb", "logs", "log", "crashed"),
)
"""Names of folders with other results of an algorithm, lower case."""

_log = logging.getLogger(__name__)

_DEEPEST = 3
_SHOWN = 3


class NoPredictionsError(ScoresError):
    """No prediction of an algorithm fits an image."""


@dataclass(frozen=True)
class Predictions:
    """The label maps that an algorithm has for certain images.

    Attributes:
        folder: the folder that contains them.
        files: the files of each image that has any, by stem; more than one if they differ in the extension
            only.
        unmatched: names of the files that fit no image, or fit one without being used; sorted.
    """

    folder: Path
    files: dict[str, list[Path]]
    unmatched: tuple[str, ...]


def find_predictions(folder: Path, stems: Collection[str]) -> Predictions:
    """Find the label maps of an algorithm by the rule of :mod:`cellbench.labels.names`.

    If no file in the folder fits an image, the folders inside are searched: those with a general name such
    as ``masks``, a single other one, or one for each image. Nothing is searched inside the folder of a
    ``cellbench run``.

    Args:
        folder: folder of the algorithm.
        stems: the stems of the images.

    Returns:
        The label maps that were found, possibly none.

    Raises:
        LabelMapError: if the folder is absent, or a file in it is a pipe, a socket or a device, or has a
            carriage return in its name.
    """
    return _search(folder, stems, 1 if (folder / RUN_JOURNAL).is_file() else _DEEPEST)


def _search(folder: Path, stems: Collection[str], depth: int) -> Predictions:
    found = _in_folder(folder, stems)
    if found.files or depth == 1:
        return found
    inside = _folders_inside(folder)
    if owners := _owners(inside, stems):
        apart = _folder_per_image(folder, owners)
        return apart if apart.files else found
    general = [path for path in inside if path.name.casefold() in _LABEL_FOLDERS]
    others = [path for path in inside if path not in general]
    # Several other folders probably belong to several algorithms.
    for each in general + (others if len(others) == 1 else []):
        deeper = _search(each, stems, depth - 1)
        if deeper.files:
            return deeper
    return found


def _in_folder(folder: Path, stems: Collection[str]) -> Predictions:
    paths = {path.name: path for path in list_files(folder, SUFFIXES, LabelMapError)}
    named = match_labels(stems, paths)
    # Files of other formats are unmatched as label maps of the same name would be.
    others = {
        Path(path.name).with_suffix(SUFFIXES[0]).name: path.name
        for path in list_files(folder, _OTHER_SUFFIXES, LabelMapError)
    }
    unmatched = unmatched_labels(stems, paths, named)
    unmatched += [others[name] for name in unmatched_labels(stems, others, named)]
    files = {stem: [paths[name] for name in names] for stem, names in named.items()}
    return Predictions(folder, files, tuple(sorted(unmatched)))


def _folder_per_image(folder: Path, owners: Mapping[str, Path]) -> Predictions:
    """Find label maps such as ``plate1/masks.png`` and ``plate1/plate1_label.tiff``."""
    files: dict[str, list[Path]] = {}
    unmatched = []
    for stem, each in owners.items():
        paths = {path.name: path for path in list_files(each, SUFFIXES, LabelMapError)}
        paths |= {f"{stem}_{name}": path for name, path in paths.items()}
        if names := match_labels([stem], paths).get(stem):
            files[stem] = [paths[name] for name in names]
        else:
            unmatched += sorted({f"{each.name}/{path.name}" for path in paths.values()})
    return Predictions(folder, files, tuple(unmatched))


def _owners(folders: Sequence[Path], stems: Collection[str]) -> dict[str, Path]:
    """Return the folder of each image, if folders are named after images."""
    named = {f"{path.name}{SUFFIXES[0]}": path for path in folders}
    owners = {stem: named[names[0]] for stem, names in match_labels(stems, named).items()}
    # Algorithms may have the names of images, but they have label maps of several.
    several = any(len(_in_folder(path, stems).files) > 1 for path in owners.values())
    return owners if len(owners) > 1 and not several else {}


def _folders_inside(folder: Path) -> list[Path]:
    """List the folders inside that may contain label maps, the most probable one first."""
    inside = [path for path in folder.iterdir() if path.is_dir() and not is_junk(path.name)]
    inside = [path for path in inside if path.name.casefold() not in _OTHER_FOLDERS]
    return sorted(inside, key=lambda path: (_preference(path.name), path.name))


def _preference(name: str) -> int:
    name = name.casefold()
    return _LABEL_FOLDERS.index(name) if name in _LABEL_FOLDERS else len(_LABEL_FOLDERS)


def algorithm_folders(predictions: Path, stems: Collection[str]) -> list[Path]:
    """List the algorithms in a folder: the folder itself if it has label maps, else the folders inside.

    A folder inside with a general name, such as ``masks``, or with the name of the folder or of an image
    is part of the algorithm, not an algorithm of its own.

    Args:
        predictions: folder of an algorithm, or of folders of algorithms.
        stems: the stems of the images.

    Returns:
        The folders of the algorithms, sorted; junk such as ``__MACOSX`` is left out.
    """
    inside = sorted(
        path for path in predictions.iterdir() if path.is_dir() and not is_junk(path.name)
    )
    one_algorithm = any(
        (predictions / name).is_file() for name in (RUN_JOURNAL, RESOURCES_FILE, RUNTIME_FILE)
    )
    if not inside or one_algorithm or _in_folder(predictions, stems).files:
        return [predictions]
    if len(inside) == 1 and not _search(inside[0], stems, _DEEPEST - 1).files:
        deeper = algorithm_folders(inside[0], stems)  # an archive that was unpacked to X/X/
        if len(deeper) > 1:
            return deeper
    general = (*_LABEL_FOLDERS, *_OTHER_FOLDERS, predictions.name.casefold())
    parts = [path for path in inside if path.name.casefold() in general]
    others = [path for path in inside if path not in parts]
    with_maps = [path for path in others if _search(path, stems, _DEEPEST - 1).files]
    if _owners(inside, stems) or (parts and not with_maps):
        return [predictions]
    left_out = [path.name for path in inside if path.name.casefold() in _OTHER_FOLDERS]
    if left_out:
        _log.warning(
            "%s: folders that are not scored as algorithms: %s", predictions, listed(left_out)
        )
    return [path for path in inside if path.name not in left_out]


def check_any(predictions: Path, found: Predictions, stems: Sequence[str]) -> None:
    """Check that an algorithm has a label map of at least one image.

    Args:
        predictions: folder of the algorithm.
        found: what :func:`find_predictions` found in it.
        stems: the stems of the images.

    Raises:
        NoPredictionsError: if it has none; the message names what was wanted and what was found.
    """
    if found.files:
        return
    there = list(found.unmatched) or sorted(_visible_names(predictions))
    stem = stems[0]
    raise NoPredictionsError(
        f"{predictions}: no file has the name of an image; wanted {stem}_label.tiff (or {stem}.tif, "
        f"{stem}_cp_masks.png, {stem}_seg.npy, …), found {listed(there) or 'nothing'}; rename the files"
    )


def _visible_names(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if not is_junk(path.name):
            yield f"{path.name}/" if path.is_dir() else path.name


def listed(names: Sequence[str]) -> str:
    """Return the first names of a list in words, and how many more there are.

    Args:
        names: the names.

    Example:
        >>> listed(["a", "b", "c", "d", "e"])
        'a, b, c and 2 more'
    """
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
