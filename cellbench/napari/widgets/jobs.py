"""Work in a thread beside the window, and messages about it."""

import re
from collections.abc import Callable
from threading import Event
from typing import Any

from magicgui.widgets import Label
from magicgui.widgets.bases import Widget
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QSizePolicy

from cellbench.errors import CellbenchError
from cellbench.extras import missing_train_packages

_BREAK = "\N{ZERO WIDTH SPACE}"
_BREAKABLE = re.compile(r"(?<!<)[/\\_-](?=\w)")  # not in a tag of rich text, such as </span>


class _Job:
    """A function that keeps its result or its error.

    napari loses the result of a thread that it is asked to stop, and napari 0.9 fails to report an error.
    """

    def __init__(self, title: str, work: Callable[[Callable[[], bool]], Any]) -> None:
        self._title, self._work = title, work
        self.stopped = Event()
        self.result: Any = None
        self.error: Exception | None = None

    def __call__(self) -> None:
        try:
            self.result = self._work(self.stopped.is_set)
        except Exception as error:  # whatever it is, the widget says it
            self.error = error

    def __str__(self) -> str:  # napari shows it in its list of tasks
        return self._title


def start_job(
    owner: Widget,
    title: str,
    work: Callable[[Callable[[], bool]], Any],
    on_done: Callable[[Any], object],
    on_failed: Callable[[Exception], object],
) -> Callable[[], None]:
    """Run a function in a thread. When the window is closed, it is asked to stop, and nothing is called.

    Args:
        owner: the widget.
        title: what the function does, such as ``segmentation``.
        work: the function; its argument is a function that returns whether it is asked to stop.
        on_done: called with its result, in the thread of the window.
        on_failed: called with the error that it raised, in the thread of the window.

    Returns:
        A function that asks it to stop.
    """
    job, closed = _Job(title, work), Event()

    def end() -> None:
        if closed.is_set():
            return
        if job.error is None:
            on_done(job.result)
        else:
            on_failed(job.error)

    def close() -> None:
        closed.set()
        job.stopped.set()

    worker = create_worker(job, _start_thread=False, _ignore_errors=True)
    worker.finished.connect(end)
    owner.native.destroyed.connect(close)
    worker.start()
    return job.stopped.set


class StatusLabel(Label):
    """A label for messages of several lines, which breaks long names and paths where it has to."""

    def set_value(self, value: str) -> None:
        """Show a message, with places for line breaks that are not seen.

        Args:
            value: the message.
        """
        super().set_value(_BREAKABLE.sub(rf"\g<0>{_BREAK}", value))

    def get_value(self) -> str:
        """Return the message that is shown."""
        return str(super().get_value()).replace(_BREAK, "")


def status_label() -> Label:
    """Return an empty label for messages of several lines, as wide as its widget."""
    label = StatusLabel(value="")
    label.native.setWordWrap(True)
    label.native.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label


def report_error(error: Exception, status: Label) -> None:
    """Show what went wrong in a widget, and as a notification of napari.

    Args:
        error: an error that the user can correct; any other is raised again, and napari shows it with
            its traceback.
        status: the label for messages.

    Raises:
        Exception: the error, if it is no error that the user can correct.
    """
    message = " ".join(str(error).split())
    if isinstance(error, ModuleNotFoundError):
        message = missing_train_packages(error)
    elif isinstance(error, MemoryError):
        message = "out of memory; close other programs, or cut the image"
    elif not isinstance(error, CellbenchError | OSError):
        message = ""
    status.value = message or f"{type(error).__name__}: {error}"
    if not message:
        raise error
    show_error(message)
