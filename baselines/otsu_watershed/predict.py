"""Segment a folder of images by Otsu's threshold and a watershed of the distance transform."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.morphology import disk
from skimage.segmentation import watershed

from cellbench.errors import CellbenchError
from cellbench.images import image_files, read_image
from cellbench.labels import LabelMap, label_path, relabel, write_labels

FloatImage = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SMOOTHING = 1.0
"""Standard deviation in pixels of the Gaussian before the threshold."""

RELIEF_BALANCE = 0.35
"""A gray image is relief if the weaker deviation from the background exceeds this share of the stronger."""

RELIEF_RADIUS = 5.0
"""Standard deviation in pixels of the Gaussian window that measures local contrast in relief images."""

RELIEF_MARGIN = 4
"""Pixels by which that window widens the cells; the mask is eroded by as many."""

COLOUR = 0.02
"""An image counts as coloured if its channels, in [0, 1], differ by more than this in some pixel."""

SMALLEST_CELL = 30
"""Smallest area in pixels of a piece of foreground that is kept."""

SEED_SMOOTHING = 1.0
"""Standard deviation in pixels of the Gaussian that smooths the distance transform."""

SEED_SPACING = 0.7
"""Smallest distance between seeds, as a share of the median radius of the pieces."""


def segment(image: FloatImage) -> LabelMap:
    """Segment one image.

    Args:
        image: (H, W, 3) in [0, 1].

    Returns:
        (H, W) label map with the ids 1 … N.
    """
    return split_pieces(find_foreground(image))


def find_foreground(image: FloatImage) -> Mask:
    """Find the pixels of cells with Otsu's threshold (1979) on brightness, or in relief on local contrast.

    In phase contrast and DIC, cells are partly darker and partly brighter than the background, so no single
    brightness separates them; there the local standard deviation is thresholded.

    Args:
        image: (H, W, 3) in [0, 1].

    Returns:
        (H, W) mask without holes and without pieces below :data:`SMALLEST_CELL` pixels.
    """
    gray = gray_image(image)
    smooth = ndimage.gaussian_filter(gray, SMOOTHING)
    low, ground, high = np.percentile(smooth, (0.5, 50, 99.5))
    weaker, stronger = sorted((ground - low, high - ground))
    coloured = np.ptp(image, axis=2).max() > COLOUR
    if not coloured and weaker > RELIEF_BALANCE * stronger:
        mask = ndimage.binary_fill_holes(above_otsu(local_contrast(gray)))
        return without_small(ndimage.binary_erosion(mask, disk(RELIEF_MARGIN)))
    bright = high - ground > ground - low
    mask = ndimage.binary_fill_holes(above_otsu(smooth if bright else -smooth))
    return without_small(ndimage.binary_opening(mask, disk(1)))


def gray_image(image: FloatImage) -> FloatImage:
    """Reduce an image to the one value per pixel in which cells stand out.

    On a bright background, stained nuclei are darkest in the red channel, in which eosin is bright; on a
    dark background, cells may be bright in any channel.

    Args:
        image: (H, W, 3) in [0, 1].

    Returns:
        (H, W) in [0, 1].
    """
    return image[..., 0] if np.median(image) > 0.5 else image.max(axis=2)


def local_contrast(gray: FloatImage) -> FloatImage:
    """Return the standard deviation of the gray values in a Gaussian window around each pixel.

    Args:
        gray: (H, W) in [0, 1].

    Returns:
        (H, W).
    """
    mean = ndimage.gaussian_filter(gray, RELIEF_RADIUS)
    square = ndimage.gaussian_filter(gray**2, RELIEF_RADIUS)
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)))


def above_otsu(signal: FloatImage) -> Mask:
    """Return which pixels are above Otsu's threshold; in a constant image none are.

    Args:
        signal: (H, W), any range.

    Returns:
        (H, W) mask.
    """
    mask: Mask = signal > threshold_otsu(signal)
    return mask


def without_small(mask: Mask) -> Mask:
    """Remove the pieces below :data:`SMALLEST_CELL` pixels.

    Args:
        mask: (H, W) foreground.

    Returns:
        (H, W) mask.
    """
    pieces, _ = ndimage.label(mask)
    kept = np.bincount(pieces.ravel()) >= SMALLEST_CELL
    kept[0] = False
    return np.asarray(kept[pieces])


def split_pieces(mask: Mask) -> LabelMap:
    """Split touching cells with a watershed from the peaks of the smoothed distance to the background.

    Args:
        mask: (H, W) foreground.

    Returns:
        (H, W) label map with the ids 1 … N.
    """
    pieces, count = ndimage.label(mask)
    if count == 0:
        return np.zeros(mask.shape, np.uint16)
    distance = ndimage.distance_transform_edt(mask)
    radius = np.median(ndimage.maximum(distance, pieces, np.arange(1, count + 1)))
    smooth = ndimage.gaussian_filter(distance, SEED_SMOOTHING)
    spacing = max(1, round(SEED_SPACING * radius))
    peaks = peak_local_max(smooth, min_distance=spacing, labels=pieces, exclude_border=False)
    seeds = np.zeros(mask.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return relabel(watershed(-smooth, seeds, mask=mask))


def segment_file(path: Path, outputs: Path) -> Path:
    """Segment an image file, and return the path of the label map that was written.

    Args:
        path: the image.
        outputs: folder for the label map.
    """
    labels = label_path(outputs, path.stem)
    write_labels(labels, segment(read_image(path)))
    return labels


def serve(outputs: Path) -> None:
    """Segment the images whose paths are read from standard input, until it ends: cellbench-serve 1.

    The program greets when it is ready. It answers each path with one line, and sends it at once. Whatever
    happens with one image, the next one is served.

    Args:
        outputs: folder for the label maps.
    """
    print("cellbench-serve 1", flush=True)
    for line in sys.stdin.buffer:
        try:
            path = Path(line.removesuffix(b"\n").decode("utf-8"))
            print("done", segment_file(path, outputs), flush=True)
        except Exception as error:
            print("failed", " ".join(str(error).split()), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Segment every image of a folder; an image that cannot be segmented is reported in one line on stderr.

    Args:
        arguments: the words after the program's name; by default those of the running process.

    Returns:
        Exit status: 0, or 1 if any image failed.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    inputs = parser.add_mutually_exclusive_group(required=True)
    inputs.add_argument("-i", "--inputs", type=Path, help="folder of images")
    inputs.add_argument(
        "--serve",
        action="store_true",
        help="read the path of one image per line from standard input",
    )
    parser.add_argument("-o", "--outputs", type=Path, required=True, help="folder of label maps")
    options = parser.parse_args(arguments)
    if options.serve:
        serve(options.outputs)
        return 0
    failed = False
    try:
        images = image_files(options.inputs)
    except CellbenchError as error:
        print(error, file=sys.stderr)
        return 1
    for path in images.values():
        try:
            segment_file(path, options.outputs)
        except (CellbenchError, OSError, MemoryError) as error:
            print(error, file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
