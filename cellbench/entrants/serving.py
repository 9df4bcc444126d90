"""A program that serves: started once, it segments one image after the other (``cellbench-serve 1``).

[`cellbench.inference.serve`][] describes the protocol. Nothing that the program writes is trusted: an
answer is one short line, within a time limit, and only after a request.
"""

import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from cellbench.entrants.limits import Limits
from cellbench.entrants.lines import LineReader, TooLongError
from cellbench.entrants.process import Finished, Launch, last_line
from cellbench.entrants.supervised import Supervised

GREETING = b"cellbench-serve 1"
_LONGEST_ANSWER = 1 << 16
_SHOWN = 60  # letters of a wrong answer in a message
_BY_US = ("", "run")  # a program that ended by itself, or because we ended it
_TO_END = 2.0  # seconds in which a program that closed its output may end by itself


@dataclass(frozen=True)
class Answer:
    """The answer to a request.

    Attributes:
        path: path of the label map, as the program names it; empty if it failed.
        reason: why it failed, in the program's words.
        ended: the time of the image, and what the program used for it.
    """

    path: PurePosixPath | None
    reason: str
    ended: Finished


class ServerError(Exception):
    """The program broke the protocol, ended, or was stopped at a limit; it does not run any more.

    Args:
        ended: how it ended and what it used.
        reason: why, if the end of the program itself does not say it.
    """

    def __init__(self, ended: Finished, reason: str = "") -> None:
        super().__init__(reason or ended.message or "ended without an answer")
        self.ended = ended


class Server:
    """A running program that serves. It is started at once, and runs until [`close`][].

    Args:
        launch: how to start it.
        limits: what it may use; the time limit is that of each answer instead.

    Attributes:
        start_s: seconds from its start to its first answer; infinite before that.
    """

    def __init__(self, launch: Launch, limits: Limits) -> None:
        their_input, self._requests = os.pipe()
        answers, their_output = os.pipe()
        streams = (their_input, their_output)
        self._program = Supervised(launch, replace(limits, seconds=None), streams)
        self._answers = LineReader(answers, _LONGEST_ANSWER, until=self._program.reports)
        self._cpu = 0.0
        self.start_s = math.inf
        self._begun = time.perf_counter()
        with suppress(EOFError):
            self._begun = self._program.started()

    def greet(self, seconds: float) -> None:
        """Wait until the program is ready.

        Args:
            seconds: time limit, from the start of the program.

        Raises:
            ServerError: if it does not greet.
        """
        line = self._read(self._begun, seconds)
        if line != GREETING:
            raise self._broken(
                self._begun, f"`serve` began with {_shown(line)} instead of {GREETING.decode()}"
            )

    def request(
        self, path: str, seconds: float, observe: Callable[[], object] | None = None
    ) -> Answer:
        """Have an image segmented.

        Args:
            path: path of the image, as the program sees it.
            seconds: time limit.
            observe: function that is called as soon as the answer is there.

        Returns:
            The answer; its time is that from the request to the answer, or for the first one from the
            start, without the time for which the program waited because others used the processors.

        Raises:
            ServerError: if there is no answer, or something else.
        """
        if unasked := self._answers.pending():
            raise self._broken(
                time.perf_counter(), f"wrote {_shown(unasked)} to its output without a request"
            )
        begun = time.perf_counter()
        with suppress(BrokenPipeError):
            os.write(self._requests, os.fsencode(path) + b"\n")
        line = self._read(begun, seconds)
        answered = time.perf_counter()
        if observe is not None:
            observe()
        if self._answers.pending():
            raise self._broken(begun, "wrote more than one line as its answer")
        word, _, rest = line.partition(b" ")
        if word not in (b"done", b"failed") or (word == b"done" and not rest):
            raise self._broken(
                begun, f"answered {_shown(line)} instead of `done PATH` or `failed REASON`"
            )
        first = math.isinf(self.start_s)
        ended = self._used(answered - (self._begun if first else begun))
        if first:
            self.start_s = ended.wall_s
        if word == b"done":
            return Answer(PurePosixPath(os.fsdecode(rest)), "", ended)
        return Answer(None, last_line(rest.decode("utf-8", "replace")) or "no reason given", ended)

    def close(self) -> Finished:
        """End the program, by closing its input if possible; to be called once.

        Returns:
            How it ended and what it used.
        """
        os.close(self._requests)
        self._answers.close()
        with self._program:
            return self._program.wait(_TO_END)

    def _used(self, wall: float) -> Finished:
        """Return what an image took: the differences to the one before it.

        Raises:
            ServerError: if this is not known, or the program was stopped at a limit.
        """
        used = self._program.used()
        if used is None:
            ended = self._for_image(self._program.end(), wall)
            if self._program.lost or ended.stopped not in _BY_US:
                raise ServerError(ended)
            return ended
        waited, ran = used.pop("waited_s"), used.pop("ran_s")
        now = Finished(wall, exit_code=None, stopped="", output="", **used)
        ended = self._for_image(now, wall)
        self._cpu = now.cpu_s
        return replace(ended, wall_s=without_waiting(wall, waited, ran, ended.cpu_s))

    def _for_image(self, total: Finished, wall: float) -> Finished:
        return replace(total, wall_s=wall, cpu_s=max(0.0, total.cpu_s - self._cpu))

    def _read(self, begun: float, seconds: float) -> bytes:
        try:
            return self._answers.read(begun + seconds)
        except TimeoutError:
            raise self._broken(begun, "took longer than its time limit", "timeout") from None
        except TooLongError:
            raise self._broken(
                begun, f"wrote a line of more than {_LONGEST_ANSWER} bytes"
            ) from None
        except EOFError:
            wall = time.perf_counter() - begun
            ended = self._program.wait(_TO_END)
            reason = "closed its output" if ended.stopped == "run" else ""
            raise ServerError(self._for_image(ended, wall), reason) from None

    def _broken(self, begun: float, reason: str, stopped: str = "") -> ServerError:
        """End the program because of what it did."""
        wall = time.perf_counter() - begun
        ended = self._for_image(self._program.end(), wall)
        # The limit at which the supervisor stopped it explains more than what we saw of it.
        if ended.stopped not in _BY_US:
            return ServerError(ended)
        return ServerError(replace(ended, stopped=stopped), reason)


def without_waiting(wall: float, waited: float, ran: float, processor: float) -> float:
    """Return how long something would have taken if other programs had not used the processors.

    A program's own threads may also wait for each other. While they do, they use all processors, so the
    answer is not less than the processor time divided by the number of processors; nor is it less than the
    time for which one thread ran.

    Args:
        wall: seconds that it took.
        waited: seconds for which its busiest thread waited for a processor.
        ran: seconds for which this thread ran.
        processor: processor time in seconds, with everything that the program started.

    Returns:
        Seconds, at most ``wall``.

    Examples:
        >>> without_waiting(6.0, waited=4.0, ran=1.5, processor=2.0)
        2.0
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return min(wall, max(wall - waited, ran, processor / processors))


def _shown(line: bytes) -> str:
    """Return the beginning of what a program wrote, for a message."""
    text = line[:_SHOWN].decode("utf-8", "replace").splitlines()
    return repr(text[0] if text else "")
