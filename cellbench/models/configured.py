"""What the packaged config of a model sets, in words: what ``make train MODEL=NAME`` trains."""

from collections.abc import Iterator, Mapping
from inspect import signature
from typing import Any

import yaml

from cellbench.models.base import InstanceSegmentationModel
from cellbench.resources import resource_folder

_CLASS, _OPTIONS = "class_path", "init_args"


def explain_config(name: str, model: type[InstanceSegmentationModel]) -> str:
    """Return which values the packaged config of a model sets, and the size of the model that it makes.

    The model is made without pretrained weights, so nothing is downloaded.

    Args:
        name: the registered name of the model.
        model: its class.

    Returns:
        A paragraph; it says so if there is no such config.
    """
    path = resource_folder("configs") / "model" / f"{name}.yaml"
    if not path.is_file():
        return (
            f"There is no config model/{name}.yaml; training uses the defaults below unless options are "
            "set."
        )
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    options = config["model"].get(_OPTIONS) or {}
    values = dict(_flat(config))
    width = max(map(len, values))
    lines = [f"  {option:<{width}}  {value}" for option, value in values.items()]
    return "\n".join(
        [
            f"Values in the config model/{name}.yaml, with which `make train MODEL={name}` and",
            f"`cellbench fit --config base.yaml --config model/{name}.yaml` train; configs of datasets and",
            "options of the command line come after it, and other options have the defaults below:",
            *lines,
            f"The model then has {_count_parameters(model, options):,} parameters.",
        ]
    )


def _flat(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield each option as ``cellbench fit`` calls it, and its value in YAML; without the class."""
    for key, value in config.items():
        name = above if key == _OPTIONS else f"{above}.{key}".lstrip(".")
        if isinstance(value, dict):
            yield from _flat(value, name)
        elif key != _CLASS:
            text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"))
            yield name, text.removesuffix("\n...\n").strip()


def _count_parameters(model: type[InstanceSegmentationModel], options: Mapping[str, Any]) -> int:
    chosen = dict(options)
    if "pretrained" in signature(model).parameters:
        chosen["pretrained"] = False
    return sum(each.numel() for each in model(**chosen).parameters())
