"""Outlines and cells against celldetection, the code of the authors of Contour Proposal Networks.

celldetection needs the OpenCV with a display server and other large packages, and is therefore in no extra.
Install it without its dependencies into a folder of its own, and name the folder in PYTHONPATH:
``pip install --no-deps --target FOLDER celldetection==0.4.9 nvidia-ml-py albumentations==2.0.8
albucore==0.0.24 stringzilla simsimd h5py seaborn``.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
import torch
from label_maps import discs
from real_images import REAL

from cellbench.evaluation import match_cells
from cellbench.labels import LabelMap, read_labels, relabel, remove_frame_cells
from cellbench.representations import Contour
from cellbench.representations.contour_cells import outlines
from cellbench.representations.contour_kernels import trace, transform
from cellbench.representations.contour_maps import find_pieces

celldetection = pytest.importorskip(
    "celldetection", reason="celldetection is not installed; the top of this file says how"
)
from celldetection.data.cpn import (  # noqa: E402  (after the skip)
    CPNTargetGenerator,
    contours2labels,
    efd,
    resolve_label_channels,
)
from celldetection.ops.cpn import fouriers2contours  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
ORDER = 6
SIDE = 400
Floats = npt.NDArray[np.floating]


def label_maps() -> Iterator[LabelMap]:
    """Cells in one piece off the border, because celldetection leaves others out."""
    yield discs()
    for path in sorted(REAL.glob("tune/labels/*"))[::10]:
        labels = read_labels(path)[:SIDE, :SIDE]
        pieces, _ = find_pieces(labels)
        whole = relabel(remove_frame_cells(pieces, 1))
        if whole.any():
            yield whole


def in_their_order(coefficients: Floats) -> Floats:
    """Our coefficients, rows first, as theirs, columns first."""
    return coefficients.reshape(len(coefficients), -1, 4)[..., [2, 3, 0, 1]]


def waves(coefficients: Floats) -> Floats:
    """Sizes of the two circular waves of each harmonic, which no beginning changes."""
    a, b, c, d = np.moveaxis(coefficients, -1, 0)
    return np.stack([np.hypot(a + d, c - b), np.hypot(a - d, c + b)])


def test_coefficients_are_theirs_except_for_the_beginning() -> None:
    for labels in label_maps():
        points, starts = trace(*find_pieces(labels))
        centres, coefficients = transform(points, starts, ORDER)
        ours = waves(in_their_order(coefficients))
        for index, (start, end) in enumerate(pairwise(starts)):
            closed = np.concatenate([points[start:end], points[start : start + 1]])[:, ::-1]
            theirs, centre = efd(closed, ORDER, epsilon=1e-12)
            np.testing.assert_allclose(ours[:, index], waves(theirs), atol=1e-3)
            np.testing.assert_allclose(centres[index, ::-1], centre, atol=1e-3)


def test_points_of_outlines_are_theirs() -> None:
    rng = np.random.default_rng(0)
    coefficients = rng.normal(0, 5, (30, 4 * ORDER)).astype(np.float32)
    centres = torch.zeros(30, 2)
    period = torch.arange(48) / 48
    theirs, _ = fouriers2contours(
        torch.from_numpy(in_their_order(coefficients)), centres, sampling=period
    )
    ours = outlines(coefficients, 48).transpose(0, 2, 1)[..., ::-1]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_central_pixels_are_theirs() -> None:
    agree = pixels = 0
    for labels in label_maps():
        generator = CPNTargetGenerator(64, ORDER, random_sampling=False)
        generator.feed(labels.astype(np.int32)[..., None].copy(), border=0)
        theirs = generator.reduced_labels
        score = Contour().encode(labels)["score"][0]
        inside = labels > 0
        same = np.select([theirs > 0, theirs < 0], [1, 0.5], 0) == score
        agree, pixels = agree + same[inside].sum(), pixels + inside.sum()
    print(f"\n{agree / pixels:.2%} of {pixels} pixels of cells have the same score")
    assert agree >= 0.97 * pixels


def test_their_cells_are_half_a_pixel_smaller() -> None:
    for labels in label_maps():
        generator = CPNTargetGenerator(64, ORDER, random_sampling=False)
        generator.feed(labels.astype(np.int32)[..., None].copy(), border=0)
        theirs = np.ptp(generator.sampled_contours, axis=1)
        maps = Contour(order=ORDER).encode(labels)
        ids, first = np.unique(labels, return_index=True)
        ours = np.ptp(outlines(maps["fourier"].reshape(4 * ORDER, -1).T[first[1:]], 64), axis=2)
        difference = ours[:, ::-1] - theirs[ids[1:] - 1]
        assert 0.8 <= np.median(difference) <= 1.5


def test_cells_are_those_that_they_draw() -> None:
    counts = np.zeros(3)
    for labels in label_maps():
        maps = Contour(order=ORDER).encode(labels)
        ours = Contour(order=ORDER, refinement_hops=0).decode(maps)
        generator = CPNTargetGenerator(64, ORDER, random_sampling=False)
        generator.feed(labels.astype(np.int32)[..., None].copy(), border=0)
        drawn = contours2labels(generator.sampled_contours, labels.shape, initial_depth=3)
        theirs = resolve_label_channels(drawn)
        found = match_cells(theirs, ours, threshold=0.8)
        counts += found.tp, found.true_cells, found.predicted_cells
    agreement = 2 * counts[0] / counts[1:].sum()
    print(f"\n{agreement:.4f} of {counts[1]:.0f} cells agree")
    assert agreement >= 0.98
