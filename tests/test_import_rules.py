"""Who may import whom (see ARCHITECTURE.md): the light half needs no torch, networks need no Lightning."""

import ast
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkpoints import save_checkpoint, tiny_model

import cellbench
from cellbench.cli import VERBS
from cellbench.extras import TRAIN_PACKAGES

PACKAGE = Path(cellbench.__file__).parent
HEAVY_ROOMS = {"inference", "models", "networks", "representations", "training"}
PLUGIN_ROOM = "napari"  # uses all others, and none of them imports it
HEAVY = {*TRAIN_PACKAGES, "csbdeep", "lightning", "stardist", "tensorboard"}
EVERYWHERE = {
    "choices",
    "compiling",
    "csv_tables",
    "csv_text",
    "decimal_signs",
    "errors",
    "extras",
    "files",
    "folders",
    "lazy",
    "locks",
    "progress",
    "resources",
    "unpacking",
}
LIGHT_ROOMS = {
    "images": set(),
    "labels": {"images"},
    "data": {"images", "labels"},
    "evaluation": {"data", "images", "labels"},
    "ranking": set(),
    "boards": {"entrants.entries", "evaluation", "images", "labels", "ranking"},
    "report": {"boards", "data", "evaluation", "images", "labels", "ranking"},
    "entrants": {
        "data",
        "images",
        "labels",
        "evaluation.journal",
        "evaluation.runtimes",
        "evaluation.seals",
        "evaluation.statuses",
    },
}
"""Rooms of the light half, and the rooms or modules that each may import."""

LAZY = {
    # Verbs of the heavy half; each imports it inside a function, so that its help starts at once.
    ("cli", "training.cli"),
    ("commands.export", "inference"),
    ("commands.export", "models"),
    ("commands.model_options", "models"),
    ("commands.models", "models"),
    ("commands.profile", "inference"),
    ("commands.pseudo_label", "inference"),
    ("commands.segment", "inference"),
    ("commands.tune", "inference"),
    # Names that were first offered here; they are imported when they are used.
    ("evaluation.metric", "training.metric"),
    ("ranking", "boards"),
}
"""Exceptions, imported only when they are used: the importing module, and the room or module it imports."""

MODULES = sorted(
    info.name.removeprefix("cellbench.")
    for info in pkgutil.walk_packages(cellbench.__path__, "cellbench.")
)


def room_of(module: str) -> str:
    return module.partition(".")[0]


