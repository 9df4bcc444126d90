"""What pyproject.toml declares is what the code imports, and constraints.txt pins it."""

import ast
import re
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from test_import_rules import HEAVY_ROOMS, LIGHT, MODULES, foreign_imports, imports, room_of

from cellbench.extras import EXPORT_PACKAGES, FORMAT_PACKAGES, TRAIN_PACKAGES
from cellbench.networks.encoder import WEIGHT_PACKAGES

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
# Declared for other packages, which need them for what cellbench uses, and the reference that tests and
# benchmarks compare with; pyproject.toml says so.
NOT_IMPORTED = {"torchvision", "einops", "stardist"}


installed = cache(packages_distributions)


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> set[str]:
    return {normalised(re.match(r"[\w.-]+", each)[0]) for each in requirements}


def distributions(modules: set[str]) -> set[str]:
    """Return the names of the distributions that install these top-level modules."""
    known = installed()
    return {normalised(known[module][0]) for module in modules}


def imported(modules: list[str]) -> set[str]:
    return distributions({name for module in modules for name in foreign_imports(module)})


OPTIONAL = declared(EXTRAS["distributed"] + EXTRAS["tensorboard"])


def test_base_dependencies_are_what_the_light_half_and_the_baselines_import() -> None:
    programs = [ast.parse(path.read_text("utf-8")) for path in ROOT.glob("baselines/*/*.py")]
    tops = {name.partition(".")[0] for tree in programs for name in imports(tree)}
    known = installed()
    of_baselines = distributions({name for name in tops if name in known} - {"cellbench"})
    assert imported(LIGHT) - OPTIONAL | of_baselines == declared(PROJECT["dependencies"])


def test_training_dependencies_are_what_the_heavy_half_imports_beside_them() -> None:
    heavy = imported([each for each in MODULES if room_of(each) in HEAVY_ROOMS]) - OPTIONAL
    beside = heavy - declared(PROJECT["dependencies"])
    assert beside == declared(EXTRAS["train"]) - NOT_IMPORTED


def test_the_names_of_the_missing_packages_are_those_of_the_extra() -> None:
    assert {normalised(name) for name in TRAIN_PACKAGES} == declared(EXTRAS["train"])
    assert {*FORMAT_PACKAGES} == declared(EXTRAS["formats"])
    assert {normalised(name) for name in EXPORT_PACKAGES} == declared(EXTRAS["export"])


@pytest.mark.parametrize(
    "extra",
    [None, "train", "pretrained", "formats", "distributed", "tensorboard", "export", "napari"],
)
def test_every_dependency_has_a_lower_bound_and_a_tested_version(extra: str | None) -> None:
    requirements = PROJECT["dependencies"] if extra is None else EXTRAS[extra]
    assert all(">=" in each for each in requirements)
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {normalised(line.partition("==")[0]) for line in lines if "==" in line}
    assert declared(requirements) <= pinned


def test_the_packages_with_weights_are_those_of_the_extra() -> None:
    assert {*WEIGHT_PACKAGES.values()} == declared(EXTRAS["pretrained"])


def test_development_installs_everything() -> None:
    assert "cellbench[train,pretrained,tensorboard,formats,distributed]" in EXTRAS["dev"]
    assert "cellbench[export]" in EXTRAS["dev"]
