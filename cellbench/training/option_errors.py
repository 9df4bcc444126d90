"""What is wrong with the options of a training run, in one line that names the nearest valid options."""

import ast
import re
from argparse import _SubParsersAction
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import yaml
from jsonargparse import ArgumentParser
from pytorch_lightning.cli import LightningArgumentParser

from cellbench.errors import UsageError
from cellbench.models.class_paths import import_object
from cellbench.training.config_files import config_files
from cellbench.training.help_texts import CHECKPOINT, OTHER_NAMES

_KEY = re.compile(r'Parser key "([^"]+)":')
_CLASS = re.compile(r"Problem with given class_path '([^']+)'")
_UNKNOWN = re.compile(
    r"(?:Group '(?P<group>[^']+)' does not accept option|Subcommand '[^']+' does not accept option|"
    r"Option) '(?P<name>[^']+)'"
)
_EXPECTED = re.compile(r"Expected an? (.+?)(?:\. Got value: (.*))?$")
_VALUE = re.compile(r"Given value: (.*)$")
_NESTED_VALUE = re.compile(r"NestedArg\(key='([^']*)', val='?(.*?)'?\)$")
_NO_PATH = re.compile(r"Expected a dot import path string|Unexpected import path format")
_NULL = "null"
_A_CLASS = "a class path such as package.module.Class"
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "NoneType": _NULL,
    "collections.abc.Sequence": "a list in square brackets",
    "list": "a list in square brackets",
    "dict": "a dictionary in braces",
    "datetime.timedelta": "a duration such as 00:12:00:00 (days:hours:minutes:seconds)",
}
_SHOWN = 12
_ALL = "; show all options with --help"


class OneLineParser(LightningArgumentParser):
    """LightningCLI's parser, except that a wrong option raises one line instead of printing a page.

    Args:
        *args: as for LightningArgumentParser.
        **kwargs: as for LightningArgumentParser.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # An abbreviation such as --trainer.max_epoch would be accepted in silence.
        super().__init__(*args, **{"allow_abbrev": False} | kwargs)

    def add_method_arguments(self, *args: Any, **kwargs: Any) -> list[str]:
        """Declare the parameters of a method, with cellbench's own description of ``--ckpt_path``.

        Args:
            *args: as for LightningArgumentParser.
            **kwargs: as for LightningArgumentParser.

        Returns:
            The names of the options.
        """
        added: list[str] = super().add_method_arguments(*args, **kwargs)
        for action in self._actions:
            if action.dest == "ckpt_path":
                action.help = CHECKPOINT
        return added

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise the message as one line.

        Args:
            message: what jsonargparse found, often in many lines.
            ex: the exception behind it.

        Raises:
            UsageError: always, unless the parser is a nested one whose errors are collected.
        """
        if not self.exit_on_error:
            super().error(message, ex)
        parser = getattr(ex, "subcommand_parser", None) or self
        raise UsageError(one_line(message, _option_names(parser))) from ex


def one_line(message: str, options: Sequence[str] = ()) -> str:
    """Return jsonargparse's message as one plain line.

    Args:
        message: the message, one or more lines.
        options: the names of the parser's options, without dashes.

    Returns:
        The option, what is wrong with it, and the nearest valid names or the expected values.

    Examples:
        >>> one_line("unrecognized arguments: --trainr.max_epochs 3", ["trainer.max_epochs", "tune"])
        'trainr.max_epochs: there is no such option; did you mean trainer.max_epochs?'
    """
    lines = message.splitlines()
    key = ".".join(_keys(lines))
    if message.startswith("unrecognized arguments: "):
        return _unrecognised(message.partition(": ")[2], options)
    if "arguments are required: " in message and message.endswith("model"):
        return (
            "model: missing; name one with --config model/unet.yaml, --model unet or "
            "--model package.module.Class"
        )
    for number, line in enumerate(lines):
        if found := _UNKNOWN.search(line):
            name = f"{found['group']}.{found['name']}" if found["group"] else found["name"]
            return _unknown_option(key, name, _last_class(lines[:number]), options)
    inner = _innermost(lines)
    if reason := _class_problem(inner):
        return f"{key}: {reason}"
    expected = _expected(inner)
    if {*expected} - {_NULL, _A_CLASS}:
        return f"{key}: expected {' or '.join(expected)}, but got {_value(inner)}"
    if _NO_PATH.search(" ".join(inner)):
        folder = "; to name a dataset folder, write --data.root" if key == "data" else ""
        return f"{key}: {_value(inner)} is not a class path such as package.module.Class{folder}"
    text = " ".join(message.split())
    return re.sub(r'^Parser key "([^"]+)": ', r"\1: ", text)


def locate(line: str, words: Sequence[str]) -> str:
    """Return the line with the name of the configuration file in front that sets its option.

    Args:
        line: a line of [`one_line`][], which begins with the name of an option.
        words: the words of the command line; its configuration files can be read.

    Returns:
        The line as it is if the option is set on the command line itself.
    """
    option = line.partition(":")[0].partition(" ")[0]
    if option == "trainer":  # a line about the trainer as a whole
        return line
    spellings = {option, option.replace("init_args.", "")}
    if any(
        word.split("=")[0].removeprefix("--").rstrip("+").replace("init_args.", "") in spellings
        for word in words
    ):
        return line
    for path in reversed(list(config_files(words))):
        content = yaml.safe_load(path.read_text("utf-8"))
        if _sets(content, option.split(".")):
            return f"{path}: {line}"
    return line


