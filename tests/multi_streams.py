"""A tiny multi_stream model, patches for it, and its weights."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from cellbench.models.batches import Batch
from cellbench.models.multi_stream import MultiStream
from cellbench.training.callbacks import PLAIN_WEIGHTS_KEY

TINY: dict[str, Any] = {
    "encoder": "convnext_zepto_rms",
    "pretrained": False,
    "star_channels": [8] * 4,
    "hover_channels": [8] * 5,
    "rays": 8,
    "thumbnail": 64,
    "window": 64,
}


def tiny(seed: int = 0, **options: Any) -> MultiStream:
    torch.manual_seed(seed)
    return MultiStream(**TINY | options).eval()


def batch_of(model: MultiStream, groups: list[int]) -> Batch:
    rng = np.random.default_rng(0)
    labels = np.kron(np.arange(16).reshape(4, 4), np.ones((16, 16), int))
    targets = {
        name: torch.from_numpy(np.stack([each] * len(groups)))
        for name, each in model.representation.targets(labels).items()
    }
    image = torch.from_numpy(rng.random((len(groups), 3, 64, 64), dtype=np.float32))
    return {"image": image, "targets": targets | {"group": torch.tensor(groups)}}


def weights(model: MultiStream, index: int) -> list[torch.Tensor]:
    return [each.clone() for each in model.stream(index).state_dict().values()]


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return all(torch.equal(*pair) for pair in zip(first, second, strict=True))


def stored_streams(run: Path) -> list[list[list[torch.Tensor]]]:
    """Return the weights of each StarDist stream of a run's end, averaged and plain."""
    state = torch.load(run / "checkpoints/last.ckpt", weights_only=True)
    return [
        [
            [v for name, v in state[key].items() if name.startswith(f"network.streams.{index}.")]
            for index in range(3)
        ]
        for key in ("state_dict", PLAIN_WEIGHTS_KEY)
    ]
