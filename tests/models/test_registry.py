"""Which models are known by name, and which classes a checkpoint may load."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from outside_packages import on_path, register, write_package

import cellbench.models
from cellbench.cli import main
from cellbench.errors import CellbenchError, UsageError
from cellbench.models import InstanceSegmentationModel, list_models, model_class
from cellbench.models.class_paths import check_loadable, import_model
from cellbench.models.names import OWN_MODELS, class_path
from cellbench.models.registry import (
    is_registered,
    model_class_words,
    resolve_class_path,
    resolve_model_words,
)
from cellbench.models.unet import UNetBoundary


def test_every_concrete_model_of_cellbench_is_registered() -> None:
    found = set()
    for path in Path(cellbench.models.__file__).parent.glob("*.py"):
        module = importlib.import_module(f"cellbench.models.{path.stem}")
        found |= {
            class_path(each)
            for each in vars(module).values()
            if isinstance(each, type)
            and issubclass(each, InstanceSegmentationModel)
            and not inspect.isabstract(each)
            and each.__module__ == module.__name__
        }
    assert found - {"cellbench.models.dense.DenseModel"} == set(OWN_MODELS.values())


def test_listing_imports_no_torch() -> None:
    ask = (
        "import sys; from cellbench.cli import main; main(['models', '--names']); "
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == list_models()


def test_installed_packages_add_models(tmp_path: Path) -> None:
    write_package(tmp_path)
    register(tmp_path, small="lab.unet:LabUNet")
    before = list_models()
    with on_path(tmp_path):
        assert list_models() == sorted([*before, "small"])
        assert "lab" not in sys.modules
        assert model_class("small").__name__ == "LabUNet"
        assert resolve_class_path("small") == "lab.unet.LabUNet"
        assert is_registered("lab.unet.LabUNet")
        assert not is_registered("lab.loud.Loud")
        assert model_class_words(model_class("small")) == []
    assert list_models() == before


def test_a_class_may_be_registered_under_a_shorter_path(tmp_path: Path) -> None:
    write_package(tmp_path)
    (tmp_path / "lab/__init__.py").write_text("from lab.unet import LabUNet\n")
    register(tmp_path, small="lab:LabUNet")
    with on_path(tmp_path):
        assert is_registered("lab.unet.LabUNet")
        assert "lab.loud" not in sys.modules


def test_one_name_in_two_packages_is_an_error_that_names_both(tmp_path: Path) -> None:
    register(tmp_path, "first-lab", mine="a:B")
    register(tmp_path, "second-lab", mine="c:D")
    with on_path(tmp_path), pytest.raises(CellbenchError, match="'mine'") as error:
        list_models()
    assert {"first-lab", "second-lab"} <= set(str(error.value).replace(";", "").split())
    register(tmp_path / "own", "third-lab", unet="a:B")
    with on_path(tmp_path / "own"), pytest.raises(CellbenchError, match="cellbench and third-lab"):
        list_models()


def test_checkpoints_load_where_two_packages_have_one_name(tmp_path: Path) -> None:
    write_package(tmp_path)
    register(tmp_path, "first-lab", unet="lab.unet:LabUNet")
    register(tmp_path, "second-lab", mine="lab.spots:Spots")
    register(tmp_path, "third-lab", mine="absent:Model")
    with on_path(tmp_path):
        assert all(
            map(is_registered, ["lab.unet.LabUNet", "lab.spots.Spots", *OWN_MODELS.values()])
        )
        assert "lab" not in sys.modules


def test_entry_points_may_have_spaces_and_extras(tmp_path: Path) -> None:
    write_package(tmp_path)
    register(tmp_path, small="lab.unet : LabUNet [gpu]")
    with on_path(tmp_path):
        assert resolve_class_path("small") == "lab.unet.LabUNet"


@pytest.mark.parametrize(
    "value", ["absent.module:Model", "lab.stop:Model", "lab.unet:Absent", "lab.unet", "os:path"]
)
def test_a_broken_registration_harms_no_other_model(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(tmp_path)
    (tmp_path / "lab/stop.py").write_text("raise SystemExit(4)")
    register(tmp_path, broken=value)
    with on_path(tmp_path):
        assert not is_registered("lab.loud.Loud")
        assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert f"broken: model class {value.replace(':', '.')}: " in out
    assert "unet: Residual U-Net" in out


@pytest.mark.parametrize(
    ("words", "resolved"),
    [
        (["--model", "unet"], ["--model", OWN_MODELS["unet"]]),
        (["--model=unet"], [f"--model={OWN_MODELS['unet']}"]),
        (["--model", "UNetBoundary"], ["--model", OWN_MODELS["unet"]]),
        (["--model.help", "unet"], ["--model.help", OWN_MODELS["unet"]]),
        (["--model", OWN_MODELS["unet"]], ["--model", OWN_MODELS["unet"]]),
        (["--model", "cellbench.models.unet:UNetBoundary"], ["--model", OWN_MODELS["unet"]]),
        (["--model", "model.yaml"], ["--model", "model.yaml"]),
        (["--model", '{"class_path": "x.Y"}'], ["--model", '{"class_path": "x.Y"}']),
        (["--data.root", "unet"], ["--data.root", "unet"]),
    ],
)
def test_names_on_the_command_line(words: list[str], resolved: list[str]) -> None:
    assert resolve_model_words(words) == resolved


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nonsense", "'nonsense': not known; choose from .*unet"),
        ("unett", "'unett': not known; did you mean unet"),
        ("absent.module.Model", "No module named 'absent'.*PYTHONPATH"),
        ("cellbench.models.unet.Absent", "cannot be imported"),
        ("cellbench.errors.CellbenchError", "not a subclass"),
        ("cellbench.models.unet", "not a subclass"),
    ],
)
def test_what_is_not_a_model_is_one_line(model: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        import_model(resolve_class_path(model))
    assert "\n" not in str(error.value)


def test_a_class_without_its_methods_is_not_trained() -> None:
    with pytest.raises(UsageError, match="does not define loss, segment, targets"):
        resolve_model_words(["--model", "cellbench.models.InstanceSegmentationModel"])


class Nested:
    class Inner(UNetBoundary):
        pass


def test_classes_that_cannot_be_loaded_again() -> None:
    class Local(UNetBoundary):
        pass

    check_loadable(UNetBoundary)
    check_loadable(Nested.Inner)
    with pytest.raises(UsageError, match="inside a function"):
        check_loadable(Local)
    hidden = type("Hidden", (UNetBoundary,), {"__module__": __name__})
    with pytest.raises(UsageError, match="cannot be imported"):
        check_loadable(hidden)
    other = type("Nested", (UNetBoundary,), {"__module__": __name__})
    with pytest.raises(UsageError, match="another object"):
        check_loadable(other)
    script = type("Script", (UNetBoundary,), {"__module__": "__main__"})
    with pytest.raises(UsageError, match="script"):
        check_loadable(script)
