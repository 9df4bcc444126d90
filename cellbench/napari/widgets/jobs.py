"""Work in a thread beside the window, and messages about it."""

from collections.abc import Callable
from typing import Any

from magicgui.widgets import Label
from napari.qt.threading import create_worker
from napari.utils.notifications import show_error

from cellbench.errors import CellbenchError
from cellbench.extras import missing_train_packages


def start_job(
    work: Callable[[], Any],
    on_done: Callable[[Any], object],
    on_failed: Callable[[Exception], object],
) -> Any:  # noqa: ANN401  (napari has no public name for the type)
    """Run a function in a thread.

    Args:
        work: the function.
        on_done: called with its result, in the thread of the window.
        on_failed: called with the error that it raised, in the thread of the window.

    Returns:
        napari's worker; ``quit`` asks it to stop, and then ``abort_requested`` is True.
    """
    worker = create_worker(work, _start_thread=False, _ignore_errors=True)
    worker.returned.connect(on_done)
    worker.errored.connect(on_failed)
    worker.start()
    return worker


def status_label() -> Label:
    """Return an empty label for messages of several lines."""
    label = Label(value="")
    label.native.setWordWrap(True)
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
