"""What a published model is: its name, licence, authors, and the data that it was trained on."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cellbench.entrants.entries import NonEmptyText, Text
from cellbench.entrants.yaml_files import read_small_yaml
from cellbench.errors import CellbenchError

ABOUT_KEY = "cellbench_about"
"""Where a weights file keeps what its model is."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TrainingData(_Strict):
    """A dataset that a model was trained on.

    Attributes:
        name: name of the dataset.
        licence: its licence, as an SPDX identifier such as CC0-1.0.
        url: where it is described.
    """

    name: NonEmptyText
    licence: NonEmptyText
    url: NonEmptyText


class Citation(_Strict):
    """A publication that users of a model should cite.

    Attributes:
        text: the reference.
        doi: its digital object identifier, such as 10.1038/s41592-019-0612-7.
    """

    text: NonEmptyText
    doi: NonEmptyText


class ModelAbout(_Strict):
    """What a published model is: the keys of the file ``--about`` of `cellbench export`.

    Attributes:
        name: a short name, for `cellbench segment --model`.
        version: its version, such as 1.0.0.
        title: a longer name for people to read.
        description: what the model is for, in one or two sentences.
        authors: who trained it.
        licence: licence of the weights, as an SPDX identifier.
        initial_weights: the weights that training started from and their licence; empty for random weights.
        base_model: identifier of the initial weights on the Hugging Face hub; empty for none.
        trained_on: the training data.
        cite: publications.
        limitations: what the model is known to fail on, one sentence each.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")]
    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    title: NonEmptyText
    description: NonEmptyText
    authors: Annotated[list[NonEmptyText], Field(min_length=1)]
    licence: NonEmptyText
    initial_weights: Text = ""
    base_model: Text = ""
    trained_on: Annotated[list[TrainingData], Field(min_length=1)]
    cite: list[Citation] = []
    limitations: list[NonEmptyText] = []

    def datasets(self) -> str:
        """Return the names and licences of the training data as one line."""
        return "; ".join(f"{each.name} ({each.licence})" for each in self.trained_on)


def read_about_file(path: str | Path) -> ModelAbout:
    """Read a YAML file that says what a model is.

    Args:
        path: the file, with the keys of [`ModelAbout`][].

    Raises:
        CellbenchError: if it cannot be read, or has wrong keys or values; the message lists every fault.
    """
    try:
        content = read_small_yaml(Path(path))
    except Exception as error:  # PyYAML raises errors of many types
        reason = " ".join(str(error).split())
        raise CellbenchError(
            f"{path}: cannot be read as YAML ({reason}); correct the file"
        ) from error
    return checked_about(content, path)


def checked_about(
    content: Any,  # noqa: ANN401  (JSON or YAML)
    path: str | Path,
    error: type[CellbenchError] = CellbenchError,
) -> ModelAbout:
    """Check what a file says about a model.

    Args:
        content: a mapping with the keys of [`ModelAbout`][].
        path: the file, for the error message.
        error: type of the error that is raised.

    Raises:
        CellbenchError: of the type ``error``, if keys or values are wrong; the message lists every fault.
    """
    try:
        return ModelAbout.model_validate(content)
    except ValidationError as fault:
        faults = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in fault.errors()
        )
        raise error(f"{path}: {faults}; correct the file") from fault
