"""Where the label maps of an algorithm are: its folder, or a folder inside, as many tools write them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellbench.errors import LabelMapError
from cellbench.evaluation.listing import listed
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

_DEEPEST = 5


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


def find_predictions(folder: Path, truths: Mapping[str, Path]) -> Predictions:
    """Find the label maps of an algorithm by the rule of [`cellbench.labels.names`][].

    If no file in the folder fits an image, the folders inside are searched: those with a general name such
    as ``masks``, a single other one, several with different images, or one for each image. Nothing is
    searched inside the folder of a ``cellbench run``. The files of the truth are predictions only if there
    are no others.

    Args:
        folder: folder of the algorithm.
        truths: the true label map of each image, by stem.

    Returns:
        The label maps that were found, possibly none.

    Raises:
        LabelMapError: if the folder is absent, or a file in it is a pipe, a socket or a device, or has a
            carriage return in its name.
    """
    found = _search(folder, truths, 1 if (folder / RUN_JOURNAL).is_file() else _DEEPEST)
    own = _truth_names(folder, truths)
    if own and found.files:
        used = sorted(path.name for paths in found.files.values() for path in paths)
        _log.warning(
            "%s: also contains the truth; used as truth: %s; used as predictions: %s",
            *(folder, listed(sorted(own)), listed(used)),
        )
    elif own:
        _log.warning("%s: the predictions are the files of the truth itself", folder)
        return Predictions(folder, {stem: [path] for stem, path in truths.items()}, found.unmatched)
    return found


def _search(folder: Path, truths: Mapping[str, Path], depth: int) -> Predictions:
    found = _in_folder(folder, truths)
    if found.files or depth == 1:
        return found
    inside = _folders_inside(folder)
    if owners := _owners(inside, truths):
        apart = _folder_per_image(folder, owners)
        return apart if apart.files else found
    general = [path for path in inside if path.name.casefold() in _LABEL_FOLDERS]
    for each in general:
        deeper = _search(each, truths, depth - 1)
        if deeper.files:
            return deeper
    others = [_search(path, truths, depth - 1) for path in inside if path not in general]
    others = [one for one in others if one.files] if len(others) > 1 else others
    # Several folders with the same images belong to several algorithms.
    return _joined(folder, others) if others and _of_different_images(others) else found


def _of_different_images(folders: Sequence[Predictions]) -> bool:
    stems = [stem for found in folders for stem in found.files]
    return len(stems) == len(set(stems))


def _joined(folder: Path, parts: Sequence[Predictions]) -> Predictions:
    """Return the label maps of folders with different images, such as one for each well of a plate."""
    if len(parts) == 1:
        return parts[0]
    files = {stem: paths for part in parts for stem, paths in part.files.items()}
    unmatched = [f"{part.folder.name}/{name}" for part in parts for name in part.unmatched]
    return Predictions(folder, files, tuple(sorted(unmatched)))


def _truth_names(folder: Path, truths: Mapping[str, Path]) -> frozenset[str]:
    """Return the names of the files of the truth that are in a folder."""
    there = folder.resolve()
    own = {path.parent for path in truths.values()}
    same = {parent for parent in own if parent.resolve() == there}
    return frozenset(path.name for path in truths.values() if path.parent in same)


def _in_folder(folder: Path, truths: Mapping[str, Path]) -> Predictions:
    stems, own = truths.keys(), _truth_names(folder, truths)
    paths = {
        path.name: path
        for path in list_files(folder, SUFFIXES, LabelMapError)
        # Beside the truth, a file with the name of an image is the image.
        if not own or (path.name not in own and path.stem not in truths)
    }
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


def _owners(folders: Sequence[Path], truths: Mapping[str, Path]) -> dict[str, Path]:
    """Return the folder of each image, if folders are named after images."""
    named = {f"{path.name}{SUFFIXES[0]}": path for path in folders}
    owners = {stem: named[names[0]] for stem, names in match_labels(truths, named).items()}
    # Algorithms may have the names of images, but they have label maps of several.
    several = any(len(_in_folder(path, truths).files) > 1 for path in owners.values())
    return owners if len(owners) > 1 and not several else {}


def _folders_inside(folder: Path) -> list[Path]:
    """List the folders inside that may contain label maps, the most probable one first."""
    inside = [path for path in folder.iterdir() if path.is_dir() and not is_junk(path.name)]
    inside = [path for path in inside if path.name.casefold() not in _OTHER_FOLDERS]
    return sorted(inside, key=lambda path: (_preference(path.name), path.name))


def _preference(name: str) -> int:
    name = name.casefold()
    return _LABEL_FOLDERS.index(name) if name in _LABEL_FOLDERS else len(_LABEL_FOLDERS)


def algorithm_folders(predictions: Path, truths: Mapping[str, Path]) -> list[Path]:
    """List the algorithms in a folder: the folder itself if it has label maps, else the folders inside.

    A folder inside with a general name, such as ``masks``, or with the name of the folder or of an image
    is part of the algorithm, not an algorithm of its own. So are folders that have no image in common.

    Args:
        predictions: folder of an algorithm, or of folders of algorithms.
        truths: the true label map of each image, by stem.

    Returns:
        The folders of the algorithms, sorted; junk such as ``__MACOSX`` is left out.
    """
    inside = sorted(
        path for path in predictions.iterdir() if path.is_dir() and not is_junk(path.name)
    )
    one_algorithm = any(
        (predictions / name).is_file() for name in (RUN_JOURNAL, RESOURCES_FILE, RUNTIME_FILE)
    )
    if not inside or one_algorithm or _in_folder(predictions, truths).files:
        return [predictions]
    if len(inside) == 1 and not _search(inside[0], truths, _DEEPEST - 1).files:
        deeper = algorithm_folders(inside[0], truths)  # an archive that was unpacked to X/X/
        if len(deeper) > 1:
            return deeper
    general = (*_LABEL_FOLDERS, *_OTHER_FOLDERS, predictions.name.casefold())
    parts = [path for path in inside if path.name.casefold() in general]
    others = [path for path in inside if path not in parts]
    found = [_search(path, truths, _DEEPEST - 1) for path in others]
    with_maps = [one for one in found if one.files]
    together = len(with_maps) > 1 and _of_different_images(with_maps)
    if together or _owners(inside, truths) or (parts and not with_maps):
        return [predictions]
    left_out = [path.name for path in inside if path.name.casefold() in _OTHER_FOLDERS]
    if left_out:
        _log.warning(
            "%s: folders that are not scored as algorithms: %s", predictions, listed(left_out)
        )
    return [path for path in inside if path.name not in left_out]
