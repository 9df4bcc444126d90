"""Timed runs of entrants, one image at a time, as the challenge's cellseg_time_eval.py runs them."""

import fcntl
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from cellbench.data.folder import SPLITS, DatasetImage
from cellbench.entrants.collect import Taken, take_label_map
from cellbench.entrants.entries import Entry, write_algorithm
from cellbench.entrants.limits import Limits, memory_limit
from cellbench.entrants.process import Finished, not_run, run_program
from cellbench.entrants.results import Results, Row
from cellbench.entrants.sandbox import Sandbox, Task
from cellbench.entrants.setup import set_up
from cellbench.entrants.sources import source_files
from cellbench.entrants.workplace import Scratch, remove_left_overs, restore
from cellbench.errors import EntrantError
from cellbench.evaluation.runtimes import tolerance_seconds
from cellbench.evaluation.statuses import Status
from cellbench.files import fingerprint
from cellbench.images import image_shape
from cellbench.labels import label_path

_LOCK = ".lock"
_HIDDEN_SPLIT = "test"
_DATA_WORD = "{data}"


def run_entrant(
    entry: Entry,
    folder: Path,
    images: list[DatasetImage],
    out: Path,
    sandbox: Sandbox,
    progress: Callable[[int], object] | None = None,
) -> list[Row]:
    """Run an entrant on each image separately, timed from the program's start to its end.

    Label maps, ``runtime.csv``, ``resources.csv`` and the entry's description go to ``out``. Successful
    results of an earlier run with the same entry, program, isolation and image are kept, unless their files
    were changed; all others are made again.

    Args:
        entry: the entrant to run.
        folder: the folder of its ``entry.yaml``, in which its command runs.
        images: the images to segment.
        out: the predictions folder.
        sandbox: how its programs are started.
        progress: function that is called with 1 after each image.

    Returns:
        The rows of ``resources.csv``, one per image; where the entrant fails, the row's status says so.

    Raises:
        EntrantError: if another run writes to the same folder.
    """
    folder = folder.resolve()
    protected = {
        path.parent.resolve() for each in images for path in (each.image, each.labels) if path
    }
    with _locked(out, protected):
        remove_left_overs(out)
        write_algorithm(entry, out)
        program = source_files(entry, folder)
        image_id, failure = _prepare(entry, folder, sandbox)
        keys = {
            image.stem: fingerprint(
                [image.image, *program], entry.model_dump_json(), sandbox.name, image_id
            )
            for image in images
        }
        results = Results(out, images, keys)
        scratch = Scratch(out)
        try:
            failure = failure or _set_up(entry, folder, sandbox, scratch, images)
            for image in images:
                if not results.has(image.stem):
                    ended, taken = failure or _run_image(
                        entry.model_copy(update={"image": image_id}),
                        *(folder, image, sandbox, scratch, label_path(out, image.stem), protected),
                    )
                    restore(out, protected)
                    results.add(image.stem, ended, taken, sandbox.name)
                if progress is not None:
                    progress(1)
        finally:
            scratch.remove()
    return results.rows()


def _prepare(
    entry: Entry, folder: Path, sandbox: Sandbox
) -> tuple[str | None, tuple[Finished, Taken] | None]:
    """Make the entry's image ready; return its id, and the result of every image if that fails."""
    if entry.image is None:
        return None, None
    try:
        return sandbox.prepare(entry.image, folder), None
    except EntrantError as error:
        return None, (not_run(str(error)), Taken(Status.FAILED))


def _set_up(
    entry: Entry, folder: Path, sandbox: Sandbox, scratch: Scratch, images: list[DatasetImage]
) -> tuple[Finished, Taken] | None:
    """Set the entrant up; return the result of every image if that fails."""
    try:
        set_up(entry, folder, sandbox, scratch, _visible_data(entry.setup, images))
    except (EntrantError, OSError) as error:
        return not_run(str(error)), Taken(Status.FAILED)
    return None


def _visible_data(command: list[str] | None, images: list[DatasetImage]) -> list[Path]:
    """List the splits that ``{data}`` shows: never the test split, nor one that is segmented now."""
    if not images or not any(_DATA_WORD in word for word in command or []):
        return []
    secret = {_HIDDEN_SPLIT, *(image.split for image in images)}
    folders = [images[0].root.resolve() / split for split in SPLITS if split not in secret]
    return [folder for folder in folders if folder.is_dir()]


def _run_image(
    entry: Entry,
    folder: Path,
    image: DatasetImage,
    sandbox: Sandbox,
    scratch: Scratch,
    target: Path,
    protected: Collection[Path],
) -> tuple[Finished, Taken]:
    """Run the entrant on an image and take its label map; whatever goes wrong is the image's result."""
    try:
        shape = image_shape(image.image)
        memory = memory_limit(entry.memory)
        limits = Limits(entry.timeout_factor * tolerance_seconds(*shape), memory)
        task = Task(entry.command or [], folder, entry.env, entry.image, memory=memory)
        with scratch.workplace() as workplace:
            workplace.place(image.image)
            try:
                ended = run_program(sandbox.launch(task, workplace), limits)
            finally:
                sandbox.clean_up(workplace)
            restore(target.parent, protected)
            if ended.timed_out:
                return ended, Taken(Status.TIMEOUT)
            if ended.exit_code or ended.stopped:
                return ended, Taken(Status.FAILED, sandbox.explain(ended.message))
            return ended, take_label_map(workplace, image.stem, shape, target)
    except Exception as error:
        # A stranger's program can cause errors of any type; none of them may end the other runs.
        text = str(error) if isinstance(error, ValueError | OSError) else repr(error)
        return not_run(text), Taken(Status.FAILED)


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
