"""Writing the network of a model as ONNX, checked against PyTorch."""

import logging
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import torch

from cellbench.data.sample import real_picture
from cellbench.errors import CheckpointError
from cellbench.evaluation import score_image
from cellbench.extras import import_export_package
from cellbench.files import written_whole
from cellbench.inference.exporters.exported import INPUT, ExportedNetwork
from cellbench.inference.segment import read_model_image
from cellbench.labels import read_labels
from cellbench.networks.padding import ceiling

Maps = Mapping[str, npt.NDArray[np.float32]]

OPSET = 20
"""Version of the operators of ONNX; onnxruntime runs it since version 1.17."""

_TRACED = (97, 135)  # odd, and no multiple of a stride, so that no size is built into the network
_CROPS = ((None, None), (-1, -3), (33, 64), (64, 65))
_TOLERANCE = 1e-3  # of the largest value of a map


@dataclass(frozen=True)
class OnnxCheck:
    """How an ONNX file differs from the model in PyTorch, on the real image that comes with cellbench.

    Attributes:
        differences: largest absolute difference of each map, by name, over image and crops of odd sizes.
        f1: F1 at IoU 0.5 of the cells that are decoded from the maps of the ONNX file. That of the model is
            the same; otherwise the export has failed.
    """

    differences: Mapping[str, float]
    f1: float


def write_onnx(network: ExportedNetwork, path: str | Path) -> OnnxCheck:
    """Write a network as an ONNX file, and check it against PyTorch.

    Number, height and width of the images stay free. Odd sides are allowed.

    Args:
        network: the network.
        path: the file to write.

    Returns:
        The result of the check.

    Raises:
        CheckpointError: if the network cannot be converted, or its results differ in ONNX.
        CellbenchError: if a package for the export is not installed.
    """
    for name in ("onnx", "onnxscript", "onnxruntime"):
        import_export_package(name)
    with written_whole(path) as temporary:
        _convert(network, temporary)
        return check_onnx(network, temporary)


def _convert(network: ExportedNetwork, path: Path) -> None:
    free = torch.export.Dim.DYNAMIC
    try:
        # Its report of each step is of use to developers of PyTorch only.
        with (
            warnings.catch_warnings(),
            redirect_stdout(StringIO()),
            torch.no_grad(),
            patch("timm.layers.padding.get_same_padding", _same_padding),
        ):
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                (torch.rand(2, 3, *_TRACED),),
                dynamo=True,
                dynamic_shapes=({0: free, 2: free, 3: free},),
                input_names=[INPUT],
                output_names=list(network.names),
                opset_version=OPSET,
                verbose=False,
            )
            assert program is not None
            program.save(path, external_data=False)
    except Exception as error:  # the conversion can raise errors of any type
        logging.getLogger(__name__).debug("conversion to ONNX", exc_info=error)
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise CheckpointError(
            f"{network.model.model_name()}: its network cannot be converted to ONNX ({reason}); export "
            "another model"
        ) from error


def _same_padding(side: int, kernel: int, stride: int, dilation: int) -> int:
    """Return the padding of a convolution of TensorFlow in integers.

    timm divides floating-point numbers. The sides of outputs are then expressions that PyTorch cannot
    simplify, and the conversion of an EfficientNet takes more than ten minutes instead of 15 seconds.
    """
    return max((ceiling(side, stride) - 1) * stride + (kernel - 1) * dilation + 1 - side, 0)


def check_onnx(network: ExportedNetwork, path: Path) -> OnnxCheck:
    """Compare an ONNX file with PyTorch on the real image that comes with cellbench, and on crops of it.

    Args:
        network: the network in PyTorch.
        path: the file.

    Raises:
        CheckpointError: if maps or decoded cells differ.
    """
    file, truth_file = real_picture()
    image, truth = read_model_image(network.model, file), read_labels(truth_file)
    differences = dict.fromkeys(network.names, 0.0)
    for rows, columns in _CROPS:
        crop = np.ascontiguousarray(image[:rows, :columns].transpose(2, 0, 1)[None])
        found, expected = run_onnx(path, crop), run_network(network, crop)
        for name in network.names:
            difference = _difference(name, found[name], expected[name])
            differences[name] = max(differences[name], difference)
        if rows is None:
            scores = [_f1(network, maps, truth) for maps in (found, expected)]
    if scores[0] != scores[1]:
        raise CheckpointError(
            f"ONNX: decoded cells have F1 {scores[0]:.4f}, and {scores[1]:.4f} in PyTorch; nothing is "
            "written. Export another model, and report this"
        )
    return OnnxCheck(differences, scores[0])


def _difference(
    name: str, found: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]
) -> float:
    if found.shape != expected.shape:
        raise CheckpointError(
            f"ONNX: the map {name} has the shape {found.shape}, and {expected.shape} in PyTorch; nothing "
            "is written. Export another model, and report this"
        )
    difference = float(np.abs(found - expected).max())
    if not difference <= _TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise CheckpointError(
            f"ONNX: the map {name} differs from PyTorch by up to {difference:.2g}; nothing is written. "
            "Export another model, and report this"
        )
    return difference


def _f1(network: ExportedNetwork, maps: Maps, truth: npt.NDArray[np.integer]) -> float:
    labels = network.model.representation.decode({name: each[0] for name, each in maps.items()})
    return score_image(truth, labels)[0].f1


def run_network(network: ExportedNetwork, image: npt.NDArray[np.float32]) -> Maps:
    """Run a network in PyTorch, in single precision.

    Args:
        network: the network.
        image: (B, 3, H, W) in [0, 1].

    Returns:
        (B, C, H, W) for each map.
    """
    with torch.inference_mode():
        outputs = network(torch.from_numpy(image))
    return {name: each.numpy() for name, each in zip(network.names, outputs, strict=True)}


def run_onnx(path: Path, image: npt.NDArray[np.float32]) -> Maps:
    """Run an exported network with onnxruntime on the CPU.

    Args:
        path: the ONNX file.
        image: (B, 3, H, W) in [0, 1].

    Returns:
        (B, C, H, W) for each map.
    """
    runtime = import_export_package("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(None, {INPUT: image}), strict=True))
