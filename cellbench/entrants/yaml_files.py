"""Read a YAML file that a stranger wrote: small, without references, and only plain text in it."""

import os
import stat
from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 64 << 10
_MOST_BRACKETS = 200  # PyYAML's time grows with the square of their depth
_MOST_DEPTH = 20


class _Loader(yaml.SafeLoader):
    """Refuses references, with which a few lines can unfold to millions."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (`*name`, `<<`) are not allowed; write the values out")
        return super().compose_node(parent, index)


def read_small_yaml(path: Path) -> object:
    """Read a YAML file of at most 64 KiB.

    Args:
        path: the file.

    Returns:
        Mappings, lists, numbers, texts, dates and None.

    Raises:
        ValueError: if it is too large or too deep, has unusable characters, or is not UTF-8.
        OSError: if it cannot be read, or is not a regular file.
        yaml.YAMLError: if it is not YAML, or has references.
    """
    # Opening a named pipe would wait for a writer.
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(file, "rb") as content:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError("not a regular file")
        text = content.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise ValueError(f"larger than {_MOST_BYTES >> 10} KiB")
    if text.count(b"[") + text.count(b"{") > _MOST_BRACKETS:
        raise ValueError(f"more than {_MOST_BRACKETS} brackets")
    value = yaml.load(text.decode("utf-8"), Loader=_Loader)
    _check(value, _MOST_DEPTH)
    return value


def _check(value: Any, depth: int) -> None:  # noqa: ANN401  (YAML holds values of any type)
    if depth == 0:
        raise ValueError(f"more than {_MOST_DEPTH} levels deep")
    if isinstance(value, str):
        # Lone surrogates cannot be printed, and no program can be given a NUL.
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("contains a character that is not text (NUL or half a surrogate pair)")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check(key, depth - 1)
            _check(inner, depth - 1)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            _check(inner, depth - 1)
