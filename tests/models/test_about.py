"""What a published model is, and the files in the repository that say it."""

from pathlib import Path

import pytest
import yaml
from ready_models import ABOUT

from cellbench.entrants.entries import read_entry
from cellbench.errors import CellbenchError
from cellbench.models.about import read_about_file
from cellbench.models.shipped import DEFAULT, shipped_model, shipped_names

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "configs/weights").glob("*_about.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_ready_models_are_described_once_and_their_entrant_says_the_same(path: Path) -> None:
    about = read_about_file(path)
    assert f"{about.name}_about.yaml" == path.name
    assert path.with_name(f"{about.name}.yaml").is_file()
    entry = read_entry(ROOT / "baselines" / about.name)
    assert entry.ready_model == about.name
    assert entry.trained_on == [each.name for each in about.trained_on]
    assert entry.weights_licence == about.licence
    assert {each.licence for each in about.trained_on} <= {"CC0-1.0", "MIT"}


def test_the_default_is_one_of_them() -> None:
    assert DEFAULT in [read_about_file(path).name for path in FILES]


def test_what_is_committed_fits_its_description() -> None:
    for model in map(shipped_model, shipped_names()):
        assert model.about == read_about_file(
            ROOT / f"configs/weights/{model.about.name}_about.yaml"
        )
        assert model.size <= 12e6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence": ""}, "licence: String should have at least 1 character"),
        ({"title": " "}, "title: String should have at least 1 character"),
        ({"version": "1"}, "version: String should match pattern"),
        ({"version": "1.2.٣"}, "version: String should match pattern"),
        ({"description": "a\x1b[2Jb"}, "contains '.x1b', which is not text"),
        ({"name": "../x"}, "name: String should match pattern"),
        ({"trained_on": []}, "trained_on: List should have at least 1 item"),
        ({"cited": "x"}, "cited: Extra inputs are not permitted"),
    ],
)
def test_faults_are_listed(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    (tmp_path / "about.yaml").write_text(yaml.safe_dump(ABOUT | changes))
    with pytest.raises(CellbenchError, match=message):
        read_about_file(tmp_path / "about.yaml")


def test_a_key_that_is_set_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "about.yaml").write_text(yaml.safe_dump(ABOUT) + "licence: MIT\n")
    with pytest.raises(CellbenchError, match="licence is set twice"):
        read_about_file(tmp_path / "about.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CellbenchError, match=r"none\.yaml: cannot be read as YAML"):
        read_about_file(tmp_path / "none.yaml")
