"""What is run for every image of an entrant, and the result."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cellbench.data.folder import SPLITS, DatasetImage
from cellbench.entrants.collect import Taken
from cellbench.entrants.entries import Entry
from cellbench.entrants.limits import Limits, memory_limit
from cellbench.entrants.process import Finished, not_run
from cellbench.entrants.sandbox import Sandbox, Task
from cellbench.entrants.workplace import Scratch
from cellbench.evaluation.runtimes import tolerance_seconds
from cellbench.evaluation.statuses import Status

_HIDDEN_SPLIT = "test"
_DATA_WORD = "{data}"


class Timing(StrEnum):
    """How the time of an image is measured.

    Attributes:
        WARM: one process segments all images; the median of its cold starts is added to each time.
        COLD: every image has a process of its own.
    """

    WARM = "warm"
    COLD = "cold"


@dataclass(frozen=True)
class Outcome:
    """The result of an image.

    Attributes:
        ended: how the program ended, or what it used for the image.
        taken: what it left.
        timing: how its time was measured.
        start_s: median cold start of the entrant, in seconds; None if every image starts the program.
    """

    ended: Finished
    taken: Taken
    timing: Timing = Timing.COLD
    start_s: float | None = None

    @property
    def wall_s(self) -> float:
        """The challenge's time of the image, in seconds: the start and the image."""
        return (self.start_s or 0.0) + self.ended.wall_s


@dataclass(frozen=True)
class Job:
    """An entrant and where it runs.

    Attributes:
        entry: the entrant.
        folder: the folder of its ``entry.yaml``.
        sandbox: how its programs are started.
        scratch: where their folders are made.
        out: the predictions folder.
        protected: folders that are never written to: the images and the truth.
        images: the images of the run.
    """

    entry: Entry
    folder: Path
    sandbox: Sandbox
    scratch: Scratch
    out: Path
    protected: Collection[Path]
    images: Sequence[DatasetImage]

    def task(self, command: Sequence[str]) -> Task:
        """Return how to run one of the entry's commands.

        Args:
            command: its words.
        """
        entry = self.entry
        return Task(
            *(command, self.folder, entry.env, entry.image),
            data=visible_data(command, self.images),
            memory=memory_limit(entry.memory),
        )

    def limits(self, shape: tuple[int, int]) -> Limits:
        """Return the limits of an image.

        Args:
            shape: (H, W) of the image, in pixels.
        """
        seconds = self.entry.timeout_factor * tolerance_seconds(*shape)
        return Limits(seconds, memory_limit(self.entry.memory))


class Runner(Protocol):
    """One way to segment the images of an entrant."""

    def run(self, image: DatasetImage, target: Path) -> Outcome:
        """Segment an image, and take its label map; whatever goes wrong is the image's result.

        Args:
            image: the image.
            target: where its label map is written.
        """

    def close(self) -> None:
        """End what still runs."""


def visible_data(command: Sequence[str], images: Sequence[DatasetImage]) -> list[Path]:
    """List the splits that ``{data}`` shows: never the test split, nor one that is segmented now.

    Args:
        command: the command, which may not ask for data.
        images: the images that are segmented.
    """
    if not images or not any(_DATA_WORD in word for word in command):
        return []
    secret = {_HIDDEN_SPLIT, *(image.split for image in images)}
    folders = [images[0].root.resolve() / split for split in SPLITS if split not in secret]
    return [folder for folder in folders if folder.is_dir()]


def fault(error: Exception, timing: Timing = Timing.COLD) -> Outcome:
    """Return the result of an image that could not be run.

    Args:
        error: why.
        timing: how its time should have been measured.
    """
    text = str(error) if isinstance(error, ValueError | OSError) else repr(error)
    return Outcome(not_run(text), Taken(Status.FAILED), timing)
