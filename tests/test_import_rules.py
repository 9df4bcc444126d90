"""Who may import whom (see the design): scoring starts light, networks know no Lightning."""

import json
import subprocess
import sys

import pytest

from cellbench.cli import VERBS

SHOW = "import sys, json; print(json.dumps([m for m in sys.modules if '.' not in m]))"


def modules_after(statement: str) -> set[str]:
    answer = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{SHOW}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(answer.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "room",
    [
        "images",
        "labels",
        "evaluation",
        "ranking",
        "report",
        "data.folder",
        "data.grouping",
        "data.importers",
        "data.download",
        "data.describe",
        "data.sample",
    ],
)
def test_rooms_without_torch(room: str) -> None:
    assert modules_after(f"import cellbench.{room}").isdisjoint({"torch", "pytorch_lightning"})


@pytest.mark.parametrize(
    "room", ["networks.unet", "networks.windows", "networks.streams", "representations.joint"]
)
def test_rooms_without_lightning(room: str) -> None:
    found = modules_after(f"import cellbench.{room}")
    assert found.isdisjoint({"pytorch_lightning", "lightning", "monai"})


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help_imports_nothing_heavy(verb: str) -> None:
    ask = f"from cellbench.cli import main; assert main(['{verb}', '--help']) == 0"
    heavy = {"numpy", "pandas", "torch", "scipy", "matplotlib", "tifffile", "pydantic"}
    assert modules_after(ask).isdisjoint(heavy)


def test_evaluating_needs_no_torch() -> None:
    run = "from cellbench.cli import main; assert main(['evaluate', 'absent', 'absent']) == 1"
    assert "torch" not in modules_after(run)
