"""Every image in a process of its own, as the challenge ran submissions."""

from pathlib import Path

from cellbench.data.folder import DatasetImage
from cellbench.entrants.collect import Taken, take_label_map
from cellbench.entrants.job import Job, Outcome, fault
from cellbench.entrants.process import Finished
from cellbench.entrants.supervised import run_program
from cellbench.entrants.workplace import restore
from cellbench.evaluation.statuses import Status
from cellbench.images import image_shape


class ColdRuns:
    """Starts the entry's ``command`` or ``image`` for each image, timed from its start to its end.

    Args:
        job: the entrant.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def run(self, image: DatasetImage, target: Path) -> Outcome:
        """Segment an image, and take its label map; whatever goes wrong is the image's result.

        Args:
            image: the image.
            target: where its label map is written.
        """
        try:
            return Outcome(*self._run(image, target))
        except Exception as error:
            # A stranger's program can cause errors of any type; none of them may end the other runs.
            return fault(error)

    def close(self) -> None:
        """Do nothing: every program has ended."""

    def _run(self, image: DatasetImage, target: Path) -> tuple[Finished, Taken]:
        job, sandbox = self._job, self._job.sandbox
        shape = image_shape(image.image)
        task = job.task(job.entry.command or [])
        with job.scratch.workplace() as workplace:
            workplace.place(image.image)
            try:
                ended = run_program(sandbox.launch(task, workplace), job.limits(shape))
            finally:
                sandbox.clean_up(workplace)
            restore(job.out, job.protected)
            if ended.timed_out:
                return ended, Taken(Status.TIMEOUT)
            if ended.exit_code or ended.stopped:
                return ended, Taken(Status.FAILED, sandbox.explain(ended.message))
            return ended, take_label_map(workplace, image.stem, shape, target)
