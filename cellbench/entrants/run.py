"""Timed runs of entrants, one image at a time; what is known already is not run again."""

import fcntl
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cellbench.data.folder import DatasetImage
from cellbench.entrants.cold import ColdRuns
from cellbench.entrants.collect import Taken
from cellbench.entrants.entries import Entry, write_algorithm
from cellbench.entrants.job import Job, Outcome, Runner, Timing, fault, visible_data
from cellbench.entrants.results import Keys, Results, Row
from cellbench.entrants.sandbox import Sandbox
from cellbench.entrants.setup import set_up
from cellbench.entrants.sources import source_files
from cellbench.entrants.warm import STARTS, WarmRuns, small_images
from cellbench.entrants.workplace import Scratch, remove_left_overs, restore
from cellbench.errors import EntrantError
from cellbench.evaluation.statuses import Status
from cellbench.files import fingerprint
from cellbench.labels import label_path

_LOCK = ".lock"
_COMPARED = 5
"""Number of images that are measured warm and cold where both are asked for."""


@dataclass(frozen=True)
class Segmenter:
    """A running entrant, see [`started_entrant`][]."""

    _job: Job
    _runner: Runner
    _failure: Outcome | None

    def segment(self, image: DatasetImage) -> Taken:
        """Segment an image; whatever goes wrong is the image's result.

        Args:
            image: the image; its label map is written to the entrant's folder under its stem.

        Returns:
            Whether there is a label map, and if not, why.
        """
        target = label_path(self._job.out, image.stem)
        target.unlink(missing_ok=True)
        outcome = self._failure or self._runner.run(image, target)
        restore(self._job.out, self._job.protected)
        taken = outcome.taken
        return replace(taken, message=taken.message or outcome.ended.message)


def run_entrant(
    entry: Entry,
    folder: Path,
    images: list[DatasetImage],
    out: Path,
    sandbox: Sandbox,
    progress: Callable[[int], object] | None = None,
    *,
    timing: Timing = Timing.WARM,
    compare: bool = False,
) -> list[Row]:
    """Run an entrant on each image separately.

    Label maps, ``runtime.csv``, ``resources.csv`` and the entry's description go to ``out``. Successful
    results of an earlier run with the same entry, program, isolation, timing and image are kept, unless
    their files were changed; all other images are segmented again.

    Args:
        entry: the entrant to run.
        folder: the folder of its ``entry.yaml``, in which its command runs.
        images: the images to segment.
        out: the predictions folder.
        sandbox: how its programs are started.
        progress: function that is called with 1 after each image.
        timing: how times are measured; entries without ``serve`` are always run cold.
        compare: whether to measure the first images both ways, for ``timings.csv``.

    Returns:
        The rows of ``resources.csv``, one per image; where the entrant fails, the row's status says so.

    Raises:
        EntrantError: if another run writes to the same folder.
    """
    folder = folder.resolve()
    protected = {
        path.parent.resolve() for each in images for path in (each.image, each.labels) if path
    }
    timing = Timing.COLD if entry.serve is None else timing
    with _locked(out, protected):
        remove_left_overs(out)
        write_algorithm(entry, out)
        image_id, failure = _prepare(entry, folder, sandbox)
        program = fingerprint(
            source_files(entry, folder), entry.model_dump_json(), sandbox.name, image_id
        )
        results = Results(out, images, _keys(entry, images, program), timing)
        scratch = Scratch(out)
        entry = entry.model_copy(update={"image": image_id})
        job = Job(entry, folder, sandbox, scratch, out, protected, images)
        try:
            failure = failure or _set_up(job)
            _run_all(job, results, timing, _start_key(images, program), failure, progress)
            if compare and timing is Timing.WARM and failure is None:
                _run_some_cold(job, results)
        finally:
            results.write_tables()
            scratch.remove()
    return results.rows()


