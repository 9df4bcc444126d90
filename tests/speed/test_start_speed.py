"""The start of a program with a network, against the plain import of timm or MONAI: `make bench`."""

import numpy as np
import pytest
from peers import in_a_process, report

_NETWORKS = {
    "timm": "from cellbench.networks.encoder_unet import EncoderUNet as N; N({'a': 1}, pretrained=False)",
    "monai.networks.nets": "from cellbench.networks.unet import UNet as N; N({'a': 1})",
}


@pytest.mark.parametrize("library", _NETWORKS)
def test_start_without_the_compiler(library: str) -> None:
    """The peer imports the library itself first, and with it PyTorch's compiler."""
    built = f"{_NETWORKS[library]}; import time; print(time.process_time())"
    taken = []
    for _ in range(4):
        taken.append([*in_a_process(built), *in_a_process(f"import {library}; {built}")])
    ours, theirs = np.median(taken[1:], axis=0)
    assert report(f"start with a network of {library}", ours, f"import {library}", theirs) > 1.15
