"""Choosing a trained model: one that is known, or a checkpoint file."""

from pathlib import Path

from magicgui.widgets import ComboBox, Container, PushButton
from qtpy.QtWidgets import QFileDialog

from cellbench.napari.checkpoints import known_checkpoints


class ModelPicker(Container):
    """A list of models, and a button to add a checkpoint file to it."""

    def __init__(self) -> None:
        self._models: dict[str, Path] = {}
        self.choice = ComboBox(choices=lambda _box: list(self._models), nullable=False)
        self.choice.tooltip = "a model of a training in the folder runs, or a file that you opened"
        self.open = PushButton(text="Open file …")
        super().__init__(
            widgets=[self.choice, self.open], layout="horizontal", labels=False, label="model"
        )
        self.margins = (0, 0, 0, 0)
        self.open.changed.connect(self._ask)
        self.refresh()

    @property
    def checkpoint(self) -> Path | None:
        """The file of the chosen model; None if there is none."""
        return self._models.get(self.choice.value or "")

    def refresh(self) -> None:
        """Look again for trained models; the choice is kept."""
        self._models = known_checkpoints() | self._models
        self.choice.reset_choices()

    def add(self, path: Path) -> None:
        """Add a checkpoint file to the list, and choose it.

        Args:
            path: the file.
        """
        named = next((name for name, known in self._models.items() if known == path), str(path))
        self._models[named] = path
        self.choice.reset_choices()
        self.choice.value = named

    def _ask(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self.native, "Open a trained model", "", "Checkpoints (*.ckpt);;All files (*)"
        )
        if name:
            self.add(Path(name))
