"""True label maps that are kept for the next algorithm, until their files change."""

import os
from pathlib import Path

import numpy as np
import pytest
from label_maps import discs

from cellbench.errors import LabelMapError
from cellbench.evaluation import truths
from cellbench.evaluation.truths import open_truth, truth_shapes
from cellbench.labels import write_labels


def test_a_small_truth_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a_label.tiff"
    write_labels(path, discs())
    first = open_truth(path)
    places = truth_shapes(path, first, None)
    monkeypatch.setattr(truths, "open_labels", lambda _: pytest.fail("was read again"))
    np.testing.assert_array_equal(open_truth(path).whole(), discs())
    assert truth_shapes(path, first, None) is places


def test_a_changed_truth_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a_label.tiff"
    write_labels(path, discs())
    before = truth_shapes(path, open_truth(path), None)
    write_labels(path, discs()[::-1])
    os.utime(path, ns=(0, 1))
    after = open_truth(path)
    np.testing.assert_array_equal(after.whole(), discs()[::-1])
    assert not np.array_equal(truth_shapes(path, after, None)[0].rows, before[0].rows)


def test_a_missing_truth_says_so_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(LabelMapError, match="no such file"):
            open_truth(tmp_path / "a_label.tiff")
