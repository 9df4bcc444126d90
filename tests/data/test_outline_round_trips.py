"""Label maps that are exported to other tools' formats and imported again are the same cells."""

from pathlib import Path

import numpy as np
import pytest
from label_maps import discs, touching
from PIL import Image

from cellbench.data.exporters import export_labels
from cellbench.data.folder import read_dataset
from cellbench.data.importers import import_dataset
from cellbench.labels import LabelMap, read_labels, relabel, write_labels

HOLES = np.array([[0, 7, 7, 7, 0, 9], [0, 7, 0, 7, 9, 0], [0, 7, 7, 7, 0, 3], [2, 0, 0, 0, 0, 2]])
TRUTH: dict[str, LabelMap] = {
    "discs": discs(seed=1),
    "empty.map": np.zeros((5, 7), np.uint16),
    "holes and pieces": HOLES,
    "touching": touching(),
}


@pytest.mark.parametrize("form", ["geojson", "imagej-roi", "cellpose"])
def test_the_same_cells_come_back(form: str, tmp_path: Path) -> None:
    if form == "imagej-roi":
        pytest.importorskip("roifile", reason="needs roifile")
    source = tmp_path / "source"
    (source / "images").mkdir(parents=True)
    for level, (stem, labels) in enumerate(TRUTH.items()):
        write_labels(tmp_path / "maps" / f"{stem}_label.tiff", labels)
        Image.fromarray(np.full(labels.shape, level, np.uint8)).save(source / f"images/{stem}.png")
    export_labels(tmp_path / "maps", source / "labels", form)
    report = import_dataset("folder", source, tmp_path / "root", split="test")
    assert report.images == len(TRUTH)
    assert report.problems == []
    for image in read_dataset(tmp_path / "root"):
        assert image.labels is not None
        np.testing.assert_array_equal(
            relabel(read_labels(image.labels)), relabel(TRUTH[image.stem])
        )
