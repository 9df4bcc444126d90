"""Entries: what an ``entry.yaml`` says of an algorithm, whether it is run here or hands in scores."""

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cellbench.errors import EntrantError
from cellbench.files import written_whole

Model = TypeVar("Model", bound="AlgorithmEntry")  # 3.11 has no shorter way

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
ENTRY_FILE = "entry.yaml"


class AlgorithmEntry(BaseModel):
    """What a board tells of an algorithm beside its scores.

    Attributes:
        name: the algorithm's name and folder: letters, digits, ``_ . -``, 64 at most.
        title: what a table shows.
        authors: who made it.
        paper: its reference.
        code: where its code lives.
        licence: of the code.
        weights_licence: of the weights.
        trained_on: names of the datasets it has seen, shown beside its score.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=f"^{_NAME.pattern}$")]
    title: str = ""
    authors: str | list[str] = ""
    paper: str = ""
    code: str = ""
    licence: str = ""
    weights_licence: str = ""
    trained_on: list[str] = []


class Entry(AlgorithmEntry):
    """Something runnable that makes an algorithm's predictions.

    Attributes:
        command: words of the program; ``{inputs}`` and ``{outputs}`` become folders, and the working
            folder is the entry's own.
        image: a container image instead of a command.
        setup: command that makes its environment, run once.
        timeout_factor: an image may take so many times its tolerance.
        memory: limit of a container.
    """

    command: Annotated[list[str], Field(min_length=1)] | None = None
    image: str | None = None
    setup: Annotated[list[str], Field(min_length=1)] | None = None
    timeout_factor: Annotated[float, Field(gt=0)] = 60.0
    memory: str | None = None

    @model_validator(mode="after")
    def _one_way_to_run(self) -> "Entry":
        if (self.command is None) == (self.image is None):
            raise ValueError("give exactly one of `command` and `image`")
        words = " ".join(self.command or ["{inputs} {outputs}"])
        if "{inputs}" not in words or "{outputs}" not in words:
            raise ValueError("`command` must name {inputs} and {outputs}")
        return self


def read_entry(path: str | Path) -> Entry:
    """Read the ``entry.yaml`` of something runnable, or the one of a folder.

    Raises:
        EntrantError: if it is absent, no YAML, or breaks the contract; all faults at once.
    """
    file, content = _read_mapping(path, "`name` and `command`")
    return _validated(Entry, file, content)


def read_algorithm(path: str | Path) -> AlgorithmEntry:
    """Read what an ``entry.yaml`` tells of an algorithm; where it says how to run, that is checked too.

    Raises:
        EntrantError: as :func:`read_entry`.
    """
    file, content = _read_mapping(path, "`name`")
    runnable = not Entry.model_fields.keys().isdisjoint(
        content.keys() - AlgorithmEntry.model_fields
    )
    return _validated(Entry if runnable else AlgorithmEntry, file, content)


def write_algorithm(entry: AlgorithmEntry, folder: Path) -> None:
    """Write what is told of an algorithm beside its predictions, without how it was run here."""
    told = entry.model_dump(include=set(AlgorithmEntry.model_fields))
    with written_whole(folder / ENTRY_FILE) as temporary:
        text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
        temporary.write_text(text, encoding="utf-8")


def _read_mapping(path: str | Path, needed: str) -> tuple[Path, dict[str, Any]]:
    file = Path(path)
    file = file / ENTRY_FILE if file.is_dir() else file
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise EntrantError(f"{file}: cannot be read as YAML ({error})") from error
    if not isinstance(content, dict):
        raise EntrantError(f"{file}: must be a mapping with {needed}")
    return file, content


def _validated(model: type[Model], file: Path, content: dict[str, Any]) -> Model:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'entry'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise EntrantError(f"{file}: {faults}") from error
