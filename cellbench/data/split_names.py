"""Names that other tools give to the splits of a dataset."""

from pathlib import Path

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "tune",
    "valid": "tune",
    "validation": "tune",
    "tune": "tune",
    "tuning": "tune",
    "dev": "tune",
    "test": "test",
    "testing": "test",
}
"""The split that a word in the name of a folder stands for, in lower case."""


def misnamed_splits(root: Path) -> list[str]:
    """Find folders whose names mean a split in other tools, but not in cellbench.

    Args:
        root: the dataset folder, which exists.

    Returns:
        One line for each folder: what is wrong and what to do.
    """
    present = {path.name for path in root.iterdir() if path.is_dir()}
    return [
        f"{root / name}: is not a split; "
        + (f"move its files into {split}" if split in present else f"rename it to {split}")
        for name, split in split_folders(root).items()
        if split != name
    ]


def missing_images_advice(root: Path) -> str:
    """Return what to do with a folder that has no images where a dataset folder has them.

    Args:
        root: the folder, which exists.
    """
    if misnamed := misnamed_splits(root):
        return misnamed[0]
    convert = f"convert it with `cellbench data import folder {root} NEW`"
    if (root / "images").is_dir():
        return f"{root / 'images'} is not in a split; {convert}"
    if any((root / split / "images").is_dir() for split in SPLIT_WORDS.values()):
        return "add some, for example move images and their label maps there from another split"
    return f"add images, or if it has another layout, {convert}"


def split_folders(root: Path) -> dict[str, str]:
    """Return the folders whose names mean a split.

    Args:
        root: the dataset folder, which exists.

    Returns:
        The split by the name of the folder, sorted; in a correct dataset folder both are the same.
    """
    names = sorted(path.name for path in root.iterdir() if path.is_dir())
    return {name: SPLIT_WORDS[name.casefold()] for name in names if name.casefold() in SPLIT_WORDS}