@contextmanager
def started_entrant(
    entry: Entry, folder: Path, images: list[DatasetImage], out: Path, sandbox: Sandbox
) -> Iterator[Segmenter]:
    """Keep an entrant running for images whose running times do not matter.

    An entry with ``serve`` starts once, at the first image; any other starts for every image. No tables
    are written.

    Args:
        entry: the entrant to run.
        folder: the folder of its ``entry.yaml``, in which its command runs.
        images: the images of the dataset; images with other pixels and the same stems can be segmented.
        out: folder to which the label maps are written.
        sandbox: how its programs are started.

    Yields:
        What segments one image.

    Raises:
        EntrantError: if another run writes to the same folder.
    """
    folder = folder.resolve()
    protected = {
        path.parent.resolve() for each in images for path in (each.image, each.labels) if path
    }
    with _locked(out, protected):
        remove_left_overs(out)
        image_id, failure = _prepare(entry, folder, sandbox)
        scratch = Scratch(out)
        entry = entry.model_copy(update={"image": image_id})
        job = Job(entry, folder, sandbox, scratch, out, protected, images)
        # One start is enough: it says whether the program starts at all.
        warm = entry.serve is not None
        runner: Runner = WarmRuns(job, [0.0] * (STARTS - 1)) if warm else ColdRuns(job)
        try:
            failure = failure or _set_up(job)
            yield Segmenter(job, runner, failure)
        finally:
            runner.close()
            scratch.remove()


def program_key(entry: Entry, folder: Path, sandbox: Sandbox) -> str:
    """Return a key that changes when an entrant or its isolation does.

    Args:
        entry: the entrant.
        folder: the folder of its ``entry.yaml``.
        sandbox: how its programs are started.
    """
    files = source_files(entry, folder.resolve())
    return fingerprint(files, entry.model_dump_json(), sandbox.name)


def _run_all(
    job: Job,
    results: Results,
    timing: Timing,
    start_key: str,
    failure: Outcome | None,
    progress: Callable[[int], object] | None,
) -> None:
    """Run the images whose results are not known."""
    starts = results.starts(start_key)
    runner: Runner = WarmRuns(job, starts) if timing is Timing.WARM else ColdRuns(job)
    try:
        for image in job.images:
            if not results.has(image.stem):
                outcome = failure or runner.run(image, label_path(job.out, image.stem))
                if len(starts) == STARTS:
                    results.keep_starts(start_key, starts)
                restore(job.out, job.protected)
                results.add(image.stem, outcome, job.sandbox.name)
            if progress is not None:
                progress(1)
    finally:
        runner.close()


def _run_some_cold(job: Job, results: Results) -> None:
    """Measure the cold times of the first images that succeeded warm; their label maps are not kept."""
    # A new home folder: the other one may contain the label maps.
    job = replace(job, scratch=Scratch(job.out))
    try:
        _compare(job, results)
    finally:
        job.scratch.remove()


def _compare(job: Job, results: Results) -> None:
    runner = ColdRuns(job)
    for row in [row for row in results.rows() if row["status"] == Status.OK][:_COMPARED]:
        if results.is_compared(row["image"]):
            continue
        (image,) = (image for image in job.images if image.stem == row["image"])
        with job.scratch.workplace() as workplace:
            outcome = runner.run(image, label_path(workplace.scratch, image.stem))
        restore(job.out, job.protected)
        results.compare(image.stem, outcome, job.sandbox.name)


def _keys(entry: Entry, images: list[DatasetImage], program: str) -> Keys:
    timings = (Timing.COLD,) if entry.serve is None else tuple(Timing)
    return {
        timing: {image.stem: fingerprint([image.image], program, timing) for image in images}
        for timing in timings
    }


def _start_key(images: list[DatasetImage], program: str) -> str:
    return fingerprint([image.image for image in small_images(images)], program, "start")


def _prepare(entry: Entry, folder: Path, sandbox: Sandbox) -> tuple[str | None, Outcome | None]:
    """Make the entry's image ready; return its id, and the result of every image if that fails."""
    if entry.image is None:
        return None, None
    try:
        return sandbox.prepare(entry.image, folder), None
    except EntrantError as error:
        return None, fault(error)


def _set_up(job: Job) -> Outcome | None:
    """Set the entrant up; return the result of every image if that fails."""
    data = visible_data(job.entry.setup or [], job.images)
    try:
        set_up(job.entry, job.folder, job.sandbox, job.scratch, data)
    except (EntrantError, OSError) as error:
        return fault(error)
    return None


@contextmanager
def _locked(out: Path, protected: Collection[Path]) -> Iterator[None]:
    """Keep other runs out of a predictions folder.

    Raises:
        EntrantError: if another run is at work in it, or it leads somewhere else.
    """
    if out.is_symlink():
        raise EntrantError(f"{out}: is a link; name the folder itself as --out, or remove the link")
    restore(out, protected)
    lock = os.open(out / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise EntrantError(
            f"{out}: another cellbench run is writing to this folder; wait for it, or choose another --out"
        ) from error
    try:
        yield
    finally:
        os.close(lock)
