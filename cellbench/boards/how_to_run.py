"""How algorithms are run, from the entry.yaml of each."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cellbench.entrants.entries import AlgorithmEntry, Entry, read_algorithm
from cellbench.errors import EntrantError
from cellbench.resources import list_baselines, resource_folder


@dataclass(frozen=True)
class HowToRun:
    """What the entry.yaml of an algorithm states, also about how to run it.

    Attributes:
        entry: the entry.
        run: the command of cellbench that runs and times it; empty if the entry does not say how.
        setup: what its ``setup`` installs with; may be empty.
        command: the program that is started for the images; empty if it is a container image.
        image: the name of the container image; empty if it is a program.
        shipped: whether it is a baseline that comes with cellbench.
    """

    entry: AlgorithmEntry
    run: str = ""
    setup: str = ""
    command: str = ""
    image: str = ""
    shipped: bool = False


def read_how_to_run(paths: Sequence[str | Path]) -> dict[str, HowToRun]:
    """Read how algorithms are run; the baselines that come with cellbench are always known.

    Args:
        paths: ``entry.yaml`` files or their folders. They have priority over baselines of the same name.

    Returns:
        By name of the algorithm.

    Raises:
        EntrantError: if an entry cannot be read, or two have the same name.
    """
    found: dict[str, HowToRun] = {}
    for path in map(Path, paths):
        entry = read_algorithm(path)
        if entry.name in found:
            raise EntrantError(
                f"{path}: another entry has the name {entry.name!r} too; give one of them"
            )
        folder = path if path.is_dir() else path.parent
        found[entry.name] = _describe(entry, folder.resolve().name)
    baselines = {name: resource_folder("baselines") / name for name in list_baselines()}
    known = {
        name: replace(_describe(read_algorithm(path), name), shipped=True)
        for name, path in baselines.items()
    }
    return known | found


def _describe(entry: AlgorithmEntry, folder: str) -> HowToRun:
    if not isinstance(entry, Entry):
        return HowToRun(entry)
    return HowToRun(
        entry,
        f"cellbench run {shlex.quote(folder)} --data DATASET --out predictions",
        shlex.join(entry.setup or []),
        " ".join(map(_word, entry.command or [])),
        entry.image or "",
    )


def _word(word: str) -> str:
    """Quote a word for a shell; the braces of {inputs} and {outputs} stay as they are."""
    return (
        word if shlex.quote(word.replace("{", "").replace("}", "")) in word else shlex.quote(word)
    )
