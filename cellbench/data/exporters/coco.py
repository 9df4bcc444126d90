"""COCO instance annotations: one JSON file for all images."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cellbench.data.exporters.base import LabeledImage
from cellbench.files import written_whole
from cellbench.labels import count_cells

_CATEGORY = 1


def write_coco(images: Sequence[LabeledImage], out: Path) -> None:
    """Write COCO instance annotations with uncompressed run-length codes.

    Args:
        images: the label maps to write.
        out: the JSON file.
    """
    listed: list[dict[str, Any]] = []
    with written_whole(out) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"info": {}, "annotations": [')
        cells = 0
        for number, image in enumerate(images, start=1):
            labels = image.read_labels()
            height, width = labels.shape
            listed.append(
                {"id": number, "file_name": image.file_name, "height": height, "width": width}
            )
            for cell in count_cells(labels):
                cells += 1
                annotation = {
                    "id": cells,
                    "image_id": number,
                    "category_id": _CATEGORY,
                    "segmentation": {"size": [height, width], "counts": cell.counts},
                    "area": cell.area,
                    "bbox": cell.box,
                    "iscrowd": 0,
                }
                file.write(("\n" if cells == 1 else ",\n") + json.dumps(annotation))
        categories = [{"id": _CATEGORY, "name": "cell"}]
        file.write(
            f'],\n"images": {json.dumps(listed)},\n"categories": {json.dumps(categories)}}}\n'
        )
