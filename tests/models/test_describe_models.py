"""What `cellbench models` prints."""

import re
from pathlib import Path

import pytest
import yaml
from outside_packages import on_path, register, write_package

from cellbench.cli import main
from cellbench.models import model_class
from cellbench.models.describe import describe_model
from cellbench.models.names import OWN_MODELS
from cellbench.resources import resource_folder


@pytest.mark.parametrize("name", OWN_MODELS)
def test_every_model_and_option_is_described(name: str) -> None:
    description = describe_model(model_class(name))
    assert "Source: " in description.details
    options = {each.name: each for each in description.options}
    assert {"learning_rate", "weights", "window"} <= options.keys()
    assert not {"network", "representation", "training"} & options.keys()
    for option in options.values():
        assert len(option.meaning) > 20, option.name
        assert "``" not in option.meaning
    if "pretrained" in options:
        assert "Apache-2.0" in description.details


def test_types_and_defaults_are_words() -> None:
    options = {each.name: each for each in describe_model(model_class("multi_stream")).options}
    found = {name: (each.kind, each.default) for name, each in options.items()}
    assert found["rules"] == ("code or paper", "code")
    assert found["value"] == ("list of float, or null", "null")
    assert found["streams"] == ("list of star or hover, or null", "null")
    assert found["star_channels"] == ("list of int", "[256, 128, 64, 32]")
    assert found["pretrained"] == ("bool", "true")
    assert found["learning_rate"] == ("float", "0.0006")


def test_names(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    write_package(tmp_path)
    register(tmp_path, small="lab.unet:LabUNet", broken="lab.absent:Model")
    with on_path(tmp_path):
        assert main(["models", "--names"]) == 0
        assert capsys.readouterr().out.splitlines() == sorted([*OWN_MODELS, "broken", "small"])
        assert main(["models"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert "small: A smaller U-Net." in lines
        (broken,) = [line for line in lines if line.startswith("broken: ")]
        assert "cannot be imported" in broken
        assert main(["models", "small"]) == 0
        shown = capsys.readouterr().out
        assert "class lab.unet.LabUNet, from the package lab" in shown
        assert "  depth (int; default: 2)\n    number of levels." in shown
        assert "There is no config model/small.yaml; training uses the defaults below" in shown


@pytest.mark.parametrize(("name", "parameters"), [("unet", "1,626,072"), ("stardist", "4,469,985")])
def test_what_the_config_sets(
    name: str, parameters: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", name]) == 0
    shown = capsys.readouterr().out
    below = shown.partition(f"`cellbench fit --config base.yaml --config model/{name}.yaml`")[2]
    values = dict(re.findall(r"^  ([a-z_]+\.[a-z_.]+) +(.+)$", below, re.MULTILINE))
    config = yaml.safe_load((resource_folder("configs") / f"model/{name}.yaml").read_text())
    expected = {f"model.{key}": value for key, value in config["model"]["init_args"].items()}
    expected |= {f"data.{key}": value for key, value in config["data"].items()}
    assert {key: yaml.safe_load(value) for key, value in values.items()} == expected
    assert f"The model then has {parameters} parameters." in below


def test_all_models_are_listed_with_their_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert [name for name in OWN_MODELS if f"\n{name}: " in f"\n{out}"] == list(OWN_MODELS)
    assert "residual_units 2; smallest_interior 16" in out
    assert "Every model has: learning_rate 0.0006; " in out


def test_an_unknown_model_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "nonsense"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "choose from affinity, boundary_unet" in line
    assert main(["models", "cellbench.models.unet.UNetBoundary"]) == 0
