"""Descriptions of models and of their options, from signatures and docstrings."""

import inspect
import re
import textwrap
from dataclasses import dataclass

import docstring_parser
from jsonargparse import ArgumentParser

from cellbench.models.base import InstanceSegmentationModel
from cellbench.models.dense import DenseModel

_COMMON = (InstanceSegmentationModel, DenseModel)
_REQUIRED = "required"


@dataclass(frozen=True)
class Option:
    """An option of a model.

    Attributes:
        name: its name, as in ``--model.init_args.NAME``.
        kind: its type, or its choices.
        default: its default value as text, or "required".
        meaning: its description.
        owner: the class that defines it.
    """

    name: str
    kind: str
    default: str
    meaning: str
    owner: type

    @property
    def is_common(self) -> bool:
        """Whether many models share the option."""
        return self.owner in _COMMON


@dataclass(frozen=True)
class Description:
    """What a model is.

    Attributes:
        summary: one line.
        details: source, differences from it, and the licence of pretrained weights, as text.
        options: its options, its own first.
    """

    summary: str
    details: str
    options: list[Option]


def describe_model(model: type[InstanceSegmentationModel]) -> Description:
    """Describe a model and its options.

    Args:
        model: the class of the model.
    """
    text = docstring_parser.parse(inspect.getdoc(model) or "")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(model)
    names = parser.get_defaults(skip_validation=True).keys()
    return Description(
        summary=_plain(text.short_description or "no description"),
        details=_plain(text.long_description or ""),
        options=[_describe_option(model, name) for name in names],
    )


def _describe_option(model: type, name: str) -> Option:
    owner = next(
        each
        for each in model.__mro__
        if "__init__" in vars(each) and name in inspect.signature(each).parameters
    )
    parameter = inspect.signature(owner).parameters[name]
    documented = docstring_parser.parse(inspect.getdoc(owner) or "").params
    meanings = {each.arg_name: each.description or "" for each in documented}
    required = parameter.default is inspect.Parameter.empty
    return Option(
        name=name,
        kind=_kind_text(parameter.annotation),
        default=_REQUIRED if required else _value_text(parameter.default),
        meaning=_plain(meanings.get(name, "")),
        owner=owner,
    )


def _kind_text(annotation: object) -> str:
    """Describe a type in words, such as "list of int, or null"."""
    if annotation is inspect.Parameter.empty:
        return "any type"
    text = re.sub(r"\b(collections\.abc|typing)\.", "", inspect.formatannotation(annotation))
    text = re.sub(r"Literal\[(.*?)\]", lambda found: found[1].replace(", ", " or "), text)
    text = re.sub(r"\b(?:Sequence|list)\[(.*?)\]", r"list of \1", text)
    return text.replace("'", "").replace(" | None", ", or null").replace(" | ", " or ")


def _value_text(value: object) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value_text, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _plain(text: str) -> str:
    """Remove the markup of a docstring, and join the lines of each paragraph."""
    text = re.sub(r"\[`(?:[\w.]*\.)?(\w+)`\]\[[\w.]*\]", r"\1", text).replace("``", "")
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def summarise_model(name: str, description: Description) -> str:
    """Return a model's summary and its own options with their defaults.

    Args:
        name: its registered name.
        description: what it is.
    """
    own = [each for each in description.options if not each.is_common]
    return f"{name}: {description.summary}\n" + textwrap.fill(
        defaults_text(own) or "no options of its own",
        100,
        initial_indent="    ",
        subsequent_indent="    ",
    )


def defaults_text(options: list[Option]) -> str:
    """Return options and their defaults in one line.

    Args:
        options: any options.
    """
    return "; ".join(f"{each.name} {each.default}" for each in options)


def explain_model(name: str, path: str, package: str, description: Description) -> str:
    """Return all that is known about a model: description, source, and every option.

    Args:
        name: its registered name, or its class path.
        path: its class path.
        package: the installed package that registers it; empty for none.
        description: what it is.
    """
    origin = f"class {path}" + (f", from the package {package}" if package else "")
    parts = [f"{name}: {description.summary}", origin]
    parts += [textwrap.fill(each, 100) for each in description.details.split("\n\n") if each]
    parts.append(
        f"Options; set one with `cellbench fit --config base.yaml --model {name} --model.OPTION VALUE`:"
    )
    parts += [_explain_option(each) for each in description.options]
    return "\n\n".join(parts)


def _explain_option(option: Option) -> str:
    default = _REQUIRED if option.default == _REQUIRED else f"default: {option.default}"
    meaning = textwrap.fill(option.meaning, 96, initial_indent="    ", subsequent_indent="    ")
    return f"  {option.name} ({option.kind}; {default})\n{meaning}".rstrip()
