"""What does not fit between the truth and an algorithm's files: errors and warnings that name the files."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cellbench.errors import LabelMapError, ScoresError
from cellbench.evaluation.listing import listed
from cellbench.evaluation.predictions import Predictions
from cellbench.evaluation.seals import RUN_JOURNAL
from cellbench.evaluation.statuses import Status
from cellbench.files import is_junk, list_files
from cellbench.labels.names import SUFFIXES, unmatched_labels

_CONTINUE = "if cellbench run was stopped, run the same command again, which continues it"

_log = logging.getLogger(__name__)


class NoPredictionsError(ScoresError):
    """No prediction of an algorithm fits an image."""


def check_any(predictions: Path, found: Predictions, truths: Mapping[str, Path]) -> None:
    """Check that an algorithm has exactly one label map of at least one image.

    Args:
        predictions: folder of the algorithm.
        found: what `find_predictions` found in it.
        truths: the true label map of each image, by stem.

    Raises:
        NoPredictionsError: if it has none; the message names what was wanted and what was found.
    """
    doubles = [paths for paths in found.files.values() if len(paths) > 1]
    if doubles and len(doubles) == len(found.files):
        raise NoPredictionsError(
            f"{found.folder}: contains two files for each image, such as {_both(doubles[0])}; remove those "
            "that are not label maps"
        )
    if found.files:
        return
    there = list(found.unmatched) or sorted(_visible_names(predictions))
    stem = next(iter(truths))
    advice = _advice(there)
    if (predictions / RUN_JOURNAL).is_file():
        advice = f"name the truth of the split that was segmented, or {_CONTINUE}"
    raise NoPredictionsError(
        f"{predictions}: no file has the name of an image; wanted {stem}_label.tiff (or {stem}.tif, "
        f"{stem}_cp_masks.png, {stem}_seg.npy, …), found {listed(there) or 'nothing'}; {advice}"
    )


def _advice(there: Sequence[str]) -> str:
    for name in there:
        if name.lower().endswith((".csv", ".json")):
            return f"if {name} contains the predictions, name it instead of the folder"
        if name.lower().endswith(".zip"):
            return f"unpack {name}"
    if all(name.endswith("/") for name in there):
        return "name the folder that contains the label maps"
    if not any(name.lower().endswith(SUFFIXES) for name in there):
        return f"save the label maps as {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
    return "rename the files"


def warn_of_doubles(found: Predictions) -> list[str]:
    """Return the images that have several label maps, of which none is scored, and warn of them.

    Args:
        found: the label maps of an algorithm.
    """
    doubles = {stem: paths for stem, paths in found.files.items() if len(paths) > 1}
    for paths in list(doubles.values())[:1]:
        number = f" ({len(doubles)} images have two files)" if len(doubles) > 1 else ""
        _log.warning(
            "%s: contains both %s%s; scored 0 (status: invalid), remove one of them",
            *(found.folder, _both(paths), number),
        )
    return list(doubles)


def _both(paths: Sequence[Path]) -> str:
    return " and ".join(path.name for path in paths[:2])


def _visible_names(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if not is_junk(path.name):
            yield f"{path.name}/" if path.is_dir() else path.name


def warn_of_unused_truths(truth: Path, truths: Mapping[str, Path], predictions: Path) -> None:
    """Warn of label maps that have another ending than those of the truth, and are not used.

    Args:
        truth: folder of the truth.
        truths: the true label map of each image, by stem.
        predictions: folder of the predictions; there is no warning if it is the same one.
    """
    if truth.resolve() == predictions.resolve():
        return
    names = [path.name for path in list_files(truth, SUFFIXES, LabelMapError)]
    used = {stem: [path.name] for stem, path in truths.items()}
    if unused := unmatched_labels(truths, names, used):
        _log.warning(
            "%s: the truth consists of the files that are named as %s; not used: %s",
            *(truth, next(iter(truths.values())).name, listed(unused)),
        )


def warn_of_unmatched(
    predictions: Path, unmatched: Sequence[str], truths: Mapping[str, Path]
) -> None:
    """Warn of predictions that are not scored.

    Args:
        predictions: folder or file of the algorithm.
        unmatched: names of the files, or of the images in a file.
        truths: the true label map of each image, by stem.
    """
    if not unmatched:
        return
    one, several = _what_they_are(predictions, unmatched, truths)
    number = len(unmatched)
    what = f"{one} and is" if number == 1 else f"{several} and are"
    _log.warning("%s: %d %s not scored: %s", predictions, number, what, listed(unmatched))


def _what_they_are(
    predictions: Path, unmatched: Sequence[str], truths: Mapping[str, Path]
) -> tuple[str, str]:
    """Return what to call one file that is not scored, and several of them."""
    if not predictions.is_dir():
        return "image has no truth", "images have no truth"
    if not any(name.lower().endswith(SUFFIXES) for name in unmatched):
        return "file is not a label map", "files are not label maps"
    if all(Path(name).stem in truths for name in unmatched):
        return "file may be an image", "files may be images"
    return "file fits no image", "files fit no image"


def warn_of_missing(
    found: Predictions, truths: Mapping[str, Path], statuses: Mapping[str, Status]
) -> None:
    """Warn of images without a prediction.

    Args:
        found: the label maps of an algorithm.
        truths: the true label map of each image, by stem.
        statuses: how ``cellbench run`` ended for each image. Images for which it failed are left out,
            because it has given the reason.
    """
    failed = {stem for stem, status in statuses.items() if status is not Status.OK}
    missing = [stem for stem in truths if stem not in found.files and stem not in failed]
    if not missing:
        return
    searched = {folder for paths in found.files.values() for folder in paths[0].parents}
    inside = {path for path in found.folder.iterdir() if path.is_dir() and not is_junk(path.name)}
    others = listed(sorted(path.name for path in inside - searched))
    more = f"; folders inside are not searched: {others}" if others else ""
    if (found.folder / RUN_JOURNAL).is_file():
        more = f"; {_CONTINUE}"
    _log.warning(
        "%s: no label map for %d of %d images, scored 0 (status: missing): %s%s",
        *(found.folder, len(missing), len(truths), listed(missing), more),
    )
