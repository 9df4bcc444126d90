"""The configuration files of a training run: checked, and the model that they name resolved."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import get_loader, set_loader

from cellbench.entrants.yaml_files import repeated_key
from cellbench.errors import UsageError
from cellbench.models.registry import importable_path, resolve_class_path

PARSER_MODE = "cellbench"
"""The name of cellbench's loader of YAML, see [`add_loader`][]."""

_MODEL_OPTIONS = ("--model", "--model.class_path")
_CLASS_KEYS = {"class_path", "init_args", "dict_kwargs"}


def add_loader() -> None:
    """Let jsonargparse read files in which ``model`` is a registered name instead of a class path."""
    set_loader(PARSER_MODE, _load, (yaml.YAMLError,))


def _load(text: str) -> Any:  # noqa: ANN401  (a file can hold anything)
    content = get_loader("yaml")(text)
    named = _named_model(content) if isinstance(content, dict) else None
    if named is None or "." in named:
        return content
    try:
        path = resolve_class_path(named)
    except UsageError:  # some other option that is called model
        return content
    model = content["model"]
    content["model"] = {**model, "class_path": path} if isinstance(model, dict) else path
    return content


def config_files(words: Sequence[str]) -> Iterator[Path]:
    """Yield the configuration files of a command line, in their order.

    Args:
        words: the words of the command line.
    """
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        path = value or following
        if name in ("--config", "-c") and path and not path.lstrip().startswith("{"):
            yield Path(path)


def check_configs(words: Sequence[str]) -> list[str]:
    """Check the configuration files, and put the model's class before the options that need it.

    A file may hold options of the model without its class, if another file or the command line names it.
    jsonargparse needs the class first.

    Args:
        words: the words of a command line, in which the model is a class path.

    Returns:
        The words, in which ``--model`` comes first where no configuration file names a model.

    Raises:
        UsageError: if a file cannot be read, has a mistake that does not depend on the options of a
            class, or names a model that cannot be imported.
    """
    contents = {path: read_config(path) for path in config_files(words)}
    if any(_named_model(content) for content in contents.values()):
        return list(words)
    chosen = [
        index
        for index, word in enumerate(words)
        if word.partition("=")[0] in _MODEL_OPTIONS and ("=" in word or words[index + 1 :])
    ]
    if not chosen:
        return list(words)
    first = chosen[0]
    last = first + (1 if "=" in words[first] else 2)
    return [words[0], *words[first:last], *words[1:first], *words[last:]]


def read_config(path: Path) -> dict[str, Any]:
    """Read a configuration file.

    Args:
        path: a YAML file.

    Returns:
        Its content.

    Raises:
        UsageError: as [`check_configs`][].
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a configuration file; it is not text in UTF-8") from error
    except FileNotFoundError as error:
        raise UsageError(
            f"{path}: no such configuration file; those of cellbench are base.yaml, model/NAME.yaml "
            "(NAME: a model of `cellbench models`) and data/NAME.yaml"
        ) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    try:
        _check_keys(path, yaml.compose(text, yaml.SafeLoader), [])
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        raise UsageError(f"{path}: not a valid YAML file ({place}{reason})") from error
    if not isinstance(content, dict):
        raise UsageError(
            f"{path}: not a configuration file; it must contain options such as seed_everything: 1"
        )
    _check_sections(path, content)
    return content


def _check_keys(path: Path, node: yaml.Node | None, above: Sequence[yaml.Node]) -> None:
    """Refuse a key that is set twice, and a part of itself."""
    if any(node is each for each in above):
        raise UsageError(f"{path}: not a valid YAML file (a part refers to itself)")
    if isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _check_keys(path, each, [*above, node])
    if not isinstance(node, yaml.MappingNode):
        return
    if twice := repeated_key(node):
        raise UsageError(f"{path}: {twice}")
    for _, value in node.value:
        _check_keys(path, value, [*above, node])


def _check_sections(path: Path, content: Mapping[str, Any]) -> None:
    for name in ("trainer", "model", "data"):
        section = content.get(name, {})
        if isinstance(section, Mapping) or (isinstance(section, str) and name != "trainer"):
            continue
        expected = "options" if name == "trainer" else "a class or its options"
        got = "nothing" if section is None else section
        raise UsageError(f"{path}: {name}: expected {expected}, but got {got}")
    for name in ("model", "data"):
        section = content.get(name)
        if not isinstance(section, Mapping) or "class_path" not in section:
            continue
        if not isinstance(section["class_path"], str):
            raise UsageError(
                f"{path}: {name}.class_path: expected a class path such as package.module.Class, but "
                f"got {section['class_path']}"
            )
        for key in section:
            if key not in _CLASS_KEYS:
                raise UsageError(
                    f"{path}: {name}.{key}: options beside class_path are written below init_args"
                )
    if named := _named_model(content):
        try:
            importable_path(named)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error


def _named_model(content: Mapping[str, Any]) -> str | None:
    """Return the model that a configuration names, by class path or registered name."""
    model = content.get("model")
    named = model.get("class_path") if isinstance(model, Mapping) else model
    return named if isinstance(named, str) else None
