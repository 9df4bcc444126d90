"""``entry.yaml``: the description of an algorithm that is run here or whose scores are submitted."""

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from cellbench.entrants.limits import parse_memory
from cellbench.entrants.yaml_files import read_small_yaml
from cellbench.errors import EntrantError
from cellbench.files import written_whole
from cellbench.resources import list_baselines

Model = TypeVar("Model", bound="AlgorithmEntry")  # Python 3.11 has no type parameters

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_FAULTS = {
    "extra_forbidden": "unknown key",
    "string_pattern_mismatch": "must be 1 to 64 letters, digits, `_`, `.` or `-`, "
    "and begin with a letter or digit",
}
"""What to say instead of pydantic's messages, by pydantic's type of error."""

ENTRY_FILE = "entry.yaml"
Text = Annotated[str, StringConstraints(strip_whitespace=True)]
NonEmptyText = Annotated[Text, Field(min_length=1)]


class AlgorithmEntry(BaseModel):
    """What a board shows about an algorithm beside its scores.

    On the page, web addresses, DOIs and arXiv numbers in these texts are links, and so are identifiers
    of common licences.

    Attributes:
        name: name of the algorithm and of its folder: at most 64 letters, digits and ``_ . -``.
        title: a longer name for people to read.
        authors: the authors of the algorithm.
        paper: reference or address of the publication.
        code: address of the source code.
        licence: licence of the source code.
        weights_licence: licence of the trained weights.
        trained_on: names of the datasets that it was trained on, shown beside its score.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=f"^{_NAME.pattern}$")]
    title: Text = ""
    authors: Text | list[NonEmptyText] = ""
    paper: Text = ""
    code: Text = ""
    licence: Text = ""
    weights_licence: Text = ""
    trained_on: list[NonEmptyText] = []


class Entry(AlgorithmEntry):
    """An algorithm that can be run here to make predictions.

    Attributes:
        command: the program and its arguments. ``{inputs}`` and ``{outputs}`` are replaced by folders, and
            ``{data}`` by a folder with those splits of the dataset that are not segmented or for tests; the
            program runs in the folder of its ``entry.yaml``.
        image: name of a container image, instead of a command.
        serve: command that segments one image after the other without starting again, beside ``command``:
            it reads the path of an image per line and answers each (the protocol ``cellbench-serve 1``,
            see [`cellbench.inference.serve`][]). It must contain ``{outputs}``, and may contain
            ``{inputs}`` and ``{data}``.
        setup: command that installs what the program needs in the entry's folder; it is run once for each
            version.
        env: environment variables of the program and of ``setup``.
        sources: patterns of files in the entry's folder, such as ``*.py`` or ``weights/**``; results of an
            earlier run are kept only while these files do not change.
        timeout_factor: the program is stopped when an image takes this many times the challenge's
            tolerance.
        ready_model: name of the ready model of cellbench that it segments with. It is not run where this
            model is not installed, and results of an earlier run are kept only while the model's file
            does not change.
        memory: memory limit of the program and all that it starts, such as ``8g``; by default, and at
            most, 90 % of the machine's memory.
    """

    command: Annotated[list[str], Field(min_length=1)] | None = None
    image: str | None = None
    serve: Annotated[list[str], Field(min_length=1)] | None = None
    setup: Annotated[list[str], Field(min_length=1)] | None = None
    env: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = {}
    sources: list[str] | None = None
    ready_model: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")] | None = None
    timeout_factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    memory: str | None = None

    @field_validator("memory")
    @classmethod
    def _memory_is_a_size(cls, memory: str | None) -> str | None:
        if memory is not None:
            parse_memory(memory)
        return memory

    @model_validator(mode="after")
    def _one_way_to_run(self) -> "Entry":
        if (self.command is None) == (self.image is None):
            raise ValueError("needs either `command` or `image`, and not both")
        words = " ".join(self.command or ["{inputs} {outputs}"])
        if "{inputs}" not in words or "{outputs}" not in words:
            raise ValueError("`command` must contain {inputs} and {outputs}")
        if self.serve is not None and "{outputs}" not in " ".join(self.serve):
            raise ValueError("`serve` must contain {outputs}")
        if self.image is not None and self.serve is not None:
            raise ValueError("`serve` needs a `command`; an `image` is started for each image")
        if self.image is not None and self.setup is not None:
            raise ValueError("an `image` needs no `setup`; install everything in the image")
        return self


def read_entry(path: str | Path) -> Entry:
    """Read the ``entry.yaml`` of an algorithm that can be run here.

    Args:
        path: the file, or the folder that contains it.

    Returns:
        The checked entry.

    Raises:
        EntrantError: if the file is missing, is not YAML, or has wrong keys or values; the message lists
            every fault.
    """
    if not Path(path).exists():
        raise EntrantError(
            f"{path}: not found; name an entry.yaml, its folder, or one of the baselines that come with "
            f"cellbench: {', '.join(list_baselines())}"
        )
    file, content = _read_mapping(path, "`name` and `command`")
    return _validated(Entry, file, content)


def read_algorithm(path: str | Path) -> AlgorithmEntry:
    """Read the description of an algorithm from an ``entry.yaml``, which need not say how to run it.

    Args:
        path: the file, or the folder that contains it.

    Returns:
        The checked description; an [`Entry`][] if the file says how to run the algorithm.

    Raises:
        EntrantError: as for [`read_entry`][].
    """
    file, content = _read_mapping(path, "`name`")
    runnable = not Entry.model_fields.keys().isdisjoint(
        content.keys() - AlgorithmEntry.model_fields
    )
    return _validated(Entry if runnable else AlgorithmEntry, file, content)


def write_algorithm(entry: AlgorithmEntry, folder: Path) -> None:
    """Write the description of an algorithm beside its predictions, without how it was run here.

    Args:
        entry: the description.
        folder: where to write ``entry.yaml``.
    """
    description = entry.model_dump(include=set(AlgorithmEntry.model_fields))
    with written_whole(folder / ENTRY_FILE) as temporary:
        text = yaml.safe_dump(description, sort_keys=False, allow_unicode=True)
        temporary.write_text(text, encoding="utf-8")


def _read_mapping(path: str | Path, needed: str) -> tuple[Path, dict[str, Any]]:
    file = Path(path)
    file = file / ENTRY_FILE if file.is_dir() else file
    try:
        content = read_small_yaml(file)
    except Exception as error:  # PyYAML raises errors of many types for odd tags
        reason = " ".join(str(error).split())
        raise EntrantError(f"{file}: cannot be read as YAML ({reason})") from error
    if not isinstance(content, dict):
        raise EntrantError(f"{file}: must be a mapping with {needed}")
    return file, content


def _validated(model: type[Model], file: Path, content: dict[str, Any]) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = []
        for fault in error.errors():
            message = _FAULTS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
            place = ".".join(map(str, fault["loc"]))
            faults.append(f"{place}: {message}" if place else message)
        raise EntrantError(f"{file}: {'; '.join(faults)}") from error
