"""Check that a dataset has the images that a training verb needs, before a network is built."""

from pathlib import Path

from jsonargparse import Namespace
from pytorch_lightning.cli import LightningCLI
from pytorch_lightning.utilities import rank_zero_info

from cellbench.data.folder import read_dataset
from cellbench.data.split_names import misnamed_splits
from cellbench.errors import DatasetError
from cellbench.models.class_paths import import_object
from cellbench.training.datamodule import CellDataModule
from cellbench.training.dataset_folders import labelled_images, training_roots
from cellbench.training.ranges import check_shares

_SPLITS = {"validate": "tune", "test": "test", "predict": "test"}


class CheckedSplitsCLI(LightningCLI):
    """LightningCLI that looks for the images before it builds a network, which can take a while."""

    def before_instantiate_classes(self) -> None:
        """Check the splits that the verb uses; see [`check_splits`][]."""
        verb = str(self.subcommand)
        check_splits(verb, self.config[verb])


def check_splits(verb: str, config: Namespace) -> None:
    """Check that the splits that a verb uses exist and have label maps.

    Datamodules that list their images in another way are not checked.

    Args:
        verb: fit, validate, test or predict.
        config: the options of the verb.

    Raises:
        CellbenchError: if a dataset folder cannot be read, or a split has no image with a label map.
    """
    module = import_object(config.data.class_path)
    own = isinstance(module, type) and issubclass(module, CellDataModule)
    if not own or module.items is not CellDataModule.items:
        return
    options = config.data.get("init_args") or Namespace()
    check_shares(options.get("roots"), options.get("shares"))
    root, roots = training_roots(options.get("root"), options.get("roots"))
    if verb != "fit":
        labelled_images(root, _SPLITS[verb])
        return
    if module.train_items is CellDataModule.train_items:
        for each in roots:
            _check_train(each)
    if config.trainer.limit_val_batches != 0 or config.tune:
        labelled_images(root, "tune")
    elif misnamed := misnamed_splits(Path(root)):
        raise DatasetError(misnamed[0])


def _check_train(root: str) -> None:
    labelled_images(root, "train")
    bare = [image for image in read_dataset(root, ["train"]) if image.labels is None]
    if bare:
        images = "1 image has" if len(bare) == 1 else f"{len(bare)} images have"
        rank_zero_info(
            f"{root}: {images} no label map in train/labels and will not be used, the first is "
            f"{bare[0].image.name}; add the label maps, or see `cellbench data describe {root}`"
        )
