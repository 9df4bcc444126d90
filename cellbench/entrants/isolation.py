"""Choose how programs of entrants are isolated on this machine."""

from collections.abc import Sequence
from pathlib import Path

from cellbench.entrants.bubblewrap import BubblewrapSandbox, require_bubblewrap, why_not_bubblewrap
from cellbench.entrants.containers import ContainerSandbox, find_engine
from cellbench.entrants.sandbox import NoSandbox, ProcessSandbox, Sandbox

ISOLATIONS = ("auto", "none", "process", "bubblewrap")
"""How entries with a ``command`` can be isolated; those with an ``image`` run in containers."""


def choose_sandbox(
    isolation: str, hidden: Sequence[Path] = (), visible: Sequence[Path] = ()
) -> tuple[Sandbox, str]:
    """Return the way to start programs, and a warning about what it cannot prevent.

    Args:
        isolation: one of :data:`ISOLATIONS`; ``auto`` is bubblewrap where it works, otherwise ``process``.
        hidden: folders that programs must not see: the dataset and the results.
        visible: further folders that they may read, under bubblewrap.

    Returns:
        The sandbox, and one line that is empty if there is nothing to warn of.

    Raises:
        EntrantError: if the isolation is not possible here.
    """
    if isolation == "bubblewrap":
        require_bubblewrap()
    reason = why_not_bubblewrap() if isolation == "auto" else ""
    if isolation == "bubblewrap" or (isolation == "auto" and not reason):
        return BubblewrapSandbox(hidden, visible), ""
    sandbox = NoSandbox() if isolation == "none" else ProcessSandbox()
    because = f"{reason}; " if reason else ""
    return sandbox, f"isolation {sandbox.name}: {because}{sandbox.caveat}"


def container_sandbox() -> Sandbox:
    """Return the way to start entries with an ``image``.

    Raises:
        EntrantError: if this machine has no container engine.
    """
    return ContainerSandbox(find_engine())


def hidden_folders(root: Path) -> list[Path]:
    """List the folders that hold a dataset, wherever the links in it lead.

    Args:
        root: the dataset folder.
    """
    inside = [root, *root.glob("*/"), *root.glob("*/*/")]
    return sorted({path.resolve() for path in inside})
