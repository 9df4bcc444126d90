"""List the models that can be trained, show one model and all its options, or list ready models."""

import argparse
import sys

from cellbench.commands.help_format import example


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = example("models unet")
    parser.add_argument(
        "model",
        nargs="?",
        metavar="NAME",
        help="a model's name, or its class as package.module.Class; shows its description, its source, "
        "the licence of pretrained weights, the values in its config, its number of parameters and every "
        "option (default: list all models)",
    )
    parser.add_argument(
        "--names", action="store_true", help="print only the names, one per line (default: off)"
    )
    parser.add_argument(
        "--weights",
        action="store_true",
        help="list the ready models that are installed, which segment without training: name, version, "
        "size, licence and training data; exit with status 1 if there is none, or one is damaged (default: "
        "off)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print names, all models or one model; return status 1 if a ready model cannot be used."""
    from cellbench.models.registry import list_models

    if arguments.weights:
        return _print_ready(arguments.model)
    if arguments.names:
        print("\n".join(list_models()))
    elif arguments.model:
        _print_one(arguments.model)
    else:
        _print_all()
    return 0


def _print_ready(name: str | None) -> int:
    """Print one or all ready models; return status 1 if one of them cannot be used."""
    from cellbench.errors import CheckpointError
    from cellbench.models.shipped import DEFAULT, shipped_model, shipped_names

    status = 0
    for each in [name] if name else shipped_names() or [DEFAULT]:
        try:
            model = shipped_model(each)
        except CheckpointError as error:
            print(f"cellbench: {error}", file=sys.stderr)
            status = 1
            continue
        about = model.about
        print(f"{about.name} {about.version}: {about.title}")
        print(f"    {model.size / 1e6:.1f} MB; licence {about.licence}")
        print(f"    trained on: {about.datasets()}")
    return status


def _print_one(model: str) -> None:
    from cellbench.models.class_paths import import_model
    from cellbench.models.configured import explain_config
    from cellbench.models.describe import describe_model, explain_model
    from cellbench.models.registry import registered_models, resolve_class_path

    path = resolve_class_path(model)
    registered = [each for each in registered_models().values() if each.class_path == path]
    name, package = (registered[0].name, registered[0].package) if registered else (path, "")
    chosen = import_model(path)
    config = explain_config(name, chosen)
    print(explain_model(name, path, package, describe_model(chosen), config))


def _print_all() -> None:
    from cellbench.errors import CellbenchError
    from cellbench.models.base import InstanceSegmentationModel
    from cellbench.models.dense import DenseModel
    from cellbench.models.describe import defaults_text, describe_model, summarise_model
    from cellbench.models.registry import list_models, model_class

    common: dict[type, str] = {}
    for name in list_models():
        try:
            description = describe_model(model_class(name))
        except CellbenchError as error:
            print(f"{name}: {error}")
            continue
        print(summarise_model(name, description))
        for owner in (DenseModel, InstanceSegmentationModel):
            shared = [each for each in description.options if each.owner is owner]
            common[owner] = max(common.get(owner, ""), defaults_text(shared), key=len)
    print(f"\nEvery model has: {common[InstanceSegmentationModel]}")
    print(f"Every model of dense maps also has: {common[DenseModel]}")
    print("`cellbench models NAME` explains the options of a model.")
