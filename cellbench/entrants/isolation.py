"""Choose how programs of entrants are isolated on this machine."""

from collections.abc import Sequence
from pathlib import Path

from cellbench.entrants.bubblewrap import BubblewrapSandbox, why_not_bubblewrap
from cellbench.entrants.containers import ContainerSandbox, find_engine
from cellbench.entrants.sandbox import NoSandbox, ProcessSandbox, Sandbox
from cellbench.errors import EntrantError


def choose_sandbox(
    isolation: str, hidden: Sequence[Path] = (), visible: Sequence[Path] = ()
) -> tuple[Sandbox, str]:
    """Return the way to start programs, and a warning about what it cannot prevent.

    Args:
        isolation: ``none``, ``process``, ``bubblewrap``, or ``auto``, which is bubblewrap where it works,
            otherwise ``process``.
        hidden: folders that programs must not see: the dataset and the results.
        visible: further folders that they may read, under bubblewrap.

    Returns:
        The sandbox, and one line that is empty if there is nothing to warn of.

    Raises:
        EntrantError: if the isolation is not possible here.
    """
    reason = ""
    if isolation in ("auto", "bubblewrap"):
        reason = why_not_bubblewrap()
        if not reason:
            return BubblewrapSandbox(hidden, visible), ""
    if isolation == "bubblewrap":
        raise EntrantError(
            f"--isolation bubblewrap: {reason}; install the package bubblewrap, or choose another isolation"
        )
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
