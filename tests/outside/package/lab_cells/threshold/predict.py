"""An entrant: any program that reads a folder of images and writes a folder of label maps."""

import sys
from pathlib import Path

import numpy as np
import tifffile
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.io import imread


def main(inputs: Path, outputs: Path) -> None:
    """Segment every image of a folder by Otsu's threshold.

    Args:
        inputs: folder of images.
        outputs: folder for one ``<stem>_label.tiff`` per image.
    """
    for path in sorted(inputs.iterdir()):
        image = imread(path)
        gray = image if image.ndim == 2 else image[..., :3].mean(axis=-1)
        cells, _ = ndimage.label(gray > threshold_otsu(gray))
        tifffile.imwrite(outputs / f"{path.stem}_label.tiff", cells.astype(np.int32))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
