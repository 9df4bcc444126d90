"""Lines that a stranger's program writes to a pipe: read with a time limit, and never more than a limit."""

import math
import os
import select
import time

_CHUNK = 1 << 16


class TooLongError(Exception):
    """A line is longer than the limit."""


class LineReader:
    """Reads lines from a pipe.

    Args:
        descriptor: the end of the pipe to read from; [`close`][] closes it.
        longest: largest number of bytes of a line.
        until: file descriptor of another pipe; when something arrives there, no more lines are expected.
    """

    def __init__(self, descriptor: int, longest: int, until: int | None = None) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._watched = [descriptor] if until is None else [descriptor, until]
        self._longest = longest
        self._buffer = b""

    def read(self, deadline: float) -> bytes:
        """Return the next line without its line break.

        Args:
            deadline: when to give up, as ``time.perf_counter`` counts seconds.

        Raises:
            TimeoutError: if there is no whole line at the deadline.
            EOFError: if no more lines are expected and there is no whole one.
            TooLongError: if the line is longer than the limit.
        """
        while b"\n" not in self._buffer:
            if len(self._buffer) > self._longest:
                raise TooLongError
            left = None if math.isinf(deadline) else max(0.0, deadline - time.perf_counter())
            ready, _, _ = select.select(self._watched, [], [], left)
            if not ready:
                raise TimeoutError
            if self._descriptor not in ready or not self._receive():
                raise EOFError
        line, _, self._buffer = self._buffer.partition(b"\n")
        if len(line) > self._longest:
            raise TooLongError
        return line

    def pending(self) -> bytes:
        """Return what has arrived and was not read yet, without waiting; it stays unread."""
        if not self._buffer and select.select([self._descriptor], [], [], 0)[0]:
            self._receive()
        return self._buffer

    def close(self) -> None:
        """Close this end of the pipe."""
        os.close(self._descriptor)

    def _receive(self) -> bool:
        """Read what has arrived; return whether the other end is still open."""
        text = os.read(self._descriptor, _CHUNK)
        self._buffer += text
        return bool(text)
