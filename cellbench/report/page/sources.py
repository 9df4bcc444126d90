"""Where the gallery's images, truths and predictions are."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from cellbench.data.folder import SPLITS, DatasetImage, read_dataset
from cellbench.errors import CellbenchError, DatasetError, ScoresError
from cellbench.evaluation.cases import MASK_TABLE, Case, find_cases
from cellbench.labels import label_files


@dataclass(frozen=True)
class Problem:
    """Something that is not in the gallery.

    Attributes:
        algorithm: whose prediction it is; empty for an image that nobody's is drawn on.
        image: its stem; empty for all images of the algorithm.
        reason: why.
    """

    algorithm: str
    image: str
    reason: str


@dataclass(frozen=True)
class Sources:
    """The files of the gallery.

    Attributes:
        images: those of the board that have a truth, by stem.
        cases: by algorithm, then by stem: the truth and the prediction.
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
        data: dataset folder; the split with most of the images is taken.
        predictions: a folder (or run-length table) for each algorithm, named as it is.

    Raises:
        DatasetError: if ``data`` is no dataset folder with truth for images of the board.
        ScoresError: if ``predictions`` holds none of the algorithms.
    """
    found = _find_images(set(images), Path(data))
    truth = next(image.labels.parent for image in found.values() if image.labels is not None)
    folders = _find_folders(set(algorithms), Path(predictions))
    cases: dict[str, Mapping[str, Case]] = {}
    problems = []
    for algorithm in algorithms:
        if algorithm not in folders:
            problems.append(Problem(algorithm, "", "has no folder among the predictions"))
            continue
        try:
            its_own = find_cases(truth, folders[algorithm])
        except (CellbenchError, OSError) as error:
            problems.append(Problem(algorithm, "", tell(error, data, predictions)))
            continue
        cases[algorithm] = {case.stem: case for case in its_own}
    return Sources(found, cases, tuple(problems))


def tell(error: Exception, *roots: str | Path) -> str:
    """Give an error's words on one line, with paths from the folders on: the page names no machine's."""
    words = " ".join(str(error).split())
    for root in roots:
        words = words.replace(f"{root}/", "")
    return words


def _find_images(wanted: set[str], data: Path) -> dict[str, DatasetImage]:
    best: dict[str, DatasetImage] = {}
    for split in SPLITS:  # of two splits with as many, the later: test
        if not (data / split / "images").is_dir():
            continue
        # A board calls an image as its truth is called.
        labels = data / split / "labels"
        stems = (
            {path: stem for stem, path in label_files(labels).items()} if labels.is_dir() else {}
        )
        named = {
            stems[image.labels]: image for image in read_dataset(data, [split]) if image.labels
        }
        found = {stem: image for stem, image in named.items() if stem in wanted}
        best = max(found, best, key=len)
    if not best:
        read_dataset(data)  # says what is wrong where it is no dataset folder at all
        raise DatasetError(
            f"{data}: holds no image of this board with its label map; name the dataset it was made of"
        )
    return best


def _find_folders(wanted: set[str], predictions: Path) -> dict[str, Path]:
    """Look names up among what is there: a name never becomes a path."""
    if not predictions.is_dir():
        raise ScoresError(f"{predictions}: no such folder of predictions; cellbench run makes it")
    there = sorted(predictions.iterdir())
    tables = {path.stem: path for path in there if path.suffix.lower() == MASK_TABLE}
    named = tables | {path.name: path for path in there if path.is_dir()}
    found = {name: path for name, path in named.items() if name in wanted}
    if not found:
        raise ScoresError(
            f"{predictions}: holds no folder named as an algorithm of this board, "
            f"such as {min(wanted)!r}; name the folder of these folders"
        )
    return found
