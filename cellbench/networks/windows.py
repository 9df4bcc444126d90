"""Dense maps of an image of any size: overlapping windows, blended with gaussian weights.

The windows and weights are those of MONAI's sliding_window_inference, which the challenge uses. It is not
called, because the import of MONAI takes 3 s of processor time, longer than segmenting an image.
"""

from collections.abc import Callable, Sequence

import torch

from cellbench.networks.padding import padded

Maps = dict[str, torch.Tensor]

_MULTIPLE = 32  # networks with five levels need it
_SIGMA = 0.125  # as a share of the window's side
_SMALLEST_WEIGHT = 0.001


def predict_in_windows(
    predict: Callable[[torch.Tensor], Maps],
    image: torch.Tensor,
    *,
    window: int = 256,
    overlap: float = 0.25,
    batch: int = 4,
    device: torch.device | None = None,
) -> Maps:
    """Predict dense maps window by window, so that the device needs memory for a few windows only.

    Windows are blended on the device of the image: keep large images in main memory and pass the
    device of the network. Windows are not larger than the image, which is padded to a multiple of 32
    with the values at its border. Padding with zeros to a whole window, as in the challenge's
    predict.py, would fill much of what a network sees of a small image, and change its normalisation.

    Args:
        predict: function from (B, 3, h, w) to maps (B, C, h, w); h and w are ``window``, or less in a
            smaller image.
        image: (3, H, W).
        window: side in pixels of the windows.
        overlap: share of a window that its neighbour covers too, in [0, 1).
        batch: number of windows that are predicted at a time.
        device: device on which ``predict`` runs; by default the device of the image.

    Returns:
        (C, H, W) float32 for each map, on the device of the image.
    """
    height, width = image.shape[-2:]
    if min(height, width) < window:
        image = padded(image.unsqueeze(0), _MULTIPLE)[0]
    sides = [min(window, side) for side in image.shape[-2:]]
    corners = [
        (top, left)
        for top in _starts(sides[0], image.shape[-2], overlap)
        for left in _starts(sides[1], image.shape[-1], overlap)
    ]
    weights = _gaussian_weights(sides).to(image.device)
    total = torch.zeros(image.shape[-2:], device=image.device)
    sums: Maps = {}
    for first in range(0, len(corners), batch):
        places = [
            (slice(top, top + sides[0]), slice(left, left + sides[1]))
            for top, left in corners[first : first + batch]
        ]
        windows = torch.stack([image[:, rows, columns] for rows, columns in places])
        maps = predict(windows.to(device))
        for index, (rows, columns) in enumerate(places):
            total[rows, columns] += weights
            for name, values in maps.items():
                if name not in sums:
                    shape = (values.shape[1], *image.shape[-2:])
                    sums[name] = torch.zeros(shape, device=image.device)
                sums[name][:, rows, columns] += weights * values[index].float().to(image.device)
    return {name: (values / total)[:, :height, :width] for name, values in sums.items()}


def _starts(side: int, length: int, overlap: float) -> list[int]:
    """Return where windows start along one axis; the last one ends at the border."""
    step = max(1, int(side * (1 - overlap)))
    last = length - side
    return [min(start, last) for start in range(0, last + step, step)]


def _gaussian_weights(sides: Sequence[int]) -> torch.Tensor:
    """Return the weight of each pixel of a window; it falls towards the borders, to 0.001 at least."""
    rows, columns = (
        torch.exp(-((torch.arange(side) - (side - 1) / 2) ** 2) / (2 * (_SIGMA * side) ** 2))
        for side in sides
    )
    return (rows[:, None] * columns).clamp(min=_SMALLEST_WEIGHT)
