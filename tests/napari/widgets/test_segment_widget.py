"""The widget that segments: in a thread, with progress, a table and a button to cancel."""

from pathlib import Path

import numpy as np
from label_maps import discs
from napari_session import Session

from cellbench.napari.planes import layer_planes
from cellbench.napari.segmenting import SegmentOptions, segment_planes


def picture(shape: tuple[int, int] = (100, 90)) -> np.ndarray:
    return (40 + 150 * (discs(shape=shape, seed=1) > 0)).astype(np.uint8)


def test_a_layer_is_segmented(session: Session, trained: Path) -> None:
    layer = session.viewer.add_image(picture(), name="plate", scale=(2, 3), translate=(5, 7))
    widget = session.dock("Segment")
    assert widget.image.value is layer
    widget.model.add(trained)
    widget.start.native.click()
    assert not widget.start.enabled
    assert widget.cancel.enabled
    session.wait(lambda: widget.start.enabled)
    assert widget.diameter.value == "estimate"  # as for every weights file
    expected = segment_planes(layer_planes(picture()), SegmentOptions(trained, "auto"))
    assert len(expected.table) > 0
    found = session.viewer.layers["plate cells"]
    assert np.array_equal(found.data, expected.labels)
    assert (found.scale.tolist(), found.translate.tolist()) == ([2, 3], [5, 7])
    assert found.features["index"].tolist() == expected.table["index"].tolist()
    assert widget.status.value == f"{len(expected.table)} cells in 100 × 90 pixels"
    widget.start.native.click()
    session.wait(lambda: widget.start.enabled)
    docks = list(session.viewer.window.dock_widgets)
    assert sorted(docks) == ["Features table widget (napari)", "Segment (cellbench)"]


def test_progress_and_cancelling(session: Session, checkpoint: Path) -> None:
    session.viewer.add_image(np.stack([picture()] * 500))
    widget = session.dock("Segment")
    widget.model.add(checkpoint)
    widget.start.native.click()
    session.wait(lambda: 0 < widget.bar.value < widget.bar.max)
    assert widget.bar.max == 500 * 4  # windows
    widget.cancel.native.click()
    session.wait(lambda: widget.start.enabled)
    assert widget.status.value == "cancelled"
    assert [each.name for each in session.viewer.layers] == ["Image"]


def test_what_is_wrong_is_said(session: Session, tmp_path: Path) -> None:
    widget = session.dock("Segment")
    widget.start.native.click()
    assert widget.status.value == "no image is chosen; open one first"
    session.viewer.add_image(picture())
    widget.start.native.click()
    assert "no model is chosen" in widget.status.value
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    widget.model.add(tmp_path / "text.ckpt")
    widget.start.native.click()
    session.wait(lambda: widget.start.enabled)
    assert "text.ckpt" in widget.status.value


def test_closing_the_window_ends_the_work(session: Session, checkpoint: Path) -> None:
    from napari.qt.threading import WorkerBase

    session.viewer.add_image(np.stack([picture()] * 500))
    widget = session.dock("Segment")
    widget.model.add(checkpoint)
    widget.start.native.click()
    session.wait(lambda: widget.bar.value > 0)
    session.viewer.close()
    session.wait(lambda: not WorkerBase._worker_set)
    assert len(session.viewer.layers) == 0
