"""CellF1 inside a training loop, and in two processes at once."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from label_maps import discs

from cellbench.errors import LabelMapError, UsageError
from cellbench.evaluation import score_image
from cellbench.labels import LabelMap
from cellbench.training.metric import CellF1

Pair = tuple[LabelMap, LabelMap]


def pair(seed: int) -> Pair:
    """Return a prediction that misses more cells the higher the seed, and the truth."""
    truth = discs(seed=seed)
    return np.where(truth > 2 * seed, np.roll(truth, seed, axis=1), 0), truth


PAIRS = [pair(seed) for seed in range(5)]
F1 = [score_image(truth, prediction)[0].f1 for prediction, truth in PAIRS]


def test_mean_of_the_evaluators_own_f1() -> None:
    assert len(set(F1)) == len(F1)
    metric = CellF1()
    assert metric.compute() == 0
    for one in PAIRS:
        metric.update(*one)
    assert metric.compute().item() == pytest.approx(np.mean(F1))
    metric.reset()
    assert metric.compute() == 0


def test_forward_gives_the_f1_of_the_image() -> None:
    metric = CellF1()
    assert [metric(*one).item() for one in PAIRS] == pytest.approx(F1)
    assert metric.compute().item() == pytest.approx(np.mean(F1))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.uint16, torch.int64])
def test_tensors_score_as_arrays_do(dtype: torch.dtype) -> None:
    prediction, truth = (torch.from_numpy(each.astype(np.int32)).to(dtype) for each in PAIRS[3])
    metric = CellF1()
    assert metric(prediction, truth).item() == pytest.approx(F1[3])
    # Whoever predicts in another memory order scores the same.
    assert metric(prediction.T.contiguous().T, truth.numpy()).item() == pytest.approx(F1[3])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_tensors_on_a_gpu() -> None:
    metric = CellF1().cuda()
    assert metric(*(torch.from_numpy(each.astype(np.int32)).cuda() for each in PAIRS[3])).is_cuda
    assert metric.compute().item() == pytest.approx(F1[3])


def test_settings_and_maps_are_checked() -> None:
    with pytest.raises(UsageError, match="threshold 50"):
        CellF1(threshold=50)
    with pytest.raises(UsageError, match="neurips"):
        CellF1(protocol="neurips")
    metric = CellF1()
    with pytest.raises(LabelMapError, match="prediction: ids must be whole numbers"):
        metric.update(torch.full((9, 9), 0.5), torch.zeros(9, 9, dtype=torch.int32))
    with pytest.raises(LabelMapError, match=r"prediction has the shape \(9, 8\)"):
        metric.update(np.zeros((9, 8), int), np.zeros((9, 9), int))
    assert metric.images == 0


def test_the_settings_decide() -> None:
    prediction, truth = PAIRS[2]
    strict = CellF1(threshold=0.9, protocol="exact")
    (expected,) = score_image(truth, prediction, protocol="exact", thresholds=(0.9,))
    assert strict(prediction, truth).item() == pytest.approx(expected.f1)
    assert expected.f1 < F1[2]


def test_copies_and_pickles_go_on_counting() -> None:
    metric = CellF1(threshold=0.55)
    metric.update(*PAIRS[0])
    for again in (copy.deepcopy(metric), pickle.loads(pickle.dumps(metric))):
        again.update(*PAIRS[4])
        expected = [score_image(*PAIRS[k][::-1], thresholds=(0.55,))[0].f1 for k in (0, 4)]
        assert again.compute().item() == pytest.approx(np.mean(expected))
    assert metric.images == 1


def test_the_state_is_saved_on_request() -> None:
    metric = CellF1()
    metric.update(*PAIRS[4])
    assert metric.state_dict() == {}  # a model's checkpoint holds no counts of an epoch
    metric.persistent(True)
    again = CellF1()
    again.load_state_dict(metric.state_dict())
    assert again.compute().item() == pytest.approx(F1[4])


SHARES = {"uneven": ([0, 1, 2], [4]), "none": ([1, 3], [])}


def score_share(rank: int, folder: str) -> None:
    """Score this process's images, alone and together, and note the results."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2
    )
    for name, shares in SHARES.items():
        metric = CellF1()
        alone = [metric(*PAIRS[place]).item() for place in shares[rank]]
        together = [metric.compute().item()]
        metric.update(*PAIRS[0])  # a sum over both processes is not counted again
        together.append(metric.compute().item())
        torch.save((alone, together), f"{folder}/{name}{rank}")
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_give_the_mean_over_all_images(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(score_share, (str(tmp_path),), nprocs=2)
    for name, shares in SHARES.items():
        seen = [F1[place] for share in shares for place in share]
        for rank, share in enumerate(shares):
            alone, together = torch.load(tmp_path / f"{name}{rank}")
            assert alone == pytest.approx([F1[place] for place in share])
            assert together == pytest.approx([np.mean(seen), np.mean([*seen, F1[0], F1[0]])])
