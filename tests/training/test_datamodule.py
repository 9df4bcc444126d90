"""The datamodule: what each process of a distributed run is dealt."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from datasets import make_dataset

from cellbench.training.datamodule import CellDataModule


@pytest.mark.parametrize(
    ("processes", "shares"),
    [(1, [[0, 1, 2]]), (2, [[0, 2], [1]]), (3, [[0], [1], [2]])],
)
def test_processes_see_each_image_once(
    processes: int, shares: list[list[int]], tmp_path: Path
) -> None:
    data = CellDataModule(str(make_dataset(tmp_path / "data", images=3)), cache=str(tmp_path))
    for rank, share in enumerate(shares):
        data.trainer = SimpleNamespace(world_size=processes, global_rank=rank)
        for split, loader in (("tune", data.val_dataloader()), ("test", data.test_dataloader())):
            assert [each["stem"] for each in loader] == [f"{split}{index}" for index in share]


def test_fewer_images_than_processes_are_left_to_lightning(tmp_path: Path) -> None:
    data = CellDataModule(str(make_dataset(tmp_path / "data")), cache=str(tmp_path))
    data.trainer = SimpleNamespace(world_size=3, global_rank=2)
    assert [each["stem"] for each in data.val_dataloader()] == ["tune0", "tune1"]
