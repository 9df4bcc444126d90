"""The dataset folder: ``ROOT/{train,tune,test}/{images,labels}`` and an optional manifest.

``ROOT/unlabeled/images`` may hold further images without label maps. ``ROOT/train/confidence`` may hold how
sure each pixel of a label map is that a model made, see [`cellbench.data.confidence`][].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cellbench.csv_tables import read_rows, write_rows
from cellbench.data.confidence import confidence_path
from cellbench.data.label_pairs import Pairs, double_labels, label_map_files, pair_labels
from cellbench.data.split_names import missing_images_advice
from cellbench.errors import DatasetError, LabelMapError
from cellbench.images import image_files, image_stem
from cellbench.labels.names import match_stems

SPLITS = ("train", "tune", "test")
"""The splits whose images have label maps."""
UNLABELED = "unlabeled"
"""The split whose images have none."""
_ALL_SPLITS = (*SPLITS, UNLABELED)
MODALITIES = ("brightfield", "fluorescence", "phase-contrast", "DIC")
MANIFEST = "manifest.csv"
LABEL_FOLDERS = ("labels", "masks")
"""Names of the folder of label maps in a split, in the order of preference."""

_COLUMNS = ("image", "split", "modality", "source")

_BY_CASE = {name.casefold(): name for name in MODALITIES}


@dataclass(frozen=True)
class DatasetImage:
    """One image of a dataset folder.

    Attributes:
        stem: file name without its last extension.
        split: train, tune, test or unlabeled.
        image: the image file.
        labels: its label map, or None where there is none.
        modality: one of `MODALITIES`, or another word from the manifest; empty where unknown.
        source: where the image comes from, as the manifest says; empty where unknown.
        confidence: how sure each pixel of a label map is that a model made; None for other label maps.
    """

    stem: str
    split: str
    image: Path
    labels: Path | None
    modality: str
    source: str = ""
    confidence: Path | None = None

    @property
    def root(self) -> Path:
        """The dataset folder that holds the image."""
        return self.image.parents[2]

    def check_sizes(self, image: Sequence[int], labels: Sequence[int]) -> None:
        """Check that the image and its label map have the same height and width.

        Args:
            image: shape of the image, (H, W, …).
            labels: shape of its label map, (H, W).

        Raises:
            DatasetError: if they differ.
        """
        if tuple(image[:2]) != tuple(labels):
            raise DatasetError(
                f"{self.labels}: the label map is {tuple(labels)} pixels (height, width), but its "
                f"image is {tuple(image[:2])}; replace one of the two"
            )


def read_dataset(root: str | Path, splits: Sequence[str] = SPLITS) -> list[DatasetImage]:
    """List the images of a dataset folder, by split and stem.

    Splits whose folder is absent are skipped, so that a folder with only a test split is a dataset. Label
    maps are read from ``labels``, or from ``masks`` if there is no folder ``labels``, under the names that
    [`cellbench.labels.names`][] describes.

    Args:
        root: the dataset folder.
        splits: the splits to list, of ``train``, ``tune``, ``test`` and ``unlabeled``. Images of
            ``unlabeled`` never have a label map.

    Returns:
        The images in the order of ``splits``, within a split sorted by stem.

    Raises:
        CellbenchError: if the folder is absent, holds no images in ``splits``, or has two images (or
            label maps) with one stem; or if the manifest cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise DatasetError(
            f"{root}: no such dataset folder; check the path, or make one with `cellbench data`"
        )
    found: list[DatasetImage] = []
    for split in splits:
        if (root / split / "images").is_dir():
            found += _read_split(root, split)
    if not found:
        wanted = " or ".join(f"{split}/images" for split in splits)
        raise DatasetError(f"{root}: no images in {wanted}; {missing_images_advice(root)}")
    return found


def labels_folder(root: Path, split: str) -> Path | None:
    """Return the folder of the label maps of a split; None if there is none.

    Args:
        root: the dataset folder.
        split: train, tune or test.
    """
    folders = [root / split / name for name in LABEL_FOLDERS]
    return next((folder for folder in folders if folder.is_dir()), None)


