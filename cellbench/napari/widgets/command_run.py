"""A command that runs beside the window, with its output."""

from collections.abc import Callable, Sequence

from magicgui.widgets import Container, Label, PushButton, TextEdit
from qtpy.QtCore import QProcess, QTimer
from qtpy.QtWidgets import QApplication

from cellbench.napari.fine_tuning import run_words, shown_command
from cellbench.napari.widgets.jobs import status_label

_GRACE_MS = 5000
_COMMAND_HEIGHT, _OUTPUT_HEIGHT = 90, 120  # pixels; the output is higher where there is room


class CommandRun(Container):
    """Shows a command of cellbench, runs it in a process of its own, and shows what it prints.

    Args:
        on_end: called when the command has ended, whether or not it has succeeded.
    """

    def __init__(self, on_end: Callable[[], object]) -> None:
        self._on_end = on_end
        self._cancelled = False
        self.command = TextEdit(label="")
        self.output = TextEdit(label="")
        self.copy, self.cancel = PushButton(text="Copy the command"), PushButton(text="Cancel")
        self.status: Label = status_label()
        buttons = Container(widgets=[self.copy, self.cancel], layout="horizontal", labels=False)
        super().__init__(
            widgets=[self.status, self.command, buttons, self.output], labels=False, label=""
        )
        self.margins = (0, 0, 0, 0)
        self.command.read_only = self.output.read_only = True
        self.command.native.setFixedHeight(_COMMAND_HEIGHT)
        self.output.native.setMinimumHeight(_OUTPUT_HEIGHT)
        self.cancel.enabled = False
        self.copy.changed.connect(
            lambda: QApplication.clipboard().setText(self.command.value.strip())
        )
        self.cancel.changed.connect(self.stop)
        self.process = QProcess(self.native)
        self.process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self.process.readyRead.connect(self._read)
        self.process.finished.connect(self._finish)
        self.process.errorOccurred.connect(self._fail)
        # It may take a while to end, and the window must not wait for it.
        self._grace = QTimer(self.native)
        self._grace.setSingleShot(True)
        self._grace.timeout.connect(self.process.kill)
        # A training must not go on after its window is closed.
        self.native.destroyed.connect(self.process.kill)

    @property
    def is_running(self) -> bool:
        """Whether the command runs."""
        return bool(self.process.state() != QProcess.ProcessState.NotRunning)

    def run(self, words: Sequence[str]) -> None:
        """Run a command.

        Args:
            words: the words after ``cellbench``.
        """
        self.command.value = shown_command(words)
        self.output.value = ""
        self.status.value = "running …"
        self._cancelled = False
        self.cancel.enabled = True
        program, *arguments = run_words(words)
        self.process.start(program, arguments)

    def stop(self) -> None:
        """End the command; if it does not end within seconds, kill it."""
        if not self.is_running:
            return
        self._cancelled = True
        self.status.value = "cancelling …"
        self.process.terminate()
        self._grace.start(_GRACE_MS)

    def _read(self) -> None:
        text = bytes(self.process.readAll().data()).decode("utf-8", "replace")
        self.output.native.insertPlainText(text.replace("\r", "\n"))
        self.output.native.ensureCursorVisible()

    def _finish(self, status: int, how: object) -> None:
        self._grace.stop()
        self.cancel.enabled = False
        crashed = how == QProcess.ExitStatus.CrashExit
        if self._cancelled:
            self.status.value = "cancelled"
        elif crashed:
            self.status.value = "was stopped by the system, perhaps because the memory was full"
        elif status:
            self.status.value = f"failed with exit status {status}; the last lines say why"
        else:
            self.status.value = "done"
        self._on_end()

    def _fail(self, error: object) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.cancel.enabled = False
            self.status.value = f"cannot be started: {self.process.errorString()}"
