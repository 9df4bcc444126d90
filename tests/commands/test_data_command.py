"""`cellbench data`: its choices are those of the rooms behind it, and its help has examples."""

import pytest

from cellbench.cli import main
from cellbench.commands import data, data_export, data_import
from cellbench.data import folder, mask_table
from cellbench.data.download import DATASETS
from cellbench.data.exporters import EXPORTERS
from cellbench.data.importers import IMPORTERS


def test_choices_are_those_that_exist() -> None:
    assert tuple(DATASETS) == data.DOWNLOADS
    assert tuple(IMPORTERS) == data_import.IMPORTERS
    assert tuple(EXPORTERS) == data_export.EXPORTERS
    assert data_import.SPLITS == folder.SPLITS
    assert data_import.MODALITIES == folder.MODALITIES
    assert data_import.ORDERS == mask_table.ORDERS


@pytest.mark.parametrize(
    "verb",
    ["sample", "download", "describe", "rescale", "subset", "split", "leaks", "import", "export"],
)
def test_help_has_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", verb, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"example: cellbench data {verb} " in text


@pytest.mark.parametrize(
    "words",
    [
        ["download", "nonsense", "folder"],
        ["import", "nonsense", "source", "root"],
        ["import", "folder", "source", "root", "--split", "nonsense"],
        ["export", "source", "out", "--to", "nonsense"],
    ],
)
def test_unknown_choices_are_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", *words]) == 2
    assert "invalid choice: 'nonsense'" in capsys.readouterr().err
