"""Class paths: whatever the code of a module does, a path that cannot be used is one line."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from outside_packages import on_path, write_package

from cellbench.cli import main
from cellbench.errors import UsageError
from cellbench.models.class_paths import import_model, import_object

MODULES = {
    "runtime": ("raise RuntimeError('no\\nlicence')", "(RuntimeError: no licence); correct its"),
    "stop": ("raise SystemExit(3)", "(SystemExit: 3); correct its module"),
    "zero": ("1 / 0", "(ZeroDivisionError: division by zero)"),
    "syntax": ("def (", "(SyntaxError: invalid syntax"),
    "needs": ("import absent_dependency", "(ModuleNotFoundError: No module named 'absent_depen"),
    "attribute": ("import os\nos.absent", "(AttributeError: module 'os' has no attribute 'absent'"),
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    with on_path(write_package(tmp_path / "site")):
        for name, (code, _) in MODULES.items():
            (tmp_path / f"site/lab/{name}.py").write_text(code)
        yield tmp_path / "site"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_fails_is_one_line_that_says_why(
    name: str, lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["fit", "--model", f"lab.{name}.X"], ["models", f"lab.{name}.X"]):
        assert main(words) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"cellbench: model class lab.{name}.X: cannot be imported")
        assert MODULES[name][1] in line


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("lab.unet.LabUnet", r"\(lab.unet has no LabUnet; did you mean LabUNet.*\); check its sp"),
        ("lab.unett.LabUNet", r"\(lab has no unett; did you mean unet\?\)"),
        ("labb.unet.LabUNet", r"\(No module named 'labb'\); install its package"),
        ("lab.unet.LabUNet.qqq", r"\(lab.unet.LabUNet has no qqq\)"),
        ("lab..unet", r"\(not written as package.module.Class\)"),
        ("../lab.unet", r"\(not written as"),
        ("", r"\(not written as"),
    ],
)
def test_a_wrong_path_names_what_is_near(path: str, message: str, lab: Path) -> None:
    with pytest.raises(UsageError, match=message):
        import_model(path)


def test_nested_classes_and_packages_without_init_are_found(lab: Path) -> None:
    (lab / "space/inner").mkdir(parents=True)
    (lab / "space/inner/models.py").write_text(
        "from lab.unet import LabUNet\nclass Outer:\n    class Model(LabUNet):\n        pass\n"
    )
    try:
        assert import_model("space.inner.models.Outer.Model").__qualname__ == "Outer.Model"
    finally:
        for name in [each for each in sys.modules if each.split(".")[0] == "space"]:
            del sys.modules[name]


def test_a_class_with_the_name_of_its_module_is_the_class(lab: Path) -> None:
    (lab / "lab/__init__.py").write_text("from lab.unet import LabUNet as unet\n")
    assert import_object("lab.unet").__name__ == "LabUNet"
    assert import_object("lab.unet.LabUNet").__name__ == "LabUNet"