def split_pairs(root: Path, split: str, images: Mapping[str, Path]) -> Pairs:
    """Pair the images of a split with their label maps.

    Args:
        root: the dataset folder.
        split: train, tune or test.
        images: the images of the split by stem.
    """
    folder = labels_folder(root, split)
    return pair_labels(images, label_map_files(folder)) if folder else Pairs()


def _read_split(root: Path, split: str) -> list[DatasetImage]:
    images = image_files(root / split / "images")
    listed = match_stems(images, read_manifest(root / MANIFEST, split))
    pairs = Pairs() if split == UNLABELED else split_pairs(root, split, images)
    for stem, paths in pairs.doubles.items():
        raise LabelMapError(double_labels(images[stem], paths))
    return [
        DatasetImage(
            stem,
            split,
            path,
            pairs.found.get(stem),
            *listed.get(stem, _NOT_LISTED),
            confidence=_existing(confidence_path(root / split, stem)),
        )
        for stem, path in images.items()
    ]


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


class ManifestEntry(NamedTuple):
    """What a manifest says about one image; unknown values are empty.

    Attributes:
        modality: one of `MODALITIES`, or another word.
        source: where the image comes from, such as the name of a public dataset.
    """

    modality: str
    source: str


_NOT_LISTED = ManifestEntry("", "")


def read_manifest_rows(manifest: Path) -> list[dict[str, str]]:
    """Read the rows of a manifest; each image may have one.

    Args:
        manifest: the CSV file.

    Returns:
        Text by column, for each row; the names of splits are in lower case.

    Raises:
        DatasetError: if the manifest lacks the column ``image``, is not a CSV file in UTF-8, or has two
            rows for one image.
    """
    rows = read_rows(manifest, ["image"], DatasetError)
    seen: dict[str, set[str]] = {}
    for row in rows:
        split = (row.get("split") or "").strip()
        split = split.casefold() if split.casefold() in _ALL_SPLITS else split
        if "split" in row:
            row["split"] = split
        others = seen.setdefault(image_stem(row["image"]), set())
        # A row without a split is about the image in every split.
        if split in others or "" in others or (others and not split):
            raise DatasetError(
                f"{manifest}: two rows are about the image {row['image']}; remove one of them"
            )
        others.add(split)
    return rows


def read_manifest(manifest: Path, split: str | None = None) -> dict[str, ManifestEntry]:
    """Read the modality and the source of each image from a manifest.

    A manifest names images by file name or by stem; splits and known modalities are recognised in upper
    and lower case.

    Args:
        manifest: the CSV file.
        split: if it is one of [`SPLITS`][] or [`UNLABELED`][], rows of other splits are skipped,
            because two splits may use the same stem.

    Returns:
        Modality and source by stem; empty if there is no manifest.

    Raises:
        DatasetError: as in [`read_manifest_rows`][].
    """
    if not manifest.is_file():
        return {}
    found: dict[str, ManifestEntry] = {}
    for row in read_manifest_rows(manifest):
        if split in _ALL_SPLITS and (row.get("split") or split) != split:
            continue
        modality = (row.get("modality") or "").strip()
        found[image_stem(row["image"])] = ManifestEntry(
            _BY_CASE.get(modality.casefold(), modality), (row.get("source") or "").strip()
        )
    return found


def read_modalities(manifest: Path, split: str | None = None) -> dict[str, str]:
    """Read the modality of each image from a manifest; see [`read_manifest`][].

    Args:
        manifest: the CSV file.
        split: as in [`read_manifest`][].

    Returns:
        Modality by stem; empty if there is no manifest.

    Raises:
        DatasetError: as in [`read_manifest`][].
    """
    return {stem: entry.modality for stem, entry in read_manifest(manifest, split).items()}


def write_manifest(root: str | Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write ``ROOT/manifest.csv``: image, split, modality, source, then the rows' other columns.

    Args:
        root: the dataset folder.
        rows: one mapping of column to value per image.
    """
    others = dict.fromkeys(key for row in rows for key in row if key not in _COLUMNS)
    write_rows(Path(root) / MANIFEST, [*_COLUMNS, *others], rows)
