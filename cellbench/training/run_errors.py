"""Errors of a running training that a user can do something about, in one line."""

import re
import traceback
from pathlib import Path

import pytorch_lightning
import torch
from pytorch_lightning.utilities.exceptions import (  # type: ignore[attr-defined]
    MisconfigurationException,
)

from cellbench.errors import CellbenchError, CheckpointError, UsageError

_LIGHTNING = Path(pytorch_lightning.__file__).parent
_CONNECTOR = _LIGHTNING / "trainer/connectors/checkpoint_connector.py"
_OTHER_OPTIONS = re.compile(
    r"Error\(s\) in loading state_dict|loaded state dict (contains|has)|Key.* not found in"
)


def in_one_line(error: Exception) -> CellbenchError | None:
    """Return an error of a running training as one line.

    Args:
        error: what PyTorch or Lightning raised.

    Returns:
        An error that says what to do; None if the error may be a fault of cellbench or of a model.
    """
    text = " ".join(str(error).split())
    if isinstance(error, CellbenchError):
        return None
    if isinstance(error, torch.OutOfMemoryError):
        return CellbenchError(
            "training: the memory of the GPU is too small; lower data.batch_size or data.crop_size, and "
            "stop other programs that use the GPU"
        )
    if re.search("DataLoader worker.*(killed|exited unexpectedly)", text):
        return CellbenchError(
            "training: a process that prepares training patches was stopped, probably because the memory "
            "is full; lower data.num_workers (0: no other process) or data.batch_size"
        )
    if isinstance(error, MemoryError) or "DefaultCPUAllocator: can't allocate memory" in text:
        return CellbenchError(
            "training: the memory of this machine is too small; lower data.batch_size or data.crop_size, "
            "and stop other programs"
        )
    if _OTHER_OPTIONS.search(text):
        return CheckpointError(
            "ckpt_path: the checkpoint does not fit the options of the model "
            f"({_first_difference(str(error))}); use the options that it was trained with, see "
            "logs/version_0/config.yaml of its run"
        )
    if found := re.search(r"`val_check_interval` \((\d+)\) .*batches \((\d+)\)", text):
        return UsageError(
            f"trainer.val_check_interval {found[1]}: an epoch has only {found[2]} batches; write at most "
            "as many, or add --trainer.check_val_every_n_epoch null to count over several epochs"
        )
    if _restores(error):
        return CheckpointError(
            f"ckpt_path: the state of the training cannot be restored ({type(error).__name__}: {text}); "
            "the checkpoint is damaged or was written by another version; name another one"
        )
    if isinstance(error, MisconfigurationException) or _is_lightnings(error):
        return UsageError(f"trainer: {text}")
    return None


def _first_difference(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[1:2] or lines)[:160].rstrip(" ,:.")


def _restores(error: Exception) -> bool:
    """Return whether the error came up while Lightning restored a checkpoint."""
    frames = traceback.extract_tb(error.__traceback__)
    return not isinstance(error, MisconfigurationException) and any(
        Path(frame.filename) == _CONNECTOR and frame.name.startswith(("restore", "_restore"))
        for frame in frames
    )


def _is_lightnings(error: Exception) -> bool:
    """Return whether a check of Lightning's own raised the error, which options can cause."""
    if not isinstance(error, ValueError | TypeError | ModuleNotFoundError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(_LIGHTNING)
