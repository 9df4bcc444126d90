"""The checkpoint that a training verb starts from, checked before any code that it names is run."""

from pathlib import Path

import torch

from cellbench.errors import CheckpointError
from cellbench.inference.checkpoint import stored_class
from cellbench.models.class_paths import import_model
from cellbench.models.names import class_path

EXAMPLE = "runs/sample/unet/checkpoints/best.ckpt"


def check_checkpoint(checkpoint: Path, model: str) -> None:
    """Check that a file is a checkpoint of a model.

    LightningCLI takes the class and the options of a model from the checkpoint. So the class must be the
    one that the user names, because code of another one must not be run.

    Args:
        checkpoint: the file.
        model: class path of the model that the user names.

    Raises:
        CheckpointError: if the file does not exist, is damaged, contains code, or is not a checkpoint
            of the model.
    """
    if not checkpoint.is_file():
        raise CheckpointError(
            f"ckpt_path: {str(checkpoint)!r} is not a file; name a checkpoint, such as {EXAMPLE}, or "
            "`last` to continue an interrupted run"
        )
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file can raise anything
        raise CheckpointError(
            f"ckpt_path: {checkpoint} is not a readable checkpoint; copy it again, or name another"
        ) from error
    if not isinstance(content, dict):
        content = {}
    stored = stored_class(checkpoint, content)
    options = content["hyper_parameters"]
    # Without `_class_path`, LightningCLI takes the class from an option named `class_path`.
    named = options.get("_class_path", options.get("class_path", stored))
    for each in (stored, named):
        if each not in (model, class_path(import_model(model))):
            raise CheckpointError(
                f"ckpt_path: {checkpoint} is a checkpoint of {each}, not of {model}; name its model "
                "with --model, or start from its weights alone with --model.init_args.weights"
            )
