"""The ``setup`` command of an entrant: run once for each version, with a time limit and a kept log."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellbench.entrants.entries import Entry
from cellbench.entrants.limits import Limits, memory_limit
from cellbench.entrants.sandbox import Sandbox, Task
from cellbench.entrants.supervised import run_program
from cellbench.entrants.workplace import Scratch
from cellbench.errors import EntrantError
from cellbench.files import fingerprint, written_whole

STAMP = ".cellbench-setup.json"
"""Name of the file beside ``entry.yaml`` that records the version that was set up."""
LOG = ".cellbench-setup.log"
"""Name of the file beside ``entry.yaml`` with the output of ``setup``."""
SECONDS = 3600.0
"""Time limit of ``setup``."""

_FILE_BYTES = 16 << 30
_FILES = 1_000_000


def set_up(
    entry: Entry, folder: Path, sandbox: Sandbox, scratch: Scratch, data: list[Path]
) -> None:
    """Run the entry's ``setup`` unless this version was set up before.

    A version is the command itself, ``env``, and the files that the command names. The command may write to
    the entry's folder and use the network.

    Args:
        entry: the entrant.
        folder: the folder of its ``entry.yaml``.
        sandbox: how to start programs.
        scratch: where to make the folders that the command needs.
        data: folders of the dataset that it may read.

    Raises:
        EntrantError: if the command fails.
    """
    if entry.setup is None:
        return
    with _locked(folder):
        version = _version(entry, folder)
        if _stamped(folder) == version:
            return
        with scratch.workplace() as workplace:
            task = Task(entry.setup, folder, entry.env, data=data, installs=True)
            limits = Limits(
                SECONDS, memory_limit(entry.memory), file_bytes=_FILE_BYTES, files=_FILES
            )
            try:
                ended = run_program(sandbox.launch(task, workplace), limits)
            finally:
                sandbox.clean_up(workplace)
        _write(folder / LOG, ended.output)
        if ended.exit_code or ended.stopped:
            reason = f"took longer than {SECONDS:.0f} s" if ended.timed_out else ended.message
            raise EntrantError(
                f"{folder}: the `setup` command of {entry.name} failed: {reason or 'no message'} "
                f"(its output is in {LOG}); correct it and run again"
            )
        _write(folder / STAMP, json.dumps({"version": version}) + "\n")


def _version(entry: Entry, folder: Path) -> str:
    words = entry.setup or []
    named = [folder / word for word in words if "{" not in word]
    return fingerprint(named, words, sorted(entry.env.items()))


def _stamped(folder: Path) -> str:
    try:
        stamp = json.loads((folder / STAMP).read_text("utf-8"))
        return str(stamp["version"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _write(path: Path, text: str) -> None:
    try:
        with written_whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EntrantError(
            f"{path}: cannot be written ({error.strerror}); copy the entrant to a folder of yours"
        ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Wait until no other run sets up the same entrant."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