def path_of(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def is_below(module: str, names: set[str]) -> bool:
    """Return whether a module is one of the names, or inside one of them."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


def imports(tree: ast.AST, *, top_level: bool = False) -> Iterator[str]:
    """List the full names of all imported modules, also inside functions; none for type checkers only.

    Args:
        tree: the syntax tree of a module or a part of it.
        top_level: leave out what is imported when a function runs.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not followed here"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from imports(ast.Module(node.orelse, []), top_level=top_level)
        elif isinstance(node, ast.Constant) and re.fullmatch(r"cellbench(\.\w+)+", str(node.value)):
            if not top_level:  # names for lazy_names and import_module
                yield str(node.value)
        elif not (top_level and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            yield from imports(node, top_level=top_level)


def own_imports(module: str, *, top_level: bool = False) -> set[str]:
    """Return which modules of cellbench a module imports."""
    tree = ast.parse(path_of(module).read_text("utf-8"))
    names = {name.removeprefix("cellbench.") for name in imports(tree, top_level=top_level)}
    # `from room import name` may import the module room.name, or a name that the room defines
    return {name for name in names if name in MODULES}


def foreign_imports(module: str) -> set[str]:
    tree = ast.parse(path_of(module).read_text("utf-8"))
    tops = {room_of(name) for name in imports(tree)}
    return tops - set(sys.stdlib_module_names) - {"cellbench"}


def unruly(module: str) -> set[str]:
    """Return what a module of the light half imports against the rules."""
    room = room_of(module)
    allowed = LIGHT_ROOMS.get(room, {*LIGHT_ROOMS, "commands"}) | EVERYWHERE | {room}
    lazy = {name for importer, name in LAZY if importer == module}
    later = {name for name in own_imports(module) if not is_below(name, allowed | lazy)}
    at_once = {name for name in own_imports(module, top_level=True) if not is_below(name, allowed)}
    return later | at_once | (foreign_imports(module) & HEAVY)


LIGHT = [module for module in MODULES if room_of(module) not in {*HEAVY_ROOMS, PLUGIN_ROOM}]


def test_every_room_has_a_rule() -> None:
    rooms = {room_of(module) for module in MODULES}
    assert rooms <= {*LIGHT_ROOMS, *HEAVY_ROOMS, *EVERYWHERE, "cli", "commands", PLUGIN_ROOM}
    files = {path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py")}
    names = {".".join(path.parts).removesuffix(".__init__") for path in files} - {"__init__"}
    assert names == set(MODULES), "every file is in a package that is walked"


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_only_what_their_room_may(module: str) -> None:
    assert unruly(module) == set()


def test_allowed_exceptions_are_needed() -> None:
    for importer, name in LAZY:
        assert any(is_below(each, {name}) for each in own_imports(importer)), (importer, name)


@pytest.mark.parametrize(
    "module", [each for each in MODULES if room_of(each) in ("networks", "representations")]
)
def test_networks_and_representations_name_no_lightning_nor_models(module: str) -> None:
    assert foreign_imports(module).isdisjoint({"pytorch_lightning", "lightning", "torchmetrics"})
    rooms = {room_of(name) for name in own_imports(module)}
    assert rooms.isdisjoint({"inference", "models", "training", "commands", "cli"})


WIDGETS = f"{PLUGIN_ROOM}.widgets"


@pytest.mark.parametrize("module", MODULES)
def test_only_the_plugin_uses_napari_and_nobody_uses_the_plugin(module: str) -> None:
    if not is_below(module, {WIDGETS}):
        assert foreign_imports(module).isdisjoint({"napari", "magicgui", "npe2", "qtpy", "superqt"})
    if room_of(module) != PLUGIN_ROOM:
        assert not any(room_of(name) == PLUGIN_ROOM for name in own_imports(module))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import torch.nn", {"torch"}),
        ("def f():\n    from torch import nn", {"torch"}),
        ("try:\n    import monai\nexcept ImportError:\n    monai = None", {"monai"}),
        ("class A:\n    def f(self):\n        if 1:\n            import timm", {"timm"}),
        ("from cellbench.inference.segment import x", {"inference.segment"}),
        ("from cellbench import training", {"training"}),
        ("lazy_names(__name__, {'x': 'cellbench.models.base'})", {"models.base"}),
        ("if TYPE_CHECKING:\n    import torch", set()),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import torch", {"torch"}),
    ],
)
def test_the_walk_finds_imports(
    source: str, found: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images.py").write_text(source)
    monkeypatch.setattr("test_import_rules.PACKAGE", tmp_path)
    assert unruly("images") == found


BLOCK = """
import importlib, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked", name=name)
sys.meta_path.insert(0, Blocker())
for module in {modules!r}:
    importlib.import_module(f"cellbench.{{module}}")
"""


def import_with_blocked(modules: list[str], blocked: set[str]) -> subprocess.CompletedProcess[str]:
    code = BLOCK.format(modules=modules, blocked=blocked)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_light_modules_import_where_nothing_heavy_is_installed() -> None:
    """Also what they import through others, inside cellbench and in other packages."""
    result = import_with_blocked(LIGHT, HEAVY)
    assert result.returncode == 0, result.stderr


def test_networks_and_representations_import_without_lightning() -> None:
    modules = [each for each in MODULES if room_of(each) in ("networks", "representations")]
    result = import_with_blocked(modules, {"pytorch_lightning", "lightning"})
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "name", ["inference.load_model", "models.DenseModel", "evaluation.metric.CellF1"]
)
def test_names_of_the_heavy_half_say_what_to_install(name: str) -> None:
    package, _, attribute = name.rpartition(".")
    code = (
        f"import sys; sys.modules |= dict.fromkeys({sorted(HEAVY)!r})\n"  # cannot be imported
        "import cellbench.models; assert 'unet' in cellbench.models.list_models()\n"
        f"from cellbench.{package} import {attribute}"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = answer.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ModuleNotFoundError: cellbench.{package}.{attribute}: needs packages")
    assert 'pip install "cellbench[train]"' in last


def test_the_block_holds() -> None:
    assert "torch is blocked" in import_with_blocked(["networks.unet"], HEAVY).stderr


SHOW = "import sys, json; print(json.dumps([m for m in sys.modules if '.' not in m]))"


def modules_after(statement: str) -> set[str]:
    answer = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{SHOW}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(answer.stdout.splitlines()[-1]))


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help_imports_nothing_heavy(verb: str) -> None:
    ask = f"from cellbench.cli import main; assert main(['{verb}', '--help']) == 0"
    slow = {"numpy", "pandas", "torch", "scipy", "matplotlib", "tifffile", "pydantic"}
    assert modules_after(ask).isdisjoint(slow)


@pytest.mark.parametrize(
    "words",
    [
        ["evaluate", "absent", "absent"],
        ["run", "otsu_watershed", "--data", "absent", "--out", "absent"],
    ],
)
def test_verbs_of_the_light_half_need_no_torch(words: list[str]) -> None:
    run = f"from cellbench.cli import main; assert main({words!r}) == 1"
    assert modules_after(run).isdisjoint(HEAVY)


def test_segmenting_imports_only_what_the_network_needs(tmp_path: Path) -> None:
    """Each import below would take longer than segmenting an image, at every start of an entrant."""
    checkpoint = save_checkpoint(tiny_model("cellpose"), tmp_path / "cellpose.ckpt")
    code = (
        "from cellbench.inference import load_models, segment_files\n"
        "import numpy as np, cellbench.inference.serve\n"
        "from cellbench.inference import segment_image\n"
        f"models = load_models([{str(checkpoint)!r}], 'cpu')\n"
        "segment_image(models, np.zeros((64, 64, 3), np.float32))"
    )
    slow = (HEAVY - {"torch", "einops", "safetensors"}) | {"pandas", "skimage", "sklearn"}
    assert modules_after(code).isdisjoint(slow)
