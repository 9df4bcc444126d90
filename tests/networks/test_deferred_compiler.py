"""Building a network does not import PyTorch's compiler; what uses it afterwards finds it unchanged."""

import subprocess
import sys

import pytest

_COMPILER = "'torch._dynamo' in sys.modules, 'sympy' in sys.modules"


def run(code: str) -> str:
    """Return what a new process prints."""
    words = [sys.executable, "-c", f"import sys\nimport torch\n{code}"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    "network",
    [
        "encoder_unet import EncoderUNet as N; n = N({'a': 1}, pretrained=False)",
        "unet import UNet as N; n = N({'a': 1})",
        "manet import MANet as N; n = N({'a': 1}, encoder='mit_b0', pretrained=False)",
    ],
)
def test_networks_start_without_the_compiler(network: str) -> None:
    found = run(
        f"from cellbench.networks.{network}\n"
        "n.eval()(torch.rand(1, 3, 32, 32))\n"
        f"print({_COMPILER})\n"
        "from torchvision.ops import roi_align\n"
        "boxes = torch.tensor([[0, 0, 0, 4, 4.0]])\n"
        "print(roi_align(torch.ones(1, 1, 8, 8), boxes, 1).item())\n"
        "print(torch.compile(n, backend='eager')(torch.rand(1, 3, 32, 32))['a'].shape[2:])\n"
        "from torch._dynamo import config, utils\n"
        "from torchvision.ops.roi_align import is_compile_supported as deferred\n"
        "print(type(config), deferred('cpu') == utils.is_compile_supported('cpu'))"
    )
    assert found.splitlines()[:3] == ["False False", "1.0", "torch.Size([32, 32])"]
    assert found.splitlines()[3].endswith(" True")


_MARK = """
from cellbench.networks.deferred_compiler import deferred_compiler
with deferred_compiler():
    @torch.compiler.disable
    def eager(x):
        return x + float(torch.compiler.is_compiling())
    @torch.compiler.disable(recursive=False)
    def late(x):
        return eager(x)
def plain(x):
    return x + float(torch.compiler.is_compiling())
"""


def test_functions_are_marked_for_the_compiler() -> None:
    found = run(
        f"{_MARK}\n"
        "compiled = torch.compile(lambda x: torch.stack([eager(x), plain(x)]), backend='eager')\n"
        "print(compiled(torch.zeros(())).tolist(), late(torch.zeros(())).item(), eager.__name__)"
    )
    assert found == "[0.0, 1.0] 0.0 eager"


def test_other_names_come_from_the_compiler_itself() -> None:
    found = run(
        "from cellbench.networks.deferred_compiler import deferred_compiler\n"
        "with deferred_compiler():\n"
        "    import torch._dynamo.config\n"
        "compiler, config = torch._dynamo, sys.modules['torch._dynamo.config']\n"
        "print(compiler.__file__ is not None, compiler.convert_frame.config is compiler.config is config)\n"
        "print(config.__spec__.loader is not None, config.__spec__.origin == config.__file__)\n"
    )
    assert found == "True True\nTrue True"
    found = run(
        "from cellbench.networks.deferred_compiler import deferred_compiler\n"
        "with deferred_compiler():\n"
        "    from torch._dynamo.utils import counters\n"
        "print(counters is sys.modules['torch._dynamo.utils'].counters)\n"
        "print([finder for finder in sys.meta_path if 'cellbench' in repr(finder)])"
    )
    assert found == "True\n[]"