def _sets(content: object, keys: Sequence[str]) -> bool:
    """Return whether a configuration sets an option; the level ``init_args`` may be left out."""
    if not keys:
        return True
    if isinstance(content, list):
        return any(_sets(each, keys) for each in content)
    if not isinstance(content, Mapping):
        return False
    if keys[0] in content:
        return _sets(content[keys[0]], keys[1:])
    return "init_args" in content and _sets(content["init_args"], keys)


def _option_names(parser: ArgumentParser) -> list[str]:
    """Return the options of a parser and of the verbs below it, without dashes."""
    names: dict[str, None] = {}
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for verb in action.choices.values():
                names |= dict.fromkeys(_option_names(verb))
        for word in action.option_strings:
            if word.startswith("--") and not word.endswith((".help", "+")):
                names[word.removeprefix("--")] = None
    return list(names)


def _keys(lines: Iterable[str]) -> list[str]:
    return [found[1] for line in lines if (found := _KEY.search(line))]


def _last_class(lines: Sequence[str]) -> str:
    classes = [found[1] for line in lines if (found := _CLASS.search(line))]
    return classes[-1] if classes else ""


def _unrecognised(words: str, options: Sequence[str]) -> str:
    first = words.split()[0]
    name = first.partition("=")[0].removeprefix("--")
    if not first.startswith("-"):
        return f"{first}: is neither an option nor the value of one; options begin with --"
    return f"{name}: there is no such option{_nearest(name, options) or _ALL}"


def _unknown_option(key: str, name: str, class_path: str, options: Sequence[str]) -> str:
    if not class_path:
        return f"{name}: there is no such option{_nearest(name, options) or _ALL}"
    names = _parameters(class_path)
    whole = key if key.endswith(f".{name}") else f"{key}.{name}" if key else name
    hint = _nearest(name, names)
    if not hint and names:
        hint = f"; its options are {', '.join(names[:_SHOWN])}{', …' if names[_SHOWN:] else ''}"
    return f"{whole}: {class_path} has no option {name}{hint}"


def _nearest(name: str, names: Sequence[str]) -> str:
    if name.partition(".")[0] in ("optimizer", "lr_scheduler"):
        return (
            "; a model makes its own optimizer: set model.learning_rate, model.weight_decay or "
            "model.warmup_steps"
        )
    last_part = name.rpartition(".")[2].replace("-", "_")
    if (other := OTHER_NAMES.get(last_part)) and other != name:
        return f"; did you mean --{other}?"
    found = get_close_matches(name, names, n=3, cutoff=0.6)
    if not found:  # only the last part of the name may be right
        last = {each.rpartition(".")[2]: each for each in names}
        found = [last[each] for each in get_close_matches(last_part, last, n=3)]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _parameters(class_path: str) -> list[str]:
    module, _, name = class_path.rpartition(".")
    try:
        parser = ArgumentParser(exit_on_error=False)
        kind = getattr(import_module(module), name)
        return list(parser.add_class_arguments(kind, fail_untyped=False))
    except Exception:  # a class from outside can raise anything; the message matters more
        return []


def _innermost(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines about the innermost option: an error of an option is nested in its parent's."""
    places = [number for number, line in enumerate(lines) if _KEY.search(line)]
    return lines[places[-1] :] if places else lines


def _expected(lines: Sequence[str]) -> list[str]:
    """Return the kinds of value that the option accepts, in words."""
    indents = [len(line) - len(line.lstrip()) for line in lines if "Expected a" in line]
    words: dict[str, None] = {}
    choices: dict[str, None] = {}
    for line in lines:
        found = _EXPECTED.search(line)
        if not found or len(line) - len(line.lstrip()) < indents[0] or "path but" in line:
            continue
        name = re.sub(r"^<(?:class|enum) '(.*)'>$", r"\1", found[1]).removeprefix("typing.")
        if name.startswith("Literal"):
            choices |= dict.fromkeys(map(str, ast.literal_eval(name.removeprefix("Literal"))))
        elif _NO_PATH.search(line):
            words[_A_CLASS] = None
        elif not name.startswith("instantiatable"):
            words[_WORDS.get(name.partition("[")[0], name)] = None
    return [*([f"one of {', '.join(choices)}"] if choices else []), *words]


def _class_problem(lines: Sequence[str]) -> str:
    """Return why a class cannot be used; empty if that is not the problem."""
    text = " ".join(lines)
    given = found[1] if (found := _CLASS.search(text)) else _value(lines)
    if found := re.search(r"subclass of (\w+)", text):
        if not text.count("Not a valid subclass") or "correspond" in text:
            return f"{_value(lines)} is not a {found[1]}; name a class that is derived from it"
        if not _CLASS.search(text):
            return f"expected {_A_CLASS}, but got {_value(lines)}"
    if found := re.search(r"but (\S+) is abstract", text):
        return f"{found[1]} is abstract; name a class that is derived from it"
    if found := re.search(r"arguments are required: (.*?)(?=  |$)", text):
        return f"{given} needs values for its options {found[1]}"
    if not (_CLASS.search(text) or ("Expected a path but" in text and "." in given)):
        return ""
    try:
        import_object(given)
    except UsageError as error:
        return f"cannot import {given} {str(error).partition('cannot be imported ')[2]}"
    return ""


def _value(lines: Sequence[str]) -> str:
    """Return the value that the option was set to."""
    for line in lines:
        if (found := _EXPECTED.search(line)) and found[2] is not None:
            return _plain(found[2])
        if found := _VALUE.search(line):
            return _plain(found[1])
    return "another value"


def _plain(value: str) -> str:
    if found := re.match(r"Namespace\(class_path='([^']+)'", value):
        return found[1]
    if found := re.match(r"\[?\{'class_path': '([^']+)'", value):
        return found[1]
    found = _NESTED_VALUE.match(value)
    return f"{found[1]}={found[2]}" if found else value
