"""The widget that compares: outlines in the colours of the page, and scores that follow corrections."""

from typing import Any

import numpy as np
import pytest
from differing_maps import differing_maps
from matplotlib.colors import to_rgb
from napari_session import Session

from cellbench.napari.comparing import compare, kind_colours
from cellbench.report.page.outlines import KINDS


def compared(session: Session) -> Any:  # noqa: ANN401
    """Return the widget after it has compared two layers, with the names truth and prediction."""
    truth, prediction = differing_maps()
    session.viewer.add_labels(truth, name="truth")
    session.viewer.add_labels(prediction, name="prediction")
    widget = session.dock("Compare")
    assert {widget.truth.value.name, widget.prediction.value.name} == {"truth", "prediction"}
    widget.truth.value, widget.prediction.value = session.viewer.layers
    widget.start.native.click()
    session.wait(lambda: not widget.is_running)
    return widget


def test_outlines_have_the_colours_of_the_page(session: Session) -> None:
    widget = compared(session)
    expected = compare(*differing_maps())
    outlines = session.viewer.layers["comparison"]
    assert np.array_equal(outlines.data, expected.outlines)
    for place, kind in {
        **{(5, 5): "matched", (5, 20): "missed", (5, 35): "spurious"},
        **{(20, 30): "split", (30, 10): "merged", (0, 50): "not-scored"},
    }.items():
        colour = to_rgb(kind_colours()[kind])
        assert outlines.get_color(outlines.data[place])[:3] == pytest.approx(colour)
    assert widget.scores.value == expected.summary()
    assert all(kind.replace("-", " ") in widget.legend.value for kind in KINDS)
    assert "missed: 1<" in widget.legend.value
    assert session.viewer.layers.selection.active.name != "comparison"


def test_scores_follow_corrections(session: Session) -> None:
    widget = compared(session)
    truth, prediction = differing_maps()
    layer = session.viewer.layers["prediction"]
    before = widget.scores.value
    layer.fill((5, 35), 0)  # removes the spurious cell
    session.wait(lambda: widget.scores.value != before)
    prediction[prediction == 3] = 0
    assert widget.scores.value == compare(truth, prediction).summary()
    assert "spurious: 0<" in widget.legend.value
    assert session.viewer.layers["comparison"].data[5, 35] == 0
    layer.undo()
    session.wait(lambda: widget.scores.value == before)

    layer.selected_label, layer.brush_size = 2, 6
    layer.paint((7.5, 22.5), 2)  # adds the missed cell
    session.wait(lambda: "missed: 0<" in widget.legend.value)
    assert [each.name for each in session.viewer.layers] == ["truth", "prediction", "comparison"]
    assert widget.prediction.choices == widget.truth.choices == tuple(session.viewer.layers)[:2]


def test_without_live_updates_nothing_happens(session: Session) -> None:
    widget = compared(session)
    widget.live.value = False
    before = widget.scores.value
    session.viewer.layers["prediction"].fill((5, 35), 0)
    session.qtbot.wait(1000)
    assert widget.scores.value == before
    widget.start.native.click()
    session.wait(lambda: widget.scores.value != before)


def test_what_cannot_be_compared_is_said(session: Session) -> None:
    widget = session.dock("Compare")
    widget.start.native.click()
    assert "choose two different labels layers" in widget.scores.value
    session.viewer.add_labels(np.zeros((8, 9), int))
    widget.start.native.click()
    assert "choose two different labels layers" in widget.scores.value
    session.viewer.add_labels(np.zeros((8, 8), int))
    widget.start.native.click()
    session.wait(lambda: "of the same image" in widget.scores.value)
