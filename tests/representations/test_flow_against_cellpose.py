"""Flows and cells against Cellpose's own functions, on real label maps.

Cellpose 3 wants an older NumPy than cellbench and is therefore in no extra. Install it without its
dependencies into an environment that has those of cellbench:
``pip install --no-deps cellpose==3.1.1.3 fastremap natsort roifile fill-voids``.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from real_images import REAL

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels
from cellbench.representations import Flow

dynamics = pytest.importorskip(
    "cellpose.dynamics", reason="Cellpose 3 is not installed; the top of this file says how"
)
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real label maps in {REAL}")
SIDE = 400
LOGIT = 3.0


def real_maps() -> Iterator[LabelMap]:
    for path in sorted(REAL.glob("tune/labels/*"))[::6]:
        labels = read_labels(path)[:SIDE, :SIDE].astype(np.int32)
        if labels.any():
            yield np.ascontiguousarray(labels)


def test_flows_point_where_those_of_cellpose_point() -> None:
    cosines = []
    for labels in real_maps():
        theirs, ours = dynamics.masks_to_flows(labels), Flow().encode(labels)["flows"] / 5
        cosines.append((theirs * ours).sum(axis=0)[labels > 0])
    together = np.concatenate(cosines)
    print(f"\nmean cosine {together.mean():.4f}, {(together > 0.99).mean():.1%} above 0.99")
    assert together.mean() >= 0.99
    assert (together > 0.99).mean() >= 0.9


def their_cells(flows: npt.NDArray[np.float32], logits: npt.NDArray[np.float32]) -> LabelMap:
    cells: LabelMap = dynamics.resize_and_compute_masks(flows, logits)
    return cells.astype(np.int32)


@pytest.mark.parametrize("noise", [0, 1, 1.5])
@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_flows_of_cellpose_give_the_cells_that_cellpose_finds(noise: float) -> None:
    rng = np.random.default_rng(0)
    counts = np.zeros(3)
    for labels in real_maps():
        flows = 5 * dynamics.masks_to_flows(labels)
        flows = (flows + rng.normal(0, noise, flows.shape)).astype(np.float32)
        logits = np.where(labels > 0, LOGIT, -LOGIT).astype(np.float32)
        theirs = their_cells(flows, logits)
        foreground = 1 / (1 + np.exp(-logits[None]))
        ours = Flow(smallest_cell=15).decode({"foreground": foreground, "flows": flows})
        found = match_cells(theirs, ours, threshold=0.9)
        counts += found.tp, found.true_cells, found.predicted_cells
    agreement = 2 * counts[0] / counts[1:].sum()
    print(f"\nnoise {noise}: {agreement:.4f} of {counts[1]:.0f} cells agree")
    assert agreement >= 0.99
