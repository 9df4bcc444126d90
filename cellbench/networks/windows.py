"""Dense maps of an image of any size: overlapping windows, blended with gaussian weights."""

from collections.abc import Callable

import torch

from cellbench.networks.padding import padded

Maps = dict[str, torch.Tensor]

_MULTIPLE = 32  # networks with five levels need it


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
