"""What ``cellbench fit --help`` and the help of the other training verbs say about the verb itself."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from jsonargparse import DefaultHelpFormatter

CHECKPOINT = (
    "the checkpoint to start from: a file, or best or last for the one in checkpoints/ of "
    "trainer.default_root_dir. `fit` continues its training, and starts from the beginning if there "
    "is none; the other verbs use best unless another one is named"
)
"""What the help says about ``--ckpt_path``."""

OTHER_NAMES = {
    "epochs": "trainer.max_epochs",
    "steps": "trainer.max_steps",
    "batch_size": "data.batch_size",
    "crop_size": "data.crop_size",
    "patch_size": "data.crop_size",
    "workers": "data.num_workers",
    "num_workers": "data.num_workers",
    "root": "data.root",
    "data_dir": "data.root",
    "dataset": "data.root",
    "lr": "model.learning_rate",
    "learning_rate": "model.learning_rate",
    "weights": "model.weights",
    "pretrained": "model.pretrained",
    "gpu": "trainer.accelerator gpu",
    "gpus": "trainer.devices",
    "device": "trainer.accelerator",
    "amp": "trainer.precision",
    "seed": "seed_everything",
    "out": "trainer.default_root_dir",
    "output": "trainer.default_root_dir",
    "output_dir": "trainer.default_root_dir",
    "save_dir": "trainer.default_root_dir",
    "checkpoint": "ckpt_path",
    "ckpt": "ckpt_path",
    "resume": "ckpt_path last",
}
"""How other programs call what an option of a training verb sets."""

_OPTIONS = """\
base.yaml, model/NAME.yaml and data/NAME.yaml come with cellbench and are found
by these names from everywhere; name a file of your own by its path.

The words of the command line are read in order: a later --config or option
overrides an earlier one. Options of the model are written as --model.NAME,
those of the data as --data.NAME. To show them all:
  cellbench {verb} --model.help unet
  cellbench {verb} --data.help cellbench.training.datamodule.CellDataModule
Options that begin with --trainer are those of pytorch_lightning.Trainer. For
example, --trainer.max_time 00:01:00:00 stops after an hour (days:hours:
minutes:seconds). Names of options cannot be shortened."""

_DESCRIPTIONS = {
    "fit": (
        """\
Train a model on the train split of a dataset folder and validate it on the
tune split. Checkpoints, logs and entry.yaml (with which `cellbench run` runs
the model) are written to --trainer.default_root_dir. --ckpt_path last
continues an interrupted training. `cellbench models` lists the models.""",
        """\
  cellbench fit --config base.yaml --config model/unet.yaml \\
    --data.root data/sample --trainer.default_root_dir runs/sample/unet""",
    ),
    "validate": (
        """\
Print the mean F1 of a trained model on the tune split of a dataset folder. The
best checkpoint below --trainer.default_root_dir is used, unless --ckpt_path names
another.""",
        """\
  cellbench validate --config model/unet.yaml \\
    --data.root data/sample --trainer.default_root_dir runs/sample/unet""",
    ),
    "test": (
        """\
Print the mean F1 of a trained model on the test split of a dataset folder. The
best checkpoint below --trainer.default_root_dir is used, unless --ckpt_path names
another.""",
        """\
  cellbench test --config model/unet.yaml \\
    --data.root data/sample --trainer.default_root_dir runs/sample/unet""",
    ),
    "predict": (
        """\
Segment the test split of a dataset folder with a trained model: the best
checkpoint below --trainer.default_root_dir, unless --ckpt_path names another.
The label maps are written to predictions/ in --trainer.default_root_dir. For
images outside a dataset folder, use `cellbench segment`.""",
        """\
  cellbench predict --config model/unet.yaml \\
    --data.root data/sample --trainer.default_root_dir runs/sample/unet""",
    ),
}


class PlainHelpFormatter(RawDescriptionHelpFormatter, DefaultHelpFormatter):  # type: ignore[misc]
    """jsonargparse's formatter that keeps the line breaks of descriptions and examples."""


HELP: dict[str, dict[str, Any]] = {
    verb: {
        "usage": f"cellbench {verb} [--config FILE]... [--model CLASS] [--OPTION VALUE]...",
        "description": description,
        "epilog": f"Example:\n{example}\n\n{_OPTIONS.format(verb=verb)}",
    }
    for verb, (description, example) in _DESCRIPTIONS.items()
}
"""Usage, description and example of each training verb, as keyword arguments of its parser."""
