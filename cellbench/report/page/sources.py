"""Where the gallery's images, truths and predictions are."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from cellbench.data.folder import SPLITS, DatasetImage, labels_folder, read_dataset
from cellbench.errors import CellbenchError, DatasetError, ScoresError
from cellbench.evaluation.cases import Case, find_cases
from cellbench.evaluation.mask_files import MASK_TABLE
from cellbench.labels import label_files


@dataclass(frozen=True)
class Problem:
    """Something that the gallery cannot show.

    Attributes:
        algorithm: the algorithm concerned; empty if it concerns all algorithms.
        image: stem of the image; empty if it concerns all images of the algorithm.
        reason: why it cannot be shown.
    """

    algorithm: str
    image: str
    reason: str


@dataclass(frozen=True)
class Sources:
    """The files of the gallery.

    Attributes:
        images: the images of the board that have a truth, by stem.
        cases: truth and prediction, by algorithm and then by stem.
        problems: what could not be found.
    """

    images: Mapping[str, DatasetImage]
    cases: Mapping[str, Mapping[str, Case]]
    problems: tuple[Problem, ...]


def find_sources(
    images: Collection[str], algorithms: Collection[str], data: str | Path, predictions: str | Path
) -> Sources:
    """Find the board's images in a dataset folder, and its algorithms in a folder of predictions.

    Args:
        images: stems of the board's images.
        algorithms: names of the board's algorithms.
        data: dataset folder; the split that contains most of the images is used.
        predictions: folder with a folder (or run-length table) for each algorithm, named like it.

    Returns:
        The files, and what could not be found.

    Raises:
        DatasetError: if ``data`` is not a dataset folder with truth for images of the board.
        ScoresError: if ``predictions`` contains none of the algorithms.
    """
    found = _find_images(set(images), Path(data))
    truth = next(image.labels.parent for image in found.values() if image.labels is not None)
    folders = _find_folders(set(algorithms), Path(predictions))
    cases: dict[str, Mapping[str, Case]] = {}
    problems = []
    for algorithm in algorithms:
        if algorithm not in folders:
            problems.append(Problem(algorithm, "", "no folder of this name among the predictions"))
            continue
        try:
            found_cases = find_cases(truth, folders[algorithm]).cases
        except (CellbenchError, OSError) as error:
            problems.append(Problem(algorithm, "", one_line(error, data, predictions)))
            continue
        cases[algorithm] = {case.stem: case for case in found_cases}
    return Sources(found, cases, tuple(problems))


def one_line(error: Exception, *roots: str | Path) -> str:
    """Return the message of an error on one line, with paths relative to some folders.

    Args:
        error: what was raised.
        roots: folders whose own paths are left out, because they differ between machines.
    """
    words = " ".join(str(error).split())
    for root in roots:
        words = words.replace(f"{root}/", "")
    return words


def _find_images(wanted: set[str], data: Path) -> dict[str, DatasetImage]:
    best: dict[str, DatasetImage] = {}
    for split in SPLITS:  # if two splits contain equally many images, the later one is used
        if not (data / split / "images").is_dir():
            continue
        # A board names an image after its truth.
        labels = labels_folder(data, split)
        stems = {path: stem for stem, path in label_files(labels).items()} if labels else {}
        named = {
            stems.get(image.labels, image.stem): image
            for image in read_dataset(data, [split])
            if image.labels
        }
        found = {stem: image for stem, image in named.items() if stem in wanted}
        best = max(found, best, key=len)
    if not best:
        read_dataset(data)  # raises the right error if it is not a dataset folder
        raise DatasetError(
            f"{data}: contains no image of this board with a label map; use the dataset that was scored"
        )
    return best


def _find_folders(wanted: set[str], predictions: Path) -> dict[str, Path]:
    """Find the algorithms among the existing files: a name is never used as a path."""
    if not predictions.is_dir():
        raise ScoresError(
            f"{predictions}: no such folder; use the folder of predictions that cellbench run wrote"
        )
    there = sorted(predictions.iterdir())
    tables = {path.stem: path for path in there if path.suffix.lower() == MASK_TABLE}
    named = tables | {path.name: path for path in there if path.is_dir()}
    found = {name: path for name, path in named.items() if name in wanted}
    if not found:
        raise ScoresError(
            f"{predictions}: contains no folder named after an algorithm of this board, for example "
            f"{min(wanted)!r}; use the folder that contains these folders"
        )
    return found
