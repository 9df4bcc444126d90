"""Writing a model as a BioImage.IO package, which other programs of the field run."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellbench.data.sample import real_picture
from cellbench.errors import CheckpointError
from cellbench.extras import import_export_package
from cellbench.files import written_whole
from cellbench.images import read_raw
from cellbench.inference.exporters.exported import INPUT, ExportedNetwork
from cellbench.inference.exporters.onnx_file import OPSET, OnnxCheck, run_network, write_onnx
from cellbench.inference.exporters.package_readme import NETWORK, WEIGHTS, package_readme
from cellbench.models.about import ModelAbout
from cellbench.models.segmenter import Segmenter
from cellbench.models.weights_file import write_weights_file

_PERCENTILES = (1.0, 99.0)  # those of the challenge's normalisation
_EPSILON = 1e-6
_SMALLEST_SIDE = 32
_TEST_SIZE = (160, 201)


def write_bioimageio(
    network: ExportedNetwork, path: str | Path, checkpoint: Mapping[str, Any], about: ModelAbout
) -> OnnxCheck:
    """Write a model as a BioImage.IO package: a zip file with the network as ONNX, and its description.

    The package contains test inputs and the outputs that are expected for them, and the weights file of the
    model, with which cellbench decodes the outputs. The specification's own validation must pass.

    Args:
        network: the network of the model.
        path: the zip file to write.
        checkpoint: content of the checkpoint of the model.
        about: what the model is.

    Returns:
        How the network in the package compares with PyTorch.

    Raises:
        CheckpointError: if the model cannot be described, or the package is not valid.
        CellbenchError: if a package for the export is not installed.
    """
    if type(network.model).normalise is not Segmenter.normalise:
        raise CheckpointError(
            f"{network.model.model_name()}: normalises images in its own way, which a BioImage.IO package "
            "cannot describe; use --to onnx"
        )
    spec = import_export_package("bioimageio.spec")
    with tempfile.TemporaryDirectory(prefix="cellbench-package-") as folder:
        check = _write_files(network, Path(folder), checkpoint, about)
        try:
            description = _describe(network, Path(folder), about)
        except ValueError as error:  # pydantic's, with a line for each fault
            raise CheckpointError(f"{path}: cannot be described ({_one_line(error)})") from error
        with written_whole(path) as temporary:
            spec.save_bioimageio_package(description, output_path=temporary)
            _validate(spec, temporary, path)
    return check


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _write_files(
    network: ExportedNetwork, folder: Path, checkpoint: Mapping[str, Any], about: ModelAbout
) -> OnnxCheck:
    """Write all files of the package but its description."""
    check = write_onnx(network, folder / NETWORK)
    write_weights_file(folder / WEIGHTS, checkpoint, about)
    (folder / "README.md").write_text(package_readme(about, network, check), encoding="utf-8")
    raw = test_image()
    np.save(folder / _test_file(INPUT), raw)
    for name, maps in run_network(network, rescaled(raw)).items():
        np.save(folder / _test_file(name), maps)
    return check


def _test_file(name: str) -> str:
    return f"test_{name}.npy"


def test_image() -> npt.NDArray[np.float32]:
    """Return the input of the test: a part of the real picture in cellbench, (1, 3, H, W), as recorded."""
    rows, columns = _TEST_SIZE
    gray = read_raw(real_picture()[0])[:rows, :columns, :1].astype(np.float32)
    return np.ascontiguousarray(np.repeat(gray, 3, axis=2).transpose(2, 0, 1)[None])


def rescaled(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Normalise an image by the operations of the package, which come close to those of cellbench.

    They are ``scale_range`` by percentiles of each channel, and ``clip``. cellbench leaves out pixels of
    value 0 when it computes percentiles, and rounds to 8 bits.

    Args:
        image: (1, 3, H, W) pixels as they were recorded.

    Returns:
        The same shape, values in [0, 1].
    """
    lower, upper = np.percentile(image, _PERCENTILES, axis=(0, 2, 3), keepdims=True)
    scaled: npt.NDArray[np.float32] = (image - lower) / (upper - lower + _EPSILON)
    return scaled.clip(0, 1).astype(np.float32)


def _describe(network: ExportedNetwork, folder: Path, about: ModelAbout) -> Any:  # noqa: ANN401
    v0_5 = import_export_package("bioimageio.spec.model.v0_5")

    def file(name: str) -> Any:  # noqa: ANN401
        return v0_5.FileDescr(source=folder / name)

    return v0_5.ModelDescr(
        name=about.title,
        description=about.description,
        version=about.version,
        authors=[v0_5.Author(name=name) for name in about.authors],
        license=about.licence,
        cite=[v0_5.CiteEntry(text=each.text, doi=each.doi) for each in about.cite],
        tags=["cell-segmentation", "nucleus-segmentation", "instance-segmentation", "cellbench"],
        documentation=file("README.md"),
        attachments=[file(WEIGHTS)],
        inputs=[_input(v0_5, file(_test_file(INPUT)))],
        outputs=[_output(v0_5, network, name, file(_test_file(name))) for name in network.names],
        weights=v0_5.WeightsDescr(
            onnx=v0_5.OnnxWeightsDescr(source=folder / NETWORK, opset_version=OPSET)
        ),
    )


def _input(v0_5: Any, test: Any) -> Any:  # noqa: ANN401
    any_size = v0_5.ParameterizedSize(min=_SMALLEST_SIDE, step=1)
    lower, upper = _PERCENTILES
    scale = v0_5.ScaleRangeKwargs(
        axes=["batch", "y", "x"], min_percentile=lower, max_percentile=upper, eps=_EPSILON
    )
    return v0_5.InputTensorDescr(
        id=INPUT,
        description="An image of three channels; a gray image is repeated three times.",
        axes=[
            v0_5.BatchAxis(),
            v0_5.ChannelAxis(channel_names=["red", "green", "blue"]),
            v0_5.SpaceInputAxis(id="y", size=any_size),
            v0_5.SpaceInputAxis(id="x", size=any_size),
        ],
        test_tensor=test,
        preprocessing=[
            v0_5.ScaleRangeDescr(kwargs=scale),
            v0_5.ClipDescr(kwargs=v0_5.ClipKwargs(min=0.0, max=1.0)),
        ],
    )


def _output(v0_5: Any, network: ExportedNetwork, name: str, test: Any) -> Any:  # noqa: ANN401
    channels = network.model.representation.channels[name]
    sides = [
        v0_5.SpaceOutputAxis(id=side, size=v0_5.SizeReference(tensor_id=INPUT, axis_id=side))
        for side in ("y", "x")
    ]
    return v0_5.OutputTensorDescr(
        id=name,
        description=f"The map {name}; cellbench decodes the maps to cells, see the documentation.",
        axes=[
            v0_5.BatchAxis(),
            v0_5.ChannelAxis(channel_names=[f"{name}{index}" for index in range(channels)]),
            *sides,
        ],
        test_tensor=test,
    )


def _validate(spec: Any, written: Path, path: str | Path) -> None:  # noqa: ANN401
    """Check a package as its readers do; no network connection is needed."""
    description = spec.load_description(written, format_version="latest")
    summary = description.validation_summary
    if isinstance(description, spec.InvalidDescr) or summary.status == "failed":
        faults = "; ".join(_one_line(ValueError(each.msg)) for each in summary.errors)
        raise CheckpointError(f"{path}: not a valid BioImage.IO package ({faults}); report this")
