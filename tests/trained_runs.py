"""A small trained run, and commands about it."""

from pathlib import Path
from typing import NamedTuple

import pytest
from datasets import make_dataset
from training_runs import fit_words

from cellbench.cli import main

SMALL = ("--model.channels", "[4, 8]", "--model.residual_units", "1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a dataset and a trained run."""
    folder = tmp_path_factory.mktemp("trained")
    data = make_dataset(folder / "data", images=2)
    assert main([*fit_words("unet", folder / "run", data), *SMALL]) == 0
    return folder


def words(verb: str, folder: Path, run: str = "run") -> list[str]:
    return [verb, *fit_words("unet", folder / run, folder / "data")[1:], *SMALL]


class Command(NamedTuple):
    """Runs a command line; what is logged counts as written to standard error."""

    capsys: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture

    def __call__(self, line: list[str], status: int = 0) -> tuple[str, str]:
        self.capsys.readouterr()
        self.caplog.clear()
        assert main(line) == status
        out, err = self.capsys.readouterr()
        return out, "\n".join([*self.caplog.messages, err])


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Command:
    return Command(capsys, caplog)
