"""What is wrong with the options of Lightning's trainer, in one line that says what to write instead."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.accelerators import AcceleratorRegistry
from pytorch_lightning.strategies import StrategyRegistry

from cellbench.errors import UsageError

_AT_LEAST = {
    "accumulate_grad_batches": 1,
    "check_val_every_n_epoch": 1,
    "fast_dev_run": 0,
    "gradient_clip_val": 0,
    "log_every_n_steps": 1,
    "max_epochs": -1,
    "max_steps": -1,
    "num_nodes": 1,
    "num_sanity_val_steps": -1,
    "reload_dataloaders_every_n_epochs": 0,
}
"""Smallest value of each number; Lightning divides by some of them without a check."""

_SHARES = (
    "limit_train_batches",
    "limit_val_batches",
    "limit_test_batches",
    "limit_predict_batches",
    "overfit_batches",
)
_CHOICES = {
    "gradient_clip_algorithm": ("norm", "value"),
    "profiler": ("simple", "advanced", "pytorch"),
}
_DURATIONS = ("max_time", "val_check_interval")
_STARTS_NODES = {"MASTER_ADDR", "SLURM_NTASKS", "LSB_JOBID", "OMPI_COMM_WORLD_SIZE"}
"""Environment variables of those that start a training on several machines."""
_DURATION = re.compile(r"\d+:\d{2}:\d{2}:\d{2}")


def check_trainer(options: Mapping[str, Any]) -> None:
    """Refuse values that Lightning would accept at first, or refuse in words of its own.

    Args:
        options: the options below ``trainer``.

    Raises:
        UsageError: if a number is out of range, a duration is not written as one, a word is not one of the
            choices, the folder of the run is a file, or other machines will never answer.
    """
    _check_numbers(options)
    root = Path(options.get("default_root_dir") or ".")
    if root.is_file():
        raise UsageError(f"trainer.default_root_dir {root}: is a file; name a folder for the run")
    nodes = options.get("num_nodes") or 1
    if nodes > 1 and not _STARTS_NODES & os.environ.keys():
        raise UsageError(
            f"trainer.num_nodes {nodes}: waits for other machines, which only torchrun or a cluster's "
            "scheduler such as Slurm starts; leave the option out to train on this machine"
        )
    for name in _DURATIONS:
        value = options.get(name)
        if isinstance(value, str) and not _DURATION.fullmatch(value):
            raise UsageError(
                f"trainer.{name} {value}: write it as days:hours:minutes:seconds, such as 00:00:30:00 "
                "for half an hour"
            )
    for name, choices in _CHOICES.items():
        value = options.get(name)
        if isinstance(value, str) and value not in choices:
            raise UsageError(f"trainer.{name} {value}: choose one of {', '.join(choices)}")


def _check_numbers(options: Mapping[str, Any]) -> None:
    for name, least in _AT_LEAST.items():
        value = options.get(name)
        if isinstance(value, int | float) and value < least:
            raise UsageError(f"trainer.{name} {value}: must be {least} or more")
    for name in _SHARES:
        value = options.get(name)
        if isinstance(value, int | float) and not (0 <= value <= 1 or _is_count(value)):
            raise UsageError(
                f"trainer.{name} {value}: must be a part of the batches from 0.0 to 1.0, or their "
                "number as a whole number"
            )
    interval = options.get("val_check_interval")
    if isinstance(interval, int | float) and not (0 < interval <= 1 or _is_count(interval)):
        raise UsageError(
            f"trainer.val_check_interval {interval}: must be a part of an epoch above 0 and up to 1.0, a "
            "number of batches, or a duration such as 00:00:15:00 (days:hours:minutes:seconds)"
        )


def _is_count(value: float) -> bool:
    return value >= 1 and value % 1 == 0


def explain(options: Mapping[str, Any], error: Exception) -> str:
    """Return why no trainer could be made, in one line.

    Args:
        options: the options below ``trainer``.
        error: what Lightning raised.

    Returns:
        The option that is wrong and what to write instead; Lightning's own words if the option is not
        known.
    """
    text = " ".join(str(error).split())
    return (
        _accelerator(options.get("accelerator"))
        or _strategy(options.get("strategy"), text)
        or _devices(options.get("devices"), text)
        or _precision(options.get("precision"), text)
        or f"trainer: {text}"
    )


def _accelerator(value: object) -> str:
    known = sorted({"auto", "gpu", *AcceleratorRegistry.available_accelerators()})
    if not isinstance(value, str) or (value in known and _is_available(value)):
        return ""
    if value not in known:
        choices = f"trainer.accelerator {value}: choose one of {', '.join(known)}"
        return choices + _hint(value.lower(), known)
    device = "TPU" if value == "tpu" else "GPU"
    if value == "mps":
        device = "GPU of Apple"
    advice = "; `nvidia-smi` shows whether the driver does" if device == "GPU" else ""
    return (
        f"trainer.accelerator {value}: PyTorch finds no {device} on this machine{advice}; to use the "
        "processor, write --trainer.accelerator cpu"
    )


def _is_available(accelerator: str) -> bool:
    if accelerator in ("auto", "cpu"):
        return True
    names = ("cuda", "mps") if accelerator == "gpu" else (accelerator,)
    return any(
        name in AcceleratorRegistry and AcceleratorRegistry[name]["accelerator"].is_available()
        for name in names
    )


def _strategy(value: object, text: str) -> str:
    if not isinstance(value, str) or value == "auto":
        return ""
    known = StrategyRegistry.available_strategies()
    if value not in known:
        common = ["auto", *(name for name in known if "_" not in name)]
        return f"trainer.strategy {value}: choose one of {', '.join(common)}" + _hint(value, known)
    if "strategy" in text.lower():
        return (
            f"trainer.strategy {value}: cannot be used here ({text.split('. ')[0]}); leave the option "
            "out, or write --trainer.strategy auto"
        )
    return ""


def _devices(value: object, text: str) -> str:
    if "devices" not in text and "requested gpu" not in text:
        return ""
    gpus = torch.cuda.device_count()
    if gpus == 0:
        return (
            f"trainer.devices {value}: on the processor, it is the number of processes, 1 or more; leave "
            "the option out, or write --trainer.devices 1"
        )
    return (
        f"trainer.devices {value}: there are {gpus} GPUs on this machine; write how many to use, such as "
        "1, or which, such as [0]"
    )


def _precision(value: object, text: str) -> str:
    if value is None or not re.search("precision|transformer_engine|bitsandbytes", text):
        return ""
    return (
        f"trainer.precision {value}: cannot be used here ({text.split('. ')[0]}); leave the option out, "
        "or write --trainer.precision 32-true"
    )


def _hint(value: str, known: list[str]) -> str:
    found = get_close_matches(value, ["auto", *known], n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""
