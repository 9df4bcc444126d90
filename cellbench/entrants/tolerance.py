"""Running times beyond the challenge's tolerance, and how busy the machine was."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from cellbench.data.folder import DatasetImage
from cellbench.evaluation.runtimes import tolerance_seconds
from cellbench.images import image_shape


def describe_slow_images(
    name: str, rows: Sequence[Mapping[str, Any]], images: Sequence[DatasetImage]
) -> str:
    """Describe on how many images an algorithm took longer than the challenge tolerates.

    A loaded machine slows every program down, and the ranks of slow images suffer; so the line also
    states the machine's load.

    Args:
        name: the algorithm's name.
        rows: rows of ``resources.csv``: for each image its ``status`` and ``wall_s``.
        images: the images, in the order of ``rows``.

    Returns:
        One line, or an empty string if every segmented image was within its tolerance.
    """
    segmented = [
        (row["wall_s"], tolerance_seconds(*image_shape(image.image)))
        for row, image in zip(rows, images, strict=True)
        if row["status"] == "ok"
    ]
    beyond = [(seconds, tolerance) for seconds, tolerance in segmented if seconds > tolerance]
    if not beyond:
        return ""
    seconds, tolerance = max(beyond)
    return (
        f"{name}: {len(beyond)} of {len(segmented)} segmented images took longer than the challenge's "
        f"tolerance, which worsens their rank (longest: {seconds:.1f} s, tolerated: {tolerance:.1f} s). "
        f"{_describe_load()}"
    )


def _describe_load() -> str:
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    advice = "; time it again on an idle machine" if load > cores else ""
    return f"Load of this machine in the last minute: {load:.1f} on {cores} cores{advice}"
