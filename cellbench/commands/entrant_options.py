"""The options of the verbs that run entrants: which ones, and what their programs are kept from."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellbench.entrants.entries import Entry
    from cellbench.entrants.sandbox import Sandbox


def add_entrants(parser: argparse.ArgumentParser) -> None:
    """Declare the entrants and their isolation.

    Args:
        parser: the parser of a verb.
    """
    parser.add_argument(
        "entrants",
        type=Path,
        nargs="+",
        metavar="ENTRANT",
        help="an entry.yaml, the folder that contains it (for example runs/sample/unet), or the name of a "
        "baseline that comes with cellbench (otsu_watershed)",
    )
    parser.add_argument(
        "--isolation",
        choices=("auto", "none", "process", "bubblewrap", "container"),
        default="auto",
        help="what programs are kept from: bubblewrap shows them only the system, their own folder, copies "
        "of their inputs and their outputs; process ends everything that they start, but they can read "
        "this user's files; none is for programs that you trust; container is for entries with an "
        "`image` (default: auto, which is bubblewrap where it works, otherwise process; entries with an "
        "`image` always run in containers)",
    )
    parser.add_argument(
        "--visible",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="further folder that programs may read under bubblewrap, for example a conda environment; "
        "may be repeated (default: none)",
    )


def read_entrants(paths: Sequence[Path]) -> list[tuple["Entry", Path]]:
    """Read the entries of entrants.

    Args:
        paths: what the user named: an entry.yaml, its folder, or a baseline.

    Returns:
        Each entry with its folder. Those whose ready model is not installed are left out, with one line on
        standard error.

    Raises:
        EntrantError: if an entry cannot be read, two have the same name, or none is left.
    """
    from collections import Counter

    from cellbench.entrants.entries import read_entry
    from cellbench.errors import EntrantError
    from cellbench.resources import find_entrant

    found = [find_entrant(path) for path in paths]
    entries = [(read_entry(path), path if path.is_dir() else path.parent) for path in found]
    counts = Counter(entry.name for entry, _ in entries)
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise EntrantError(
            f"{repeated[0]}: {counts[repeated[0]]} entrants have this name; "
            "change `name` in the entry.yaml of all but one"
        )
    return _with_their_models(entries)


def _with_their_models(entries: list[tuple["Entry", Path]]) -> list[tuple["Entry", Path]]:
    """Leave out the entries whose ready model is not installed."""
    from cellbench.errors import EntrantError
    from cellbench.resources import INSTALL_WEIGHTS, ready_weights

    left_out = [
        f"{entry.name}: the ready model {entry.ready_model} is not installed; {INSTALL_WEIGHTS}"
        for entry, _ in entries
        if entry.ready_model and ready_weights(entry.ready_model) is None
    ]
    if len(left_out) == len(entries):
        raise EntrantError("; ".join(left_out))
    for line in left_out:
        print(f"not run: {line}", file=sys.stderr)
    return [
        (entry, folder)
        for entry, folder in entries
        if not entry.ready_model or ready_weights(entry.ready_model) is not None
    ]


def choose_sandboxes(entries: Sequence["Entry"], arguments: argparse.Namespace) -> list["Sandbox"]:
    """Choose how each entry is started, and print what that cannot prevent.

    Args:
        entries: the entries.
        arguments: the command line, with --data and --out.

    Returns:
        One for each entry.

    Raises:
        CellbenchError: if the isolation is not possible here.
    """
    from cellbench.entrants.isolation import choose_sandbox, container_sandbox, hidden_folders
    from cellbench.errors import UsageError

    isolation = arguments.isolation
    programs = [entry.name for entry in entries if entry.image is None]
    if isolation == "container" and programs:
        raise UsageError(
            f"--isolation container: {programs[0]} has a `command` and no `image`; use --isolation auto"
        )
    containers = container_sandbox() if len(programs) < len(entries) else None
    local = None
    if programs:
        hidden = [*hidden_folders(arguments.data), arguments.out]
        local, warning = choose_sandbox(isolation, hidden, arguments.visible)
        if warning:
            print(warning, file=sys.stderr)
    chosen = (local if entry.image is None else containers for entry in entries)
    return [sandbox for sandbox in chosen if sandbox is not None]
