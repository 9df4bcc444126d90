"""An import that is killed: the files that exist are complete, and the same command adds the rest."""

import random
from pathlib import Path

import numpy as np
import pytest
from boards import files
from killed import run_and_kill
from PIL import Image

from cellbench.data.folder import read_dataset
from cellbench.data.importers import import_dataset
from cellbench.errors import DatasetError
from cellbench.images import read_raw
from cellbench.labels import read_labels
from cellbench.locks import locked_folder

IMAGES = 40


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write images whose label maps are PNG files, which the import writes as TIFF."""
    rng = np.random.default_rng(22)
    for name in ("images", "labels"):
        (tmp_path / "source" / name).mkdir(parents=True)
        for number in range(IMAGES):
            pixels = rng.integers(0, 200, (120, 150), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "source" / name / f"{number}.png")
    return tmp_path / "source"


def test_a_killed_import_is_continued(source: Path, tmp_path: Path) -> None:
    expected, root = tmp_path / "expected", tmp_path / "root"
    import_dataset("folder", source, expected)
    code = (
        "import sys; from cellbench.data.importers import import_dataset\n"
        "print(flush=True); import_dataset('folder', *sys.argv[1:])"
    )
    rng, found = random.Random(22), [0]
    for _ in range(4):
        run_and_kill(code, source, root, after_s=rng.uniform(0.05, 0.6))
        images = [path for path in root.glob("*/images/*") if not path.name.startswith(".")]
        for path in images:
            labels = path.parents[1] / "labels" / f"{path.stem}_label.tiff"
            assert read_labels(labels).shape == read_raw(path).shape[:2] == (120, 150)
        assert len(images) >= found[-1]
        found.append(len(images))
    for folder in (root / "train" / "labels", root / "test" / "images"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".7.99.partial.tiff").write_bytes(b"half")
    import_dataset("folder", source, root)
    assert files(root) == files(expected)
    assert len(list(read_dataset(root))) == IMAGES


def test_two_imports_at_the_same_time(source: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    with (
        locked_folder(root, DatasetError),
        pytest.raises(DatasetError, match=f"{root}: another cellbench process is writing"),
    ):
        import_dataset("folder", source, root)
    assert list(root.iterdir()) == []
