"""A wrong option of Lightning's trainer is one line in plain words, whatever Lightning raises."""

from pathlib import Path

import pytest
import torch
from pytorch_lightning.strategies import StrategyRegistry
from test_option_errors import SMALL, error_line

from cellbench.training.run_errors import in_one_line
from cellbench.training.trainer_errors import _STARTS_NODES, explain

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
ONE_PROCESS = "on the processor, it is the number of processes, 1 or more; leave the option out"
DURATION = "write it as days:hours:minutes:seconds, such as 00:00:30:00 for half an hour"


@pytest.mark.usefixtures("default_dataset")
@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("accelerator", "gpuu", "choose one of auto, cpu, cuda, gpu, mps, tpu; did you mean gpu?"),
        ("accelerator", "tpu", "PyTorch finds no TPU on this machine; to use the processor, write"),
        ("strategy", "ddpp", "choose one of auto, ddp, deepspeed, fsdp, xla; did you mean ddp?"),
        ("strategy", "deepspeed", "cannot be used here (To use the `DeepSpeedStrategy`, you must"),
        ("precision", "transformer-engine", "cannot be used here (Requirement 'transformer_eng"),
        ("max_time", "5", DURATION),
        ("max_time", "1h", DURATION),
        ("val_check_interval", "5m", DURATION),
        ("val_check_interval", "1.5", "must be a part of an epoch above 0 and up to 1.0, a number"),
        ("check_val_every_n_epoch", "0", "must be 1 or more"),
        ("accumulate_grad_batches", "0", "must be 1 or more"),
        ("log_every_n_steps", "0", "must be 1 or more"),
        ("max_epochs", "-2", "must be -1 or more"),
        ("limit_train_batches", "2.5", "must be a part of the batches from 0.0 to 1.0, or their"),
        ("gradient_clip_algorithm", "foo", "choose one of norm, value"),
        ("profiler", "foo", "choose one of simple, advanced, pytorch"),
        pytest.param("accelerator", "gpu", "PyTorch finds no GPU on this machine;", marks=no_gpu),
        pytest.param("accelerator", "cuda", "PyTorch finds no GPU on this machine;", marks=no_gpu),
        pytest.param("devices", "0", ONE_PROCESS, marks=no_gpu),
        pytest.param("devices", "[3]", ONE_PROCESS, marks=no_gpu),
        pytest.param("devices", "two", ONE_PROCESS, marks=no_gpu),
        pytest.param("strategy", "fsdp", "cannot be used here (The strategy", marks=no_gpu),
    ],
)
def test_wrong_options_of_the_trainer(
    option: str, value: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = error_line(["fit", *SMALL, f"--trainer.{option}", value], capsys)
    assert line.startswith(f"trainer.{option} {value}: {expected}")


@pytest.mark.usefixtures("default_dataset")
def test_the_file_that_sets_a_wrong_option_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "lab.yaml"
    config.write_text("trainer: {log_every_n_steps: 0}")
    line = error_line(["fit", *SMALL, "--config", str(config)], capsys)
    assert line == f"{config}: trainer.log_every_n_steps 0: must be 1 or more"


@pytest.mark.usefixtures("default_dataset")
def test_other_machines_that_never_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in _STARTS_NODES:
        monkeypatch.delenv(name, raising=False)
    line = error_line(["fit", *SMALL, "--trainer.num_nodes", "2"], capsys)
    assert line.startswith("trainer.num_nodes 2: waits for other machines, which only torchrun")


@pytest.mark.usefixtures("default_dataset")
def test_a_run_folder_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run"
    file.touch()
    line = error_line(["fit", *SMALL, "--trainer.default_root_dir", str(file)], capsys)
    assert line == f"trainer.default_root_dir {file}: is a file; name a folder for the run"


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    line = error_line(["fit", *SMALL, "--seed_everything", str(seed)], capsys)
    assert line == f"seed_everything {seed}: must be from 0 to 4294967295"


def test_gpus_that_do_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    error = ValueError("You requested gpu: [7] But your machine only has: [0, 1]")
    assert explain({"devices": [7]}, error) == (
        "trainer.devices [7]: there are 2 GPUs on this machine; write how many to use, such as 1, or "
        "which, such as [0]"
    )


def test_the_strategies_that_are_listed_exist() -> None:
    assert {"ddp", "fsdp", "deepspeed", "xla"} <= {*StrategyRegistry.available_strategies()}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "training: the memory of the GPU is too sm"),
        (
            RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "),
            "training: a process that prepares training patches was stopped, probably because",
        ),
        (
            RuntimeError("DataLoader worker (pid(s) 7) exited unexpectedly"),
            "training: a process that prepares training patches was stopped, probably because",
        ),
        (MemoryError("Unable to allocate 112. GiB"), "training: the memory of this machine is too"),
        (
            RuntimeError(
                "DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"
            ),
            "training: the memory of this machine is too small; lower data.batch_size",
        ),
        (
            RuntimeError("Error(s) in loading state_dict for UNet:\n\tsize mismatch for a: b"),
            "ckpt_path: the checkpoint does not fit the options of the model (size mismatch for a: b)",
        ),
    ],
)
def test_errors_of_a_running_training(error: Exception, expected: str) -> None:
    assert str(in_one_line(error)).startswith(expected)


def test_a_fault_of_a_model_keeps_its_traceback() -> None:
    assert in_one_line(RuntimeError("shapes (2, 3) and (4,) do not fit")) is None
    assert in_one_line(ValueError("not enough values to unpack")) is None
