"""Predictions as COCO results, which instance segmentation networks such as Mask R-CNN write."""

import hashlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cellbench.data.coco_file import CocoCell, CocoFile, check_outlines, read_coco_file
from cellbench.data.coco_masks import segmentation_runs
from cellbench.data.json_values import shown
from cellbench.errors import DatasetError, InvalidLabelsError, ScoresError
from cellbench.evaluation.masks import id_type
from cellbench.images import image_stem
from cellbench.labels.banded import BandedLabels, in_bands
from cellbench.labels.names import match_stems
from cellbench.labels.runs import run_pixels

DEFAULT_SCORE_THRESHOLD = 0.5
"""Detections with a lower score are not used; detectors also write those that are hardly cells."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CocoMasks:
    """The detections of one image.

    Attributes:
        file: the COCO file.
        image: name of the image, without extension.
        size: height and width of the image as a COCO file states them; None where it does not.
        cells: the detections that are used.
    """

    file: Path
    image: str
    size: tuple[int | None, int | None] = (None, None)
    cells: tuple[CocoCell, ...] = ()

    def open(self, shape: tuple[int, int]) -> BandedLabels:
        """Return the label map, with the ids 1 … N in the order of the detections.

        Where detections overlap, the one with the higher score keeps the pixels; if the scores are equal or
        absent, the smaller one.

        Args:
            shape: (H, W) of the image.

        Raises:
            InvalidLabelsError: if a segmentation is broken or belongs to an image of another size; the
                message names the file, the image and the detection.
        """
        name = f"{self.file}, image {self.image}"
        if any(side not in (None, actual) for side, actual in zip(self.size, shape, strict=True)):
            raise InvalidLabelsError(
                f"{name}: has the size {self.size} in the COCO file, but the truth is {shape}"
            )
        try:
            runs = [
                segmentation_runs(
                    cell.segmentation, shape, f"{self.file}, {cell.name} of image {self.image}"
                )
                for cell in self.cells
            ]
        except DatasetError as error:
            raise InvalidLabelsError(str(error)) from error
        scores = [cell.score or 0.0 for cell in self.cells]
        last_wins = sorted(range(len(runs)), key=lambda k: (scores[k], -runs[k].area, -k))
        pixels = np.zeros(shape[0] * shape[1], id_type(len(runs)))
        for position in last_wins:
            pixels[run_pixels(*runs[position])] = position + 1
        return in_bands(pixels.reshape(shape[::-1]).T, name)

    def fingerprint(self) -> str:
        """Return a key that changes when the detections do, but not when only their places do."""
        content = [self.size, *((cell.segmentation, cell.score) for cell in self.cells)]
        return hashlib.sha256(ascii(content).encode()).hexdigest()


def read_coco_results(
    path: Path,
    stems: Collection[str],
    score_threshold: float | None = None,
    coco_images: Path | None = None,
) -> dict[str, CocoMasks]:
    """Read a list of COCO results, or a COCO file with images and annotations, as predictions.

    Detections of all categories are cells. Those of groups (``iscrowd``) are not used.

    Args:
        path: the JSON file.
        stems: stems of the images of the truth.
        score_threshold: detections with a lower score are not used; those without a score always are. By
            default [`DEFAULT_SCORE_THRESHOLD`][].
        coco_images: COCO file that lists the file name of each image id. It is not needed if ``path`` lists
            the images itself, or if the ids are file names.

    Returns:
        The detections of each image by the stem of its name. An image without any has an empty list if a
        COCO file lists the image, or if there is no such file.

    Raises:
        CellbenchError: if a file is not a COCO file or has no outlines, or if no detection belongs to an
            image of the truth or has the score.
    """
    file = read_coco_file(path)
    cells = [cell for cell in file.cells if not cell.crowd]
    if not cells:
        crowds = " but those of groups (iscrowd is 1)" if file.cells else ""
        raise ScoresError(f"{path}: contains no detections{crowds}; check the file")
    check_outlines(file, cells)
    found = _listed_images(file, cells, coco_images) or _named_images(path, cells, stems)
    unlisted = [cell for cell in cells if cell.image not in found]
    if len(unlisted) == len(cells):
        raise ScoresError(
            f"{coco_images or path}: does not list image {cells[0].image} of {cells[0].name} in {path}, "
            "nor that of any other; name the COCO file that lists them with --coco-images"
        )
    if unlisted:
        _log.warning(
            "%s: %d detections are of images that are not listed and are not scored, the first is of "
            "image %s",
            path,
            len(unlisted),
            unlisted[0].image,
        )
    groups: dict[str, list[CocoCell]] = {image: [] for image in found}
    for cell in _with_score(path, cells, score_threshold):
        if cell.image in groups:
            groups[cell.image].append(cell)
    _warn(path, cells, [found[image].image for image, group in groups.items() if not group], stems)
    return _by_name(path, [_filled(found[image], group) for image, group in groups.items()], stems)


def _filled(image: CocoMasks, cells: Sequence[CocoCell]) -> CocoMasks:
    return CocoMasks(image.file, image.image, image.size, tuple(cells))


def _listed_images(
    file: CocoFile, cells: Sequence[CocoCell], coco_images: Path | None
) -> dict[str, CocoMasks]:
    """Return the images of a COCO file by id, as yet without detections; none if no file lists them."""
    listing = file if coco_images is None else read_coco_file(coco_images)
    if listing.images is None:
        if coco_images is not None:
            raise ScoresError(
                f"{coco_images}: lists no images; name a COCO file with images after --coco-images"
            )
        return {}
    images = {}
    for number, image in listing.images.items():
        if not isinstance(image.file_name, str):
            raise DatasetError(
                f"{listing.path}, image {number}: {shown(image.file_name)} is not a file name"
            )
        images[number] = CocoMasks(file.path, _stem(image.file_name), image.size)
    stems = {image.image: image for image in images.values()}
    for cell in cells:  # some tools write file names where the format wants the ids of images
        if cell.image not in images and cell.named_image and _stem(cell.image) in stems:
            images[cell.image] = stems[_stem(cell.image)]
    return images


def _named_images(
    path: Path, cells: Sequence[CocoCell], stems: Collection[str]
) -> dict[str, CocoMasks]:
    """Return the images by id, where the ids are file names, as yet without detections."""
    names = {cell.image: _stem(cell.image) for cell in cells}
    matched = match_stems(stems, {name: name for name in names.values()})
    if not matched:
        raise ScoresError(
            f"{path}: the image id {cells[0].image} of {cells[0].name} is not the name of an image, nor "
            f"is that of any other; wanted, for example, {next(iter(stems))}; name the COCO file that "
            "lists the file names of the ids with --coco-images"
        )
    if not all(cell.named_image for cell in cells):
        _log.warning(
            "%s: the image ids are taken as file names, for example %s; if they are not, name the COCO "
            "file that lists the file names with --coco-images",
            path,
            next(iter(matched)),
        )
    # A list of results does not contain an image in which nothing was found.
    images = {stem: CocoMasks(path, stem) for stem in stems if stem not in matched}
    return images | {number: CocoMasks(path, name) for number, name in names.items()}


def _stem(name: str) -> str:
    return image_stem(name.replace("\\", "/").rpartition("/")[2])


def _with_score(
    path: Path, cells: Sequence[CocoCell], score_threshold: float | None
) -> list[CocoCell]:
    """Return the detections with a sufficient score."""
    least = DEFAULT_SCORE_THRESHOLD if score_threshold is None else score_threshold
    used = [cell for cell in cells if cell.score is None or cell.score >= least]
    if not used:
        highest = max(cell.score for cell in cells if cell.score is not None)
        raise ScoresError(
            f"{path}: no detection has a score of {least:g} or more, the highest is {highest:g}; choose a "
            "lower --score-threshold"
        )
    if score_threshold is None and len(used) < len(cells):
        _log.warning(
            "%s: %d of %d detections have a score below %g and are not used; change this with "
            "--score-threshold",
            path,
            len(cells) - len(used),
            len(cells),
            least,
        )
    return used


def _warn(
    path: Path, cells: Sequence[CocoCell], empty: Sequence[str], stems: Collection[str]
) -> None:
    """Warn if categories are mixed, or images of the truth have no detections."""
    if (categories := len({cell.category for cell in cells})) > 1:
        _log.warning("%s: detections of %d categories are all scored as cells", path, categories)
    if lacking := match_stems(stems, {name: name for name in empty}):
        _log.warning(
            "%s: no detections for %d of %d images, the first is %s",
            path,
            len(lacking),
            len(stems),
            next(iter(lacking)),
        )


def _by_name(
    path: Path, images: Sequence[CocoMasks], stems: Collection[str]
) -> dict[str, CocoMasks]:
    """Return the images by name; images with one name are refused, but for those without detections."""
    named: dict[str, CocoMasks] = {}
    for image in images:
        other = named.get(image.image)
        if other is not None and other.cells and image.cells and image.image in stems:
            raise ScoresError(
                f"{path}: has detections for two images with the name {image.image}; score them separately"
            )
        if other is None or not other.cells:
            named[image.image] = image
    return named
