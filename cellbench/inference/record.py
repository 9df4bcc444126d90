"""The record of a run of `cellbench segment`: which options made the label maps."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from cellbench.files import written_whole
from cellbench.inference.scaling import Scaling

RECORD_FILE = "segmentation.json"


def write_record(
    path: str | Path, options: Mapping[str, object], images: Mapping[str, Scaling]
) -> None:
    """Write the options of a run and how each image was resized, as JSON.

    Args:
        path: the file.
        options: value by name.
        images: how each segmented image was resized, by file name.
    """
    record = {**options, "images": {name: asdict(scaling) for name, scaling in images.items()}}
    with written_whole(path) as temporary:
        temporary.write_text(
            json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
