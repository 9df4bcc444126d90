"""The error gallery: which cells each algorithm found, missed and invented on chosen images."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cellbench.boards.reading import BoardTables
from cellbench.evaluation.protocols import PROTOCOLS, get_protocol
from cellbench.labels import read_labels, remove_frame_cells
from cellbench.report.page.choices import Choice, choose_images, order_images
from cellbench.report.page.drawing import FAULTS, ImageData, ImageDrawing
from cellbench.report.page.sources import Problem, Sources, find_sources, one_line

COMMON = 12
"""Number of images that are drawn with all algorithms; the others only with those they were chosen for."""

MOST_BYTES = 5_000_000
"""Largest size of all pictures and outlines together in bytes, so that the page opens quickly."""


@dataclass(frozen=True)
class Gallery:
    """The images that the page draws.

    Attributes:
        choices: the worst, median and best image of each algorithm.
        images: data for the page's script by stem; see ``ImageDrawing.draw``.
        left_out: chosen images that are left out to limit the size of the page.
        problems: what could not be drawn, and why.
    """

    choices: Sequence[Choice]
    images: dict[str, ImageData] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def make_gallery(board: BoardTables, data: str | Path, predictions: str | Path) -> Gallery:
    """Draw the chosen images.

    A damaged image or prediction raises no error: it is listed among the problems.

    Args:
        board: the tables, whose values decide which images are chosen.
        data: dataset folder.
        predictions: folder with a folder for each algorithm.

    Returns:
        The images, and the problems.

    Raises:
        CellbenchError: as [`cellbench.report.page.sources.find_sources`][] does.
    """
    algorithms = list(board.ranking.index)
    sources = find_sources(board.values["image"].unique(), algorithms, data, predictions)
    choices = choose_images(
        board.values,
        board.value,
        [name for name in algorithms if name in sources.cases],
        _informative_images(board, sources),
        higher_is_better=board.higher_is_better,
    )
    gallery = Gallery(choices, problems=list(sources.problems))
    artist = _Artist(sources, _protocol_name(board), (str(data), str(predictions)))
    room = MOST_BYTES
    for place, image in enumerate(order_images(choices)):
        choosers = [choice.algorithm for choice in choices if choice.image == image]
        drawn, problems = artist.draw(image, sources.cases if place < COMMON else choosers)
        gallery.problems.extend(problems)
        if drawn is None:
            continue
        fitting = _fit(drawn, choosers, room)
        if fitting is None:
            gallery.left_out.append(image)
            continue
        gallery.images[image] = fitting
        room -= _size(fitting)
    return gallery


def _informative_images(board: BoardTables, sources: Sources) -> list[str]:
    """List the images without those that have no true cell to score, on which every F1 is 0."""
    best = board.values.groupby("image")[board.value].max()
    return [image for image in sources.images if best[image] > 0 or _has_cells(sources, image)]


def _has_cells(sources: Sources, image: str) -> bool:
    labels = sources.images[image].labels
    try:
        return labels is None or bool(remove_frame_cells(read_labels(labels)).any())
    except FAULTS:
        return True  # drawing it reports the damage


def _protocol_name(board: BoardTables) -> str:
    """Return the protocol of the scores; tables other than scores.csv have none."""
    protocol = board.provenance.get("protocol") or {}
    name = protocol.get("name") if isinstance(protocol, dict) else None
    return name if name in PROTOCOLS else "exact"


@dataclass(frozen=True)
class _Artist:
    """Draws one image at a time."""

    sources: Sources
    protocol: str
    roots: tuple[str, ...]

    def draw(
        self, image: str, algorithms: Collection[str]
    ) -> tuple[ImageData | None, list[Problem]]:
        """Draw an image with some algorithms; None if the image itself cannot be drawn."""
        problems = []
        found = self.sources.images[image]
        try:
            some_case = next(iter(self.sources.cases.values()))[image]
            case = replace(some_case, image=found.image, modality=found.modality)
            drawing = ImageDrawing(case, get_protocol(self.protocol))
            for name in dict.fromkeys(algorithms):
                try:
                    drawing.add(name, self.sources.cases[name][image])
                except FAULTS as error:
                    problems.append(Problem(name, image, one_line(error, *self.roots)))
            return drawing.draw(), problems
        except FAULTS as error:
            return None, [*problems, Problem("", image, one_line(error, *self.roots))]


def _fit(drawn: ImageData, choosers: Collection[str], room: int) -> ImageData | None:
    """Leave out the algorithms the image was not chosen for, if there is no room for all."""
    if _size(drawn) <= room:
        return drawn
    fewer = {name: data for name, data in drawn["drawn"].items() if name in choosers}
    return drawn | {"drawn": fewer} if _size(drawn | {"drawn": fewer}) <= room else None


def _size(drawn: ImageData) -> int:
    return len(json.dumps(drawn))
