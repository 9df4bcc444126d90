"""How a program is started, separate from what is run: the levels of isolation."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cellbench.entrants.environment import full_environment, reduced_environment
from cellbench.entrants.process import Launch
from cellbench.entrants.workplace import Workplace
from cellbench.errors import EntrantError

_DATA = "data"


@dataclass(frozen=True)
class Task:
    """What is run.

    Attributes:
        command: the program and its arguments; ``{inputs}``, ``{outputs}`` and ``{data}`` are replaced by
            folders.
        folder: the entry's folder, in which it runs.
        env: environment variables of the entry.
        image: container image in which the command runs; None for a program of this machine.
        data: folders of the dataset that it may read, as subfolders of ``{data}``.
        memory: memory limit of a container, in bytes; None for no limit.
        installs: whether it may write to the entry's folder and use the network, as ``setup`` may.
    """

    command: Sequence[str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    data: Sequence[Path] = ()
    memory: int | None = None
    installs: bool = False

    def words(self, places: Mapping[str, str]) -> list[str]:
        """Return the command with the placeholders replaced; other braces stay.

        Args:
            places: path by the name of the placeholder.
        """
        words = list(self.command)
        for name, path in places.items():
            words = [word.replace(f"{{{name}}}", path) for word in words]
        return words


class Sandbox(ABC):
    """One way to start programs.

    Attributes:
        name: the name in ``--isolation`` and ``resources.csv``.
        caveat: what it cannot prevent, as one sentence; empty if nothing that matters.
    """

    name: str
    caveat: str = ""

    def prepare(self, image: str, folder: Path) -> str:  # noqa: ARG002  (containers need it)
        """Make the image of an entry ready, before anything is timed.

        Args:
            image: the entry's ``image``.
            folder: the folder of its ``entry.yaml``.

        Returns:
            What identifies the image.

        Raises:
            EntrantError: if there is no such image, or this sandbox runs none.
        """
        raise EntrantError(f"{image}: an `image` needs --isolation auto or container")

    def places(self, workplace: Workplace) -> dict[str, str]:
        """Return the paths by which a program sees its folders.

        Args:
            workplace: the folders.

        Returns:
            Paths by the placeholders in commands: ``inputs``, ``outputs`` and ``data``.
        """
        return {
            "inputs": str(workplace.inputs),
            "outputs": str(workplace.outputs),
            "data": str(workplace.scratch / _DATA),
        }

    @abstractmethod
    def launch(self, task: Task, workplace: Workplace) -> Launch:
        """Return how to start a program in its folders.

        Args:
            task: what is run.
            workplace: its folders.
        """

    def explain(self, message: str) -> str:
        """Return the last line of a program's output, in our words if it is the sandbox's own.

        Args:
            message: the line.
        """
        return message

    def clean_up(self, workplace: Workplace) -> None:  # noqa: B027  (most have nothing to do)
        """End what [`launch`][] may have left running outside the tree of processes.

        Args:
            workplace: the folders that the program was started with.
        """


class _LocalSandbox(Sandbox):
    """Starts programs that see this machine's file system."""

    def launch(self, task: Task, workplace: Workplace) -> Launch:
        """Return how to start a program in its folders.

        Args:
            task: what is run.
            workplace: its folders.
        """
        _link_data(task, workplace)
        words = task.words(self.places(workplace))
        return Launch(words, task.folder, self._environment(task, workplace), workplace.writable)

    @abstractmethod
    def _environment(self, task: Task, workplace: Workplace) -> dict[str, str]:
        """Return the environment variables of a program."""


class NoSandbox(_LocalSandbox):
    """Starts programs with all of this process's environment: only for programs that you trust."""

    name = "none"
    caveat = (
        "programs see all files and environment variables of this user, and the network; "
        "use it only for programs that you trust"
    )

    def _environment(self, task: Task, workplace: Workplace) -> dict[str, str]:  # noqa: ARG002
        return full_environment(task.env)


class ProcessSandbox(_LocalSandbox):
    """Starts programs with a short environment and a private home; their processes end with them."""

    name = "process"
    caveat = (
        "programs are limited and ended with everything that they start, but can read and change all "
        "files of this user, the truth among them, and use the network"
    )

    def _environment(self, task: Task, workplace: Workplace) -> dict[str, str]:
        home, scratch = str(workplace.home), str(workplace.scratch)
        return reduced_environment(home, scratch, task.env, network=task.installs)


def _link_data(task: Task, workplace: Workplace) -> None:
    """Show the folders of the dataset to a program that sees this machine's file system."""
    data = workplace.scratch / _DATA
    if task.data:
        data.mkdir(exist_ok=True)
        for folder in task.data:
            (data / folder.name).symlink_to(folder)
