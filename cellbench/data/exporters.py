"""Exporters: write label maps as one file of run-length codes, which other tools and Kaggle read."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellbench.csv_tables import write_rows
from cellbench.data.folder import read_dataset
from cellbench.errors import DatasetError, UsageError
from cellbench.files import written_whole
from cellbench.labels import count_cells, encode_cells, label_files, read_labels

_CATEGORY = 1


@dataclass(frozen=True)
class LabeledImage:
    """A label map to export.

    Attributes:
        stem: stem of the image.
        file_name: file name of the image.
        labels: file of the label map.
    """

    stem: str
    file_name: str
    labels: Path


def export_labels(source: str | Path, out: str | Path, form: str, split: str | None = None) -> int:
    """Write the label maps of a folder as one file, which the importer of the same name can read.

    Args:
        source: a folder of ``<stem>_label.tiff`` files, or a dataset folder if ``split`` is given.
        out: the file to write; it is never left incomplete.
        form: one of :data:`EXPORTERS`.
        split: train, tune or test, if ``source`` is a dataset folder.

    Returns:
        The number of label maps written.

    Raises:
        CellbenchError: if there is nothing to export, or a label map is missing or unreadable.
    """
    if form not in EXPORTERS:
        raise UsageError(f"{form}: no such format; choose one of {', '.join(EXPORTERS)}")
    images = _find(Path(source), split)
    EXPORTERS[form](images, Path(out))
    return len(images)


def _find(source: Path, split: str | None) -> list[LabeledImage]:
    if split is None:
        files = label_files(source)
        if not files:
            raise DatasetError(
                f"{source}: contains no label maps <stem>_label.tiff; for a dataset folder add --split"
            )
        return [LabeledImage(stem, f"{stem}.png", path) for stem, path in files.items()]
    found = []
    for image in read_dataset(source, [split]):
        if image.labels is None:
            raise DatasetError(f"{image.image}: has no label map; add it or remove the image")
        found.append(LabeledImage(image.stem, image.image.name, image.labels))
    return found


def write_kaggle_rle(images: Sequence[LabeledImage], out: Path) -> None:
    """Write the table of a Kaggle submission: ``id,predicted``, one row per cell.

    An image without cells has one row without runs. Runs count from 1 and follow the rows, as in
    Kaggle's competition Sartorius Cell Instance Segmentation.

    Args:
        images: the label maps to write.
        out: the CSV file.
    """
    write_rows(out, ("id", "predicted"), _kaggle_rows(images))


def _kaggle_rows(images: Sequence[LabeledImage]) -> Iterator[dict[str, str]]:
    for image in images:
        codes = [runs for _, runs in encode_cells(read_labels(image.labels))]
        for runs in codes or [""]:
            yield {"id": image.stem, "predicted": runs}


def write_coco(images: Sequence[LabeledImage], out: Path) -> None:
    """Write COCO instance annotations with uncompressed run-length codes.

    Args:
        images: the label maps to write.
        out: the JSON file.
    """
    listed: list[dict[str, Any]] = []
    with written_whole(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"info": {}, "annotations": [')
        cells = 0
        for number, image in enumerate(images, start=1):
            labels = read_labels(image.labels)
            height, width = labels.shape
            listed.append(
                {"id": number, "file_name": image.file_name, "height": height, "width": width}
            )
            for cell in count_cells(labels):
                cells += 1
                annotation = {
                    "id": cells,
                    "image_id": number,
                    "category_id": _CATEGORY,
                    "segmentation": {"size": [height, width], "counts": cell.counts},
                    "area": cell.area,
                    "bbox": cell.box,
                    "iscrowd": 0,
                }
                file.write(("\n" if cells == 1 else ",\n") + json.dumps(annotation))
        categories = [{"id": _CATEGORY, "name": "cell"}]
        file.write(
            f'],\n"images": {json.dumps(listed)},\n"categories": {json.dumps(categories)}}}\n'
        )


EXPORTERS: dict[str, Callable[[Sequence[LabeledImage], Path], None]] = {
    "coco": write_coco,
    "kaggle-rle": write_kaggle_rle,
}
"""The writer of each format."""
