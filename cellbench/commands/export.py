"""Write a trained model in the format of other programs, or as a small file to publish.

onnx: the network and its activation, for any size of image; checked against PyTorch.
bioimageio: a BioImage.IO package (a zip file) with the network as ONNX, test data, and its description.
weights: the model in half precision, which `cellbench segment --checkpoint` reads as it reads a checkpoint.

The outputs of onnx and bioimageio are dense maps; docs/weights.md shows how cellbench decodes them.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellbench.commands.help_format import example
from cellbench.commands.model_options import add_model_class

if TYPE_CHECKING:
    from cellbench.inference.exporters.onnx_file import OnnxCheck
    from cellbench.models.about import ModelAbout
    from cellbench.models.segmenter import Segmenter


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = example(
        "export runs/sample/stardist/checkpoints/best.ckpt stardist.onnx --to onnx"
    )
    parser.add_argument(
        "checkpoint",
        type=Path,
        metavar="CHECKPOINT",
        help="checkpoint of a trained model, a weights file, or the name of a ready model",
    )
    parser.add_argument(
        "out",
        type=Path,
        metavar="OUT",
        help="file to write, which is replaced if it exists: .onnx for onnx, .zip for bioimageio, "
        ".safetensors for weights",
    )
    parser.add_argument(
        "--to",
        choices=("onnx", "bioimageio", "weights"),
        required=True,
        help="the format (required); onnx and bioimageio need `pip install cellbench[export]`",
    )
    parser.add_argument(
        "--about",
        type=Path,
        metavar="FILE",
        help="YAML file that says what the model is: name, version, title, description, authors, licence, "
        "trained_on and cite; configs/weights/generalist_about.yaml is an example. bioimageio and weights "
        "need it, unless CHECKPOINT is a weights file, which contains it (default: that of CHECKPOINT)",
    )
    add_model_class(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the file, and print how it compares with the model."""
    from cellbench.inference import load_model
    from cellbench.models.about import read_about_file
    from cellbench.models.weights import read_checkpoint
    from cellbench.models.weights_metadata import about_in

    _check_ending(arguments)
    given = None if arguments.about is None else read_about_file(arguments.about)
    content = read_checkpoint(arguments.checkpoint)
    about = given or about_in(content, arguments.checkpoint)
    if about is None and arguments.to != "onnx":
        from cellbench.errors import UsageError

        raise UsageError(
            f"--to {arguments.to}: needs to know what the model is; add --about FILE, as "
            "configs/weights/generalist_about.yaml"
        )
    model = load_model(arguments.checkpoint, "cpu", model_class=arguments.model_class)
    check = _write(arguments, model, content, about)
    print(f"wrote {arguments.out} ({arguments.out.stat().st_size / 1e6:.1f} MB)")
    if check is not None:
        found = ", ".join(f"{name} {value:.1e}" for name, value in check.differences.items())
        print(f"largest differences between ONNX and PyTorch: {found}")
        print(f"F1 of the decoded cells on the real image of the sample: {check.f1:.4f} with both")


_ENDINGS = {"onnx": ".onnx", "bioimageio": ".zip", "weights": ".safetensors"}


def _check_ending(arguments: argparse.Namespace) -> None:
    from cellbench.errors import UsageError

    ending = _ENDINGS[arguments.to]
    if arguments.out.suffix != ending:
        raise UsageError(f"{arguments.out}: the name must end in {ending} for --to {arguments.to}")


def _write(
    arguments: argparse.Namespace,
    model: "Segmenter",
    content: dict[str, Any],
    about: "ModelAbout | None",
) -> "OnnxCheck | None":
    """Write the file; return the check of an exported network."""
    from cellbench.inference.exporters.bioimageio import write_bioimageio
    from cellbench.inference.exporters.exported import exported_network
    from cellbench.inference.exporters.onnx_file import write_onnx
    from cellbench.inference.scaling import known_diameters
    from cellbench.models.weights_file import write_weights_file

    if about is None:
        return write_onnx(exported_network(model), arguments.out)
    if arguments.to == "weights":
        known_diameters(model)  # a ready model estimates the size of cells unless it is given
        write_weights_file(arguments.out, content, about)
        return None
    network = exported_network(model)
    if arguments.to == "onnx":
        return write_onnx(network, arguments.out)
    return write_bioimageio(network, arguments.out, content, about)
