"""One process segments all images of an entrant, one at a time; its cold start is measured separately."""

import statistics
import unicodedata
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path, PurePosixPath

from cellbench.data.folder import DatasetImage
from cellbench.entrants.collect import Taken, take_label_map
from cellbench.entrants.job import Job, Outcome, Timing, fault
from cellbench.entrants.limits import Limits
from cellbench.entrants.serving import Answer, Server, ServerError
from cellbench.entrants.workplace import FileStates, Workplace, restore
from cellbench.errors import CellbenchError, EntrantError
from cellbench.evaluation.statuses import Status
from cellbench.images import image_shape

STARTS = 3
"""Number of cold starts, whose median is added to the time of every image."""

_SMALL_IMAGES = 4  # one for each start, and a program may fail on one of them


class WarmRuns:
    """Starts the entry's ``serve`` and requests one image after the other.

    A cold start lasts from the start of the program until it has answered the request of a small image, one
    of the smallest of the run. So it includes what a program does only once, at its first image. Each start
    requests another small image: the home folder is kept, and could contain the answer to the one before.
    A program that has ended is started again, with a small image first, so that no image pays for this.

    Args:
        job: the entrant.
        starts: seconds of the cold starts that are known already; those that are measured are added.
    """

    def __init__(self, job: Job, starts: list[float]) -> None:
        self._job = job
        self._starts = starts
        self._small = small_images(job.images)
        self._server: Server | None = None
        self._workplace: Workplace
        self._answered: FileStates = {}
        self._shown = ""  # the image that the program sees
        self._open = ExitStack()
        self._broken: Outcome | None = None

    def run(self, image: DatasetImage, target: Path) -> Outcome:
        """Segment an image, and take its label map; whatever goes wrong is the image's result.

        Args:
            image: the image.
            target: where its label map is written.
        """
        if self._broken is not None:
            return self._broken
        try:
            shape = _requested_shape(image.image)
        except (CellbenchError, OSError) as error:
            return fault(error, Timing.WARM)
        try:
            server = self._running()
            return self._outcome(*self._segment(server, image, shape, target))
        except ServerError as error:
            self.close()
            status = Status.TIMEOUT if error.ended.timed_out else Status.FAILED
            message = "" if error.ended.timed_out else self._job.sandbox.explain(str(error))
            outcome = self._outcome_of(error, Taken(status, message))
            if len(self._starts) < STARTS:  # it does not start: no other image will do better
                self._broken = outcome
            return outcome
        except Exception as error:
            # A stranger's program can cause errors of any type; none of them may end the other runs.
            self.close()
            return fault(error, Timing.WARM)

    def close(self) -> None:
        """End the program."""
        self._server = None
        self._open.close()
        restore(self._job.out, self._job.protected)

    def _outcome(self, answer: Answer, taken: Taken) -> Outcome:
        return Outcome(answer.ended, taken, Timing.WARM, statistics.median(self._starts))

    def _outcome_of(self, error: ServerError, taken: Taken) -> Outcome:
        start = statistics.median(self._starts) if len(self._starts) >= STARTS else None
        return Outcome(error.ended, taken, Timing.WARM, start)

    def _running(self) -> Server:
        """Return the running program; start it, as often as its start must be measured."""
        while len(self._starts) < STARTS:
            self.close()
            server = self._started()
            self._starts.append(server.start_s)
        return self._server or self._started()

    def _started(self) -> Server:
        """Start the program and request a small image; if it fails on that, start it with another one."""
        for number, small in enumerate(self._small, start=1):
            last = number == len(self._small)
            limits = self._job.limits(image_shape(small.image))
            server = self._start(limits)
            try:
                answer = self._request(server, small, limits)
                self._clear(answer)
            except (ServerError, EntrantError):
                if last:
                    raise
            else:
                if last or answer.path is not None:
                    self._small = [*self._small[number:], small]
                    return server
            self.close()
        raise EntrantError("no image can be read")

    def _start(self, limits: Limits) -> Server:
        job = self._job
        self._shown = ""
        self._workplace = self._open.enter_context(job.scratch.workplace())
        self._open.callback(job.sandbox.clean_up, self._workplace)
        launch = job.sandbox.launch(job.task(job.entry.serve or []), self._workplace)
        self._server = Server(launch, limits)
        self._open.callback(self._server.close)
        self._server.greet(limits.seconds or 0.0)
        return self._server

    def _segment(
        self, server: Server, image: DatasetImage, shape: tuple[int, int], target: Path
    ) -> tuple[Answer, Taken]:
        answer = self._request(server, image, self._job.limits(shape))
        restore(self._job.out, self._job.protected)
        if answer.path is None:
            return answer, Taken(Status.FAILED, answer.reason)
        taken = self._take(answer.path, image, shape, target)
        try:
            self._clear(answer)
        except EntrantError:  # a folder is gone; the next image needs new ones
            self.close()
        return answer, taken

    def _clear(self, answer: Answer) -> None:
        """Remove the label map of an answer, so that the outputs do not fill up."""
        if answer.path is not None:
            self._workplace.take_away(answer.path.name)

    def _request(self, server: Server, image: DatasetImage, limits: Limits) -> Answer:
        """Show the program an image instead of the one before, and wait for its answer."""
        if self._shown:
            self._workplace.take_away(self._shown)
        self._workplace.place(image.image)
        self._shown = image.image.name
        inputs = self._job.sandbox.places(self._workplace)["inputs"]
        return server.request(
            f"{inputs}/{image.image.name}", limits.seconds or 0.0, self._observe_outputs
        )

    def _observe_outputs(self) -> None:
        """Note what the program has written when it answers: what follows would not be timed."""
        self._answered = self._workplace.output_states()

    def _take(
        self, path: PurePosixPath, image: DatasetImage, shape: tuple[int, int], target: Path
    ) -> Taken:
        outputs = PurePosixPath(self._job.sandbox.places(self._workplace)["outputs"])
        if path.parent != outputs:
            return Taken(Status.FAILED, f"answered with {path}, which is not in the outputs folder")
        taken = take_label_map(
            *(self._workplace, image.stem, shape, target, self._answered),
            stems=[each.stem for each in self._job.images],
        )
        if taken.name and _normal(taken.name) != _normal(path.name):
            target.unlink()
            return Taken(Status.FAILED, f"answered with {path.name}, but wrote {taken.name}")
        return taken


def small_images(images: Sequence[DatasetImage]) -> list[DatasetImage]:
    """Return the smallest images that can be read, the smallest first.

    Args:
        images: the images of a run.
    """
    sizes = []
    for image in images:
        with suppress(CellbenchError, OSError):
            height, width = _requested_shape(image.image)
            sizes.append((height * width, image.stem, image))
    return [image for _, _, image in sorted(sizes, key=lambda size: size[:2])[:_SMALL_IMAGES]]


def _requested_shape(path: Path) -> tuple[int, int]:
    if "\n" in path.name:
        raise EntrantError(
            f"{path.name!r}: the name has a line break, so it cannot be requested; rename the file"
        )
    return image_shape(path)


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)
