"""The challenge's normalisation: each channel is stretched to 8 bits between two percentiles."""

from typing import Any

import numpy as np
import numpy.typing as npt

_PERCENTILES = (1, 99)
_SMALLEST_SPREAD = 1e-3
_BLOCK = 1 << 16


def normalise(raw: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Stretch each channel between the 1st and 99th percentile of its non-zero pixels.

    The result has the same bytes as that of the challenge's pre_process_3class.py (np.percentile, then
    scikit-image's rescale_intensity, then truncation), except in three cases in which that script loses
    an image. The script stretches a channel if its percentiles differ by more than 0.001; here floats are
    also stretched if they differ by more than a thousandth of the 99th percentile. A channel that is not
    stretched is clipped to 0 … 255 before the conversion, not wrapped. NaN and infinite pixels count as 0.

    Args:
        raw: (H, W) or (H, W, C) integers, floats or booleans. A single channel is repeated; with two
            channels the third is black; with more than three the first three are used. False and True
            count as 0 and 1.

    Returns:
        (H, W, 3); a channel without a non-zero pixel is 0.

    Examples:
        >>> normalise(np.array([[0, 1000, 3000, 2000]], np.uint16))[0, :, 0].tolist()
        [0, 0, 255, 127]
    """
    import cv2

    if not raw.size:
        return np.zeros((*raw.shape[:2], 3), np.uint8)
    channels = raw[..., None] if raw.ndim == 2 else raw[..., :3]
    if channels.dtype.kind == "b":
        channels = channels.view(np.uint8)
    if channels.dtype == np.uint8:
        stretched = _normalise_bytes(channels)
    else:
        stretched = np.empty(channels.shape, np.uint8)
        for index in range(channels.shape[2]):
            stretched[..., index] = _normalise_channel(channels[..., index])
    if channels.shape[2] == 1:
        return np.asarray(cv2.cvtColor(stretched, cv2.COLOR_GRAY2RGB), np.uint8)
    if channels.shape[2] == 2:
        return np.pad(stretched, ((0, 0), (0, 0), (0, 1)))
    return stretched


def _normalise_bytes(channels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Normalise (H, W, C) with OpenCV, which processes interleaved channels without copies."""
    import cv2

    counts = np.zeros((channels.shape[2], 256), np.int64)
    for rows in _blocks(channels):  # OpenCV counts in float32, which is exact for so few pixels
        for index in range(channels.shape[2]):
            found = cv2.calcHist([channels[rows]], [index], None, [256], [0, 256])
            counts[index] += found.ravel().astype(np.int64)
    counts[:, 0] = 0
    levels = np.arange(256, dtype=np.uint8)
    tables = np.zeros((256, 1, channels.shape[2]), np.uint8)
    for index, counted in enumerate(counts):
        if counted.any():
            tables[:, 0, index] = _rescale(levels, *_percentiles(counted))
    return np.asarray(cv2.LUT(channels, tables), np.uint8).reshape(channels.shape)


def _normalise_channel(channel: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if channel.dtype.kind == "u" and channel.dtype.itemsize == 2:
        return _normalise_by_table(channel)
    if channel.dtype.kind == "f":
        channel = np.where(np.isfinite(channel), channel, 0)
    values = channel[channel != 0]
    if not values.size:
        return np.zeros(channel.shape, np.uint8)
    with np.errstate(over="ignore", invalid="ignore"):
        lower, upper = np.percentile(values, _PERCENTILES, overwrite_input=True)
        # The difference of the largest floats does not fit into their type.
        if not np.isfinite(upper - lower):
            return _normalise_channel(channel / 4)
    return _rescale(channel, lower, upper)


def _normalise_by_table(channel: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Normalise 16-bit integers: one histogram and one table instead of a sort and floats."""
    levels = np.arange(1 << 16, dtype=channel.dtype)
    # Blocks, because NumPy converts the indices to 64 bits, which needs much memory.
    counts = np.zeros(len(levels), np.int64)
    for rows in _blocks(channel):
        counts += np.bincount(channel[rows].ravel(), minlength=len(levels))
    counts[0] = 0
    result = np.zeros(channel.shape, np.uint8)
    if counts.any():
        table = _rescale(levels, *_percentiles(counts))
        for rows in _blocks(channel):
            np.take(table, channel[rows], out=result[rows], mode="clip")
    return result


def _blocks(pixels: npt.NDArray[Any]) -> list[slice]:
    """Divide an image into blocks of rows that fit into the processor's cache."""
    step = max(1, _BLOCK // pixels.shape[1])
    return [slice(start, start + step) for start in range(0, len(pixels), step)]


def _percentiles(counts: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Return from a histogram, to the last bit, the percentiles that np.percentile returns for pixels."""
    up_to = np.cumsum(counts)
    places = np.true_divide(_PERCENTILES, 100) * (up_to[-1] - 1)
    before = np.floor(places)
    low = np.searchsorted(up_to, before, side="right")
    high = np.searchsorted(up_to, np.minimum(before + 1, up_to[-1] - 1), side="right")
    part = places - before
    # NumPy interpolates from the nearer neighbour, which decides the rounding.
    near_low, near_high = low + (high - low) * part, high - (high - low) * (1 - part)
    lower, upper = np.where(part < 0.5, near_low, near_high)
    return float(lower), float(upper)


def _rescale(values: npt.NDArray[Any], lower: float, upper: float) -> npt.NDArray[np.uint8]:
    """Return skimage.exposure.rescale_intensity(values, (lower, upper), "uint8"), equally rounded."""
    if upper - lower > min(_SMALLEST_SPREAD, _SMALLEST_SPREAD * abs(upper)):
        lower, upper = float(lower), float(upper)
        scaled = (np.clip(values, lower, upper) - lower) / (upper - lower) * 255
    else:
        scaled = np.clip(values, 0.0, 255.0)
    truncated: npt.NDArray[np.uint8] = scaled.astype(np.uint8)
    return truncated
