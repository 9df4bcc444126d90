"""Images: read any microscopy file as (H, W, 3), with the challenge's normalisation."""

from cellbench.images.formats import (
    SUFFIXES,
    image_files,
    image_stem,
    unread_files,
    unread_message,
)
from cellbench.images.normalisation import normalise
from cellbench.images.reading import image_shape, read_channels, read_image, read_raw

__all__ = [
    "SUFFIXES",
    "image_files",
    "image_shape",
    "image_stem",
    "normalise",
    "read_channels",
    "read_image",
    "read_raw",
    "unread_files",
    "unread_message",
]
