"""Dense maps of an image of any size: overlapping windows, blended with gaussian weights."""

from collections.abc import Callable

import torch

from cellbench.networks.padding import padded

Maps = dict[str, torch.Tensor]

_MULTIPLE = 32  # what networks with five levels want


def predict_in_windows(
    predict: Callable[[torch.Tensor], Maps],
    image: torch.Tensor,
    *,
    window: int = 256,
    overlap: float = 0.25,
    batch: int = 4,
    device: torch.device | None = None,
) -> Maps:
    """Predict dense maps window by window, so that memory on the device depends on the window alone.

    Windows are blended where the image is: keep large images in main memory and give the network's
    device. Windows are no larger than the image, which is filled up to a multiple of 32 with what lies
    at its border: zeros up to a whole window, as in the challenge's predict.py, would be much of what
    a network sees of a small image, and shift what it normalises by.

    Args:
        predict: (B, 3, h, w) to maps (B, C, h, w); h and w are ``window``, or less in a smaller image.
        image: (3, H, W).
        window: side of the windows in pixels.
        overlap: share of a window that its neighbour covers too, in [0, 1).
        batch: windows at a time.
        device: where ``predict`` runs; the image's device unless given.

    Returns:
        (C, H, W) float32 for each map, on the image's device.
    """
    from monai.inferers import sliding_window_inference

    def predict_float(windows: torch.Tensor) -> Maps:
        return {name: values.float() for name, values in predict(windows).items()}

    height, width = image.shape[-2:]
    whole = image.unsqueeze(0)
    if min(height, width) < window:
        whole = padded(whole, _MULTIPLE)
    blended = sliding_window_inference(
        whole,
        roi_size=[min(window, side) for side in whole.shape[-2:]],
        sw_batch_size=batch,
        predictor=predict_float,
        overlap=overlap,
        mode="gaussian",
        sw_device=device,
        device=image.device,
    )
    return {name: values[0, :, :height, :width] for name, values in blended.items()}
