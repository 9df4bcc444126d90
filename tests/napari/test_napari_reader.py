"""Label maps as labels layers: files, folders, splits, and what npe2 reads in the manifest."""

from pathlib import Path

import numpy as np
import pytest
from datasets import make_dataset
from label_maps import discs

import cellbench.napari
from cellbench.errors import LabelMapError
from cellbench.labels import label_path, write_labels
from cellbench.napari import reader
from cellbench.napari.reader import label_map_reader, read_label_layers


def test_a_label_map_becomes_a_labels_layer_with_its_table(tmp_path: Path) -> None:
    labels = discs(shape=(40, 40), seed=1)
    write_labels(label_path(tmp_path, "a"), labels)
    (tmp_path / "a_cells.csv").write_text("id,area_px\n1,20\n2,30\n")
    path = str(label_path(tmp_path, "a"))
    assert label_map_reader(path) is read_label_layers
    ((data, options, kind),) = read_label_layers(path)
    assert (kind, options["name"]) == ("labels", "a labels")
    assert np.array_equal(data, labels)
    assert options["features"].to_dict("list") == {"index": [1, 2], "area_px": [20, 30]}


def test_the_folder_of_a_split_gives_its_label_maps(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "data")
    layers = read_label_layers(str(root / "train"))
    assert [options["name"] for _, options, _ in layers] == ["train0 labels", "train1 labels"]
    assert layers == [] or layers[0][0].shape == (64, 96)
    assert len(read_label_layers(str(root / "train/labels"))) == 2


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert label_map_reader(str(tmp_path / "notes.txt")) is None
    with pytest.raises(LabelMapError, match="no label maps"):
        read_label_layers(str(tmp_path))
    root = make_dataset(tmp_path / "data")
    monkeypatch.setattr(reader, "MOST_FILES", 1)
    with pytest.raises(LabelMapError, match="contains 2 label maps, and at most 1"):
        read_label_layers(str(root / "train"))


def test_the_manifest_is_valid_and_finds_the_reader(tmp_path: Path) -> None:
    npe2 = pytest.importorskip("npe2", reason="needs `pip install cellbench[napari]`")
    path = Path(cellbench.napari.__file__).with_name("napari.yaml")
    manifest = npe2.PluginManifest.from_file(path)
    manifest.validate_imports()
    manager = npe2.PluginManager()
    manager.register(manifest)
    write_labels(label_path(tmp_path, "a"), discs(shape=(40, 40), seed=1))
    names = [str(label_path(tmp_path, "a")), "b_CP_masks.PNG", "c_labels.tif", str(tmp_path)]
    assert all(list(manager.iter_compatible_readers(name)) for name in names)
    # napari asks which plugin to use where several can read a file; it must not ask for other images.
    for name in ("photo.png", "photo.tif", "photo.ome.tif", "a_mask.tif", "label.tif", "array.npy"):
        assert list(manager.iter_compatible_readers(name)) == []
