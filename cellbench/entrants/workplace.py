"""The folders of a run: what an entrant reads, where it writes, and how that is removed again."""

import os
import shutil
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from secrets import token_hex

from cellbench.entrants.entries import ENTRY_FILE
from cellbench.errors import EntrantError
from cellbench.evaluation.runtimes import RUNTIME_FILE
from cellbench.evaluation.seals import RUN_JOURNAL
from cellbench.evaluation.statuses import COMPARED_FILE, RESOURCES_FILE
from cellbench.files import remove_partial_files
from cellbench.labels import label_path

FileStates = dict[str, tuple[int, ...]]
"""What [`file_state`][] returns, by file name."""

MOST_FILES = 1000
"""Largest number of files that a program may leave in the outputs folder."""

_SCRATCH = ".run-"
_WRITTEN = (ENTRY_FILE, RESOURCES_FILE, COMPARED_FILE, RUNTIME_FILE, RUN_JOURNAL)
_LABEL_MAP = label_path("", "").name
_INPUTS, _OUTPUTS = "inputs", "outputs"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Workplace:
    """The folders of one start of a program.

    Attributes:
        inputs: contains copies of the images.
        outputs: where the program writes its label maps.
        scratch: for temporary files.
        home: its home folder, which is kept for the next start, for example for code that it compiled.
        descriptor: the folder that contains these, opened before the program was started.
    """

    inputs: Path
    outputs: Path
    scratch: Path
    home: Path
    descriptor: int

    @property
    def writable(self) -> tuple[Path, ...]:
        """The folders that the program may write to."""
        return self.outputs, self.scratch, self.home

    def place(self, image: Path) -> None:
        """Copy an image to the inputs; a program that changes it changes only the copy.

        Args:
            image: the image file.

        Raises:
            EntrantError: if the folder of inputs is not there any more.
        """
        self.take_away(image.name)
        folder = self._open(_INPUTS)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with (
                image.open("rb") as source,
                os.fdopen(os.open(image.name, flags, 0o644, dir_fd=folder), "wb") as target,
            ):
                shutil.copyfileobj(source, target)
        finally:
            os.close(folder)

    def take_away(self, name: str) -> None:
        """Remove an image from the inputs, or a label map from the outputs; others are left.

        Args:
            name: name of the file.

        Raises:
            EntrantError: if a folder is not there any more.
        """
        for place in (_INPUTS, _OUTPUTS):
            folder = self._open(place)
            try:
                with suppress(OSError, ValueError):  # the program chooses the name
                    os.unlink(name, dir_fd=folder)
            finally:
                os.close(folder)

    def output_states(self) -> FileStates:
        """Return the state of each file that is in the folder of outputs now.

        Returns:
            By name, what changes when somebody writes to the file or replaces it; empty if there is no
            folder, and incomplete with more files than are ever taken.
        """
        try:
            folder = self._open(_OUTPUTS)
        except EntrantError:
            return {}
        states = {}
        try:
            with os.scandir(folder) as entries:
                for entry in islice(entries, MOST_FILES):
                    with suppress(OSError):
                        states[entry.name] = file_state(entry.stat(follow_symlinks=False))
        finally:
            os.close(folder)
        return states

    def open_outputs(self) -> int:
        """Open the folder of outputs without following a link that the program may have left there.

        Returns:
            File descriptor of the folder, to be closed by the caller.

        Raises:
            EntrantError: if it is not a folder.
        """
        return self._open(_OUTPUTS)

    def _open(self, name: str) -> int:
        try:
            descriptor = os.open(name, os.O_PATH | _FOLDER, dir_fd=self.descriptor)
            try:
                os.chmod(f"/proc/self/fd/{descriptor}", stat.S_IRWXU)  # noqa: PTH101  (a descriptor)
                return os.open(name, _FOLDER, dir_fd=self.descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise EntrantError(f"the {name} folder was removed or replaced") from error


def file_state(found: os.stat_result) -> tuple[int, ...]:
    """Return what changes when somebody writes to a file or replaces it; programs cannot set it.

    Args:
        found: the status of the file.
    """
    return found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns


class Scratch:
    """A folder in a predictions folder that exists while an entrant is run.

    Args:
        out: the predictions folder.
    """

    def __init__(self, out: Path) -> None:
        # Nobody can prepare a folder whose name cannot be guessed.
        self._root = out.resolve() / f"{_SCRATCH}{token_hex(8)}"

    @contextmanager
    def workplace(self) -> Iterator[Workplace]:
        """Provide new folders for one start of the program, and remove them in the end.

        Yields:
            The folders.
        """
        home = self._root / "home"
        home.mkdir(parents=True, exist_ok=True)
        place = self._root / token_hex(8)
        place.mkdir()
        inputs, outputs, scratch = (place / name for name in (_INPUTS, _OUTPUTS, "scratch"))
        for folder in (inputs, outputs, scratch):
            folder.mkdir()
        descriptor = os.open(place, _FOLDER)
        try:
            yield Workplace(inputs, outputs, scratch, home, descriptor)
        finally:
            os.close(descriptor)
            remove_tree(place)

    def remove(self) -> None:
        """Remove everything."""
        remove_tree(self._root)


def restore(out: Path, protected: Collection[Path]) -> None:
    """Make a predictions folder safe to write to after a program of a stranger has run.

    Links that the program left in its place or inside it would lead our own writing elsewhere; folders in
    the place of our files would prevent it.

    Args:
        out: the predictions folder.
        protected: folders that are never written to: the images and the truth.

    Raises:
        EntrantError: if the folder leads to a protected one.
    """
    if out.is_symlink():
        out.unlink()
    out.mkdir(parents=True, exist_ok=True)
    if out.resolve() in protected:
        raise EntrantError(
            f"{out}: leads into the dataset; choose another --out, and check the links in it"
        )
    with os.scandir(out) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                if entry.name in _WRITTEN or entry.name.endswith(_LABEL_MAP):
                    remove_tree(Path(entry.path))
            elif not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
                Path(entry.path).unlink()


def remove_left_overs(out: Path) -> None:
    """Remove the folders and incomplete files that killed runs left in a predictions folder.

    Args:
        out: the predictions folder, in which no other run is at work.
    """
    remove_partial_files(out)
    for folder in out.glob(f"{_SCRATCH}*"):
        remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder that a stranger filled: links are not followed, and any depth is possible.

    Folders inside folders are moved up to the top first, so that nothing is walked recursively. What
    cannot be removed is left.

    Args:
        folder: the folder; nothing happens if it does not exist.
    """
    with suppress(OSError):
        if folder.is_symlink():
            folder.unlink()
        top = _opened(str(folder), None)
        try:
            _empty(top)
        finally:
            os.close(top)
        folder.rmdir()


def _empty(top: int) -> None:
    while names := os.listdir(top):
        done = 0
        for name in names:
            with suppress(OSError):
                if not _unlinked(name, top):
                    done += _flatten(name, top)
                    os.rmdir(name, dir_fd=top)
                done += 1
        if not done:
            return


def _flatten(name: str, top: int) -> int:
    """Remove the files of a folder and move its folders to the top; return the number of folders."""
    moved = 0
    inside = _opened(name, top)
    try:
        for child in os.listdir(inside):  # noqa: PTH208  (a descriptor)
            if not _unlinked(child, inside):
                with suppress(OSError):
                    os.close(_opened(child, inside))
                    os.rename(child, token_hex(16), src_dir_fd=inside, dst_dir_fd=top)
                    moved += 1
    finally:
        os.close(inside)
    return moved


def _opened(name: str, parent: int | None) -> int:
    """Open a folder, also one whose permissions forbid it, and make it writable."""
    descriptor = os.open(name, os.O_PATH | _FOLDER, dir_fd=parent)
    try:
        with suppress(OSError):
            os.chmod(f"/proc/self/fd/{descriptor}", stat.S_IRWXU)  # noqa: PTH101  (a descriptor)
        return os.open(name, _FOLDER, dir_fd=parent)
    finally:
        os.close(descriptor)


def _unlinked(name: str, folder: int) -> bool:
    """Remove a file, link or device; return whether it was one."""
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return False
    return True
