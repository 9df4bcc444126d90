"""The documentation in a BioImage.IO package: what the model is, and how its outputs become cells."""

from cellbench.inference.exporters.exported import INPUT, ExportedNetwork
from cellbench.inference.exporters.onnx_file import OnnxCheck
from cellbench.models.about import ModelAbout

NETWORK = "network.onnx"
"""Name of the network's file in a package."""

WEIGHTS = "weights.safetensors"
"""Name of the weights file in a package."""

_TEXT = """\
# {title}

{description}

Version {version}, licence of the weights: {licence}. Authors: {authors}.{initial}

## Training data
{trained_on}

## From outputs to cells
The outputs {names} are dense maps, not cells. cellbench decodes them. Install it and onnxruntime with
`pip install "cellbench[train]" onnxruntime`, unpack the package, and run in its folder:
```python
import onnxruntime
from cellbench.inference import load_model
from cellbench.inference.segment import read_model_image
from cellbench.labels import write_labels

model = load_model("{weights}")  # only its decoding is used
image = read_model_image(model, "cells.tif")  # (H, W, 3) in [0, 1]
network = onnxruntime.InferenceSession("{network}")
maps = network.run(None, {{"{input}": image.transpose(2, 0, 1)[None]}})
names = [output.name for output in network.get_outputs()]
labels = model.representation.decode({{name: each[0] for name, each in zip(names, maps)}})
write_labels("cells_label.tiff", labels)  # (H, W), 0 is background
```
`cellbench segment images/ predictions/ --checkpoint {weights}` does all of this without onnxruntime, and
cuts large images into windows. The network takes images of any height and width from 32 pixels on.

The preprocessing in rdf.yaml comes close to the normalisation of cellbench, but is not equal to it:
cellbench leaves out pixels of value 0 when it computes the percentiles, and rounds to 8 bits.

## Checks
On a real image with 512 × 512 pixels and on crops of it with odd sides, the outputs in onnxruntime differ
from those in PyTorch by at most {differences}. The decoded cells have the same F1.
{limitations}"""


def package_readme(about: ModelAbout, network: ExportedNetwork, check: OnnxCheck) -> str:
    """Return the documentation of a package, as Markdown.

    Args:
        about: what the model is.
        network: its network.
        check: the comparison with PyTorch.
    """
    found = [f"{value:.1e} ({name})" for name, value in check.differences.items()]
    return _TEXT.format(
        title=about.title,
        description=about.description,
        version=about.version,
        licence=about.licence,
        authors=", ".join(about.authors),
        initial=f" Training started from: {about.initial_weights}."
        if about.initial_weights
        else "",
        trained_on="\n".join(
            f"- {each.name}, licence {each.licence}: {each.url}" for each in about.trained_on
        ),
        names=" and ".join(f"`{name}`" for name in network.names),
        input=INPUT,
        network=NETWORK,
        weights=WEIGHTS,
        differences=", ".join(found),
        limitations=_limitations(about),
    )


def _limitations(about: ModelAbout) -> str:
    if not about.limitations:
        return ""
    return "\n## Limitations\n" + "\n".join(f"- {each}" for each in about.limitations) + "\n"
