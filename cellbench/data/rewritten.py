"""What datasets with changed pixels share: images written with all channels, and rows of the manifest."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from cellbench.data.folder import MANIFEST, read_manifest_rows
from cellbench.files import written_whole
from cellbench.images import image_stem
from cellbench.images.pixel_size import PixelSize, resolution_tags


def write_channels(
    path: Path, image: npt.NDArray[Any], alpha: int | None, pixel_size: PixelSize | None = None
) -> None:
    """Write the channels of an image so that reading finds the same colours and alpha channel.

    Args:
        path: the TIFF file to write.
        image: (H, W, C).
        alpha: place of the alpha channel; None if there is none.
        pixel_size: size of the pixels, which the file states; None if it is not known.
    """
    import tifffile

    channels = image.shape[2]
    colours = channels == 3 or (alpha is not None and alpha >= 3)
    others: list[str | int] = [0] * (channels - (3 if colours else 1))  # 0: of no known meaning
    if alpha is not None:
        others[alpha - channels] = "unassalpha"
    with written_whole(path) as temporary:
        tifffile.imwrite(
            temporary,
            image if channels > 1 else image[..., 0],
            photometric="rgb" if colours else "minisblack",
            planarconfig="contig" if channels > 1 else None,
            extrasamples=others or None,
            compression="zlib",
            metadata={"axes": "YXS" if channels > 1 else "YX"},
            **resolution_tags(pixel_size),
        )


def manifest_rows(root: Path, splits: set[str]) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """List the rows of a manifest with the split and stem of their image; none without a manifest.

    Args:
        root: the dataset folder.
        splits: the splits that a row without a split is about.

    Yields:
        Split and stem, and the row with this split.
    """
    if not (root / MANIFEST).is_file():
        return
    for row in read_manifest_rows(root / MANIFEST):
        stem = image_stem(row["image"])
        for split in [row["split"]] if row.get("split") else sorted(splits):
            yield (split, stem), {**row, "split": split}


def updated_row(
    row: Mapping[str, str], stem: str, facts: Mapping[str, object]
) -> dict[str, object]:
    """Return the row of an image that is now a TIFF file.

    Args:
        row: its row of before.
        stem: its stem.
        facts: new values; those of columns that the row does not have are left out.
    """
    known = {name: value for name, value in facts.items() if name in row}
    return {**row, "image": f"{stem}.tif", **known}
