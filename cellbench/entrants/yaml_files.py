"""Read a YAML file that a stranger wrote: small, without references, and only plain text in it."""

import os
import stat
import unicodedata
from pathlib import Path
from typing import Any

import yaml

_MOST_BYTES = 64 << 10
_MOST_BRACKETS = 200  # PyYAML's time grows with the square of their depth
_MOST_DEPTH = 20
# Terminals obey control characters, and half a surrogate pair cannot be printed.
_NO_TEXT = ("Cc", "Cs")


class _Loader(yaml.SafeLoader):
    """Refuses keys that are set twice, and references, with which a few lines can unfold to millions."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (`*name`, `<<`) are not allowed; write the values out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        if twice := repeated_key(node):
            raise yaml.YAMLError(twice)
        return super().construct_mapping(node, deep)


def repeated_key(node: yaml.MappingNode) -> str:
    """Return which key of a mapping is set twice, of which YAML would keep the last; empty if none is.

    Args:
        node: the mapping.
    """
    seen: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in seen:
            line = key.start_mark.line + 1
            return f"{key.value} is set twice (line {line}); remove one of them"
        seen.add(str(key.value))
    return ""


def read_small_yaml(path: Path) -> object:
    """Read a YAML file of at most 64 KiB.

    Args:
        path: the file.

    Returns:
        Mappings, lists, numbers, texts, dates and None.

    Raises:
        ValueError: if it is too large or too deep, has unusable characters, or is not UTF-8.
        OSError: if it cannot be read, or is not a regular file.
        yaml.YAMLError: if it is not YAML, or has references or a key twice.
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
    check_texts(value)
    return value


def check_texts(value: Any, depth: int = _MOST_DEPTH) -> None:  # noqa: ANN401  (YAML or JSON)
    """Refuse texts with control characters, and mappings and lists that are nested too deeply.

    Args:
        value: what a file holds.
        depth: how many levels it may have.

    Raises:
        ValueError: if a text has such a character, or there are more levels.
    """
    if depth == 0:
        raise ValueError(f"more than {_MOST_DEPTH} levels deep")
    if isinstance(value, str):
        for letter in value:
            if letter not in "\n\t" and unicodedata.category(letter) in _NO_TEXT:
                raise ValueError(f"contains {letter!a}, which is not text; remove it")
    elif isinstance(value, dict):
        for key, inner in value.items():
            check_texts(key, depth - 1)
            check_texts(inner, depth - 1)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            check_texts(inner, depth - 1)
