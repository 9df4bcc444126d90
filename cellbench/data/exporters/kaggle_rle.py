"""The table of a Kaggle submission: one row of run-length codes per cell."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cellbench.csv_tables import write_rows
from cellbench.data.exporters.base import LabeledImage
from cellbench.labels import encode_cells


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
        codes = [runs for _, runs in encode_cells(image.read_labels())]
        for runs in codes or [""]:
            yield {"id": image.stem, "predicted": runs}
