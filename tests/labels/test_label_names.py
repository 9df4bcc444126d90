"""Which image a label map belongs to, by its name."""

from pathlib import Path

import pytest

from cellbench.labels.names import (
    label_stem,
    label_stems,
    match_labels,
    match_stems,
    unmatched_labels,
)


@pytest.mark.parametrize(
    ("stems", "files", "expected"),
    [
        (["a"], ["a"], {"a": "a"}),
        (["a.b"], ["a"], {"a.b": "a"}),  # as the official scripts cut names
        (["a.b", "a.c"], ["a"], {}),  # ambiguous
        (["a.b", "a"], ["a", "a.b"], {"a.b": "a.b", "a": "a"}),
        (["a.b", "a"], ["a"], {"a": "a"}),
        (["a"], ["a.b"], {"a": "a.b"}),  # the truth is named as the official scripts do
        (["a"], ["a.b", "a.c"], {}),
        (["a.b"], ["a.c"], {}),
        (["x"], ["y"], {}),
    ],
)
def test_stems(stems: list[str], files: list[str], expected: dict[str, str]) -> None:
    found = match_stems(stems, {name: Path(name) for name in files})
    assert found == {stem: Path(name) for stem, name in expected.items()}


@pytest.mark.parametrize(
    ("name", "ending", "expected"),
    [
        ("a_label.tiff", "_label", "a"),
        ("A_LABEL.TIF", "_label", "A"),
        ("a_label.ome.tiff", "_label", "a"),
        ("a.b_label.png", "_label", "a.b"),
        ("a_seg.npy", "_seg", "a"),
        ("a-label.tif", "_label", "a"),
        ("a b Masks.png", "_masks", "a b"),
        ("a.label.tif", "_label", "a"),
        ("a.mat", "", "a"),
        ("_label.tiff", "_label", None),
        ("a.jpg", "", None),
        (".tif", "", None),
        ("e\u0301_label.tif", "_label", "\u00e9"),
    ],
)
def test_stem_of_one_name(name: str, ending: str, expected: str | None) -> None:
    assert label_stem(name, ending) == expected


def test_without_images_the_first_ending_counts() -> None:
    assert label_stems(["a.png", "a_label.png", "b_masks.tif"]) == {"a": ["a_label.png"]}
    assert label_stems(["a_masks.tif", "a.tif"]) == {"a": ["a_masks.tif"]}
    assert label_stems(["readme.txt"]) == {}


@pytest.mark.parametrize(
    ("stems", "names", "expected"),
    [
        pytest.param(
            ["a", "b"], ["a_label.tif", "b_label.png"], {"a": "a_label.tif", "b": "b_label.png"},
            id="ours",
        ),
        pytest.param(["a"], ["a_Label.TIF"], {"a": "a_Label.TIF"}, id="upper-case"),
        pytest.param(["Plate"], ["plate.tif"], {"Plate": "plate.tif"}, id="stem-in-another-case"),
        pytest.param(["a", "A"], ["a.tif"], {"a": "a.tif"}, id="exact-before-any-case"),
        pytest.param(["b", "B"], ["b_masks.tif", "B_masks.tif"],
            {"b": "b_masks.tif", "B": "B_masks.tif"}, id="two-cases"),
        pytest.param(["a", "A"], ["x.tif"], {}, id="nothing"),
        pytest.param(
            ["a", "b"], ["a.png", "b.png", "a_cp_masks.png"], {"a": "a_cp_masks.png"},
            id="images-beside-label-maps",
        ),
        pytest.param(["a"], ["a_seg.npy", "a_cp_masks.tif"], {"a": "a_cp_masks.tif"}, id="preferred"),
        pytest.param(["000_img"], ["000_masks.png"], {"000_img": "000_masks.png"}, id="cellpose"),
        pytest.param(["000_img"], ["000_img_cp_masks.png"], {"000_img": "000_img_cp_masks.png"},
            id="cellpose-output"),
        pytest.param(["image_001"], ["mask_001.png"], {"image_001": "mask_001.png"}, id="prefixes"),
        pytest.param(["001"], ["mask_001.png"], {"001": "mask_001.png"}, id="prefix"),
        pytest.param(["mask_001"], ["image_001_cp_masks.png"], {"mask_001": "image_001_cp_masks.png"},
            id="truth-with-a-prefix"),
        pytest.param(["man_seg007"], ["mask007.tif"], {"man_seg007": "mask007.tif"}, id="tracking"),
        pytest.param(["less"], ["maskless.tif"], {}, id="words-that-begin-with-mask"),
        pytest.param(["b.x.y"], ["b.x.y.png_masks.tif"], {"b.x.y": "b.x.y.png_masks.tif"},
            id="with-the-extension-of-the-image"),
        pytest.param(["1"], ["1_label.tif", "img_1_label.tif"], {"1": "1_label.tif"},
            id="alike-before-similar"),
        pytest.param(["b"], ["b.x_label.tiff"], {"b": "b.x_label.tiff"}, id="first-dot-of-a-label-map"),
        pytest.param(["a.ome"], ["a_masks.tif"], {"a.ome": "a_masks.tif"}, id="ome-image"),
        pytest.param(["a.ome"], ["a.ome.tif"], {"a.ome": "a.ome.tif"}, id="ome-plain"),
        pytest.param(["a.b"], ["a_label.tiff"], {"a.b": "a_label.tiff"}, id="first-dot"),
        pytest.param(["a", "a_mask"], ["a_mask_mask.tif", "a_mask.tif"],
            {"a": "a_mask.tif", "a_mask": "a_mask_mask.tif"}, id="ending-in-a-stem"),
        pytest.param(["a", "a_mask"], ["a.tif", "a_mask.tif"],
            {"a": "a.tif", "a_mask": "a_mask.tif"}, id="plain-names-with-an-ending"),
        pytest.param(["a", "a_mask"], ["a_label.tif", "a_mask_label.tif"],
            {"a": "a_label.tif", "a_mask": "a_mask_label.tif"}, id="ours-with-an-ending"),
    ],
)  # fmt: skip
def test_label_maps_of_images(stems: list[str], names: list[str], expected: dict[str, str]) -> None:
    assert match_labels(stems, names) == {stem: [name] for stem, name in expected.items()}
    assert match_labels(stems, names[::-1]) == {stem: [name] for stem, name in expected.items()}


@pytest.mark.parametrize(
    ("names", "unmatched"),
    [
        (["a_label.tif", "x_label.tif"], ["x_label.tif"]),
        (["a_cp_masks.png", "a_seg.npy", "a.tif", "a_flows.tif", "a_cp_outlines.png"], []),
        (["a_label.tif", "b.tif"], ["b.tif"]),  # b has no label map
        (["a_label.tif", "b_flows.tif"], ["b_flows.tif"]),
        (["A_MASKS.tif", "A.tif"], []),
    ],
)
def test_unmatched_files(names: list[str], unmatched: list[str]) -> None:
    stems = ["a", "b"]
    assert unmatched_labels(stems, names, match_labels(stems, names)) == unmatched


def test_files_that_differ_in_the_extension_are_both_returned() -> None:
    assert match_labels(["a"], ["a.tif", "a.png"]) == {"a": ["a.tif", "a.png"]}
