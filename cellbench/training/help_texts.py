"""What ``cellbench fit --help`` and the help of the other training verbs say about the verb itself."""

from typing import Any

_OPTIONS = """\
Options can also be set in YAML files, which are read in order: later ones and the command line
override earlier ones. An option of the model or the datamodule is written as --model.NAME or
--data.NAME; show them all with
  cellbench {verb} --model.help cellbench.models.unet.UNetBoundary
  cellbench {verb} --data.help cellbench.training.datamodule.CellDataModule
Options that begin with --trainer are those of pytorch_lightning.Trainer."""

_DESCRIPTIONS = {
    "fit": (
        "Train a model on the train split of a dataset folder and validate it on the tune split. "
        "Checkpoints, logs and entry.yaml (with which `cellbench run` runs the model) are written "
        "to --trainer.default_root_dir.",
        "cellbench fit --config configs/base.yaml --config configs/model/unet.yaml "
        "--data.root data/sample --trainer.default_root_dir runs/sample/unet",
    ),
    "validate": (
        "Print the mean F1 of a checkpoint on the tune split of a dataset folder.",
        "cellbench validate --config configs/model/unet.yaml --data.root data/sample "
        "--ckpt_path runs/sample/unet/checkpoints/best.ckpt",
    ),
    "test": (
        "Print the mean F1 of a checkpoint on the test split of a dataset folder.",
        "cellbench test --config configs/model/unet.yaml --data.root data/sample "
        "--ckpt_path runs/sample/unet/checkpoints/best.ckpt",
    ),
    "predict": (
        "Segment the test split of a dataset folder with a checkpoint. The label maps are written "
        "to predictions/ in --trainer.default_root_dir. For images outside a dataset folder, use "
        "`cellbench segment`.",
        "cellbench predict --config configs/model/unet.yaml --data.root data/sample "
        "--ckpt_path runs/sample/unet/checkpoints/best.ckpt --trainer.default_root_dir runs/sample/unet",
    ),
}

HELP: dict[str, dict[str, Any]] = {
    verb: {
        "description": description,
        "epilog": f"Example:\n  {example}\n\n{_OPTIONS.format(verb=verb)}",
    }
    for verb, (description, example) in _DESCRIPTIONS.items()
}
"""Description and example of each training verb, as keyword arguments of its parser."""
