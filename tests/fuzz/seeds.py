"""Small sound files of every kind that is read: what the fuzzer damages."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from boards import make_scores
from coco_damage import sound
from label_formats import CELLS, WRITERS
from microscope_files import CZI_FILES, write_lif, write_nd2
from pictures import picture, png, tiff
from PIL import Image

Seeds = list[bytes]


def make_seeds(folder: Path) -> dict[str, Seeds]:
    """Make sound files by kind: ``picture`` (images and label maps), and several tables and records.

    Args:
        folder: where files are written on the way.
    """
    path = folder / "seed"
    files = [
        _written(path, write, CELLS[:20, :30].astype(dtype)) for write, dtype in WRITERS.values()
    ]
    files += [_written(path, tiff(**options), array) for array, options in _tiffs()]
    files += [_written(path, png, picture(*kind)) for kind in _PNGS]
    files += [_saved(**options) for options in _PILLOWS]
    files += [_written(path, jpeg2000, picture(*kind)) for kind in _JPEG2000S]
    files += [_animation(kind) for kind in ("GIF", "WEBP")]
    files += [_written(path, write_lif, picture("uint16")), *_nd2s(path)]
    files += [each.read_bytes() for each in sorted(CZI_FILES.glob("*.czi"))]
    return {
        "picture": files,
        "runtimes": _RUNTIMES,
        "masks": _MASKS,
        "coco": [json.dumps(content).encode() for content in (sound(), sound()["annotations"])],
        "scores": [make_scores(2, 3).to_csv(index=False).encode()],
        "manifest": _MANIFESTS,
        "record": _RECORDS,
        "entry": _ENTRIES,
    }


def _written(path: Path, write: Callable[..., Any], array: np.ndarray[Any, Any]) -> bytes:
    write(path, array)
    return path.read_bytes()


def _tiffs() -> list[tuple[np.ndarray[Any, Any], dict[str, Any]]]:
    gray, colour = picture(), picture("uint8", 3)
    colours = np.arange(768, dtype=np.uint16).reshape(3, 256) * 85
    compressed = ("lzw", "jpeg", "packbits", "zstd", "lzma", "webp", "jpeg2000", "png", "jpegxl")
    return [
        (gray, {}),
        (gray, {"byteorder": ">", "rowsperstrip": 5}),
        (gray, {"bigtiff": True, "photometric": "miniswhite"}),
        (gray, {"photometric": "palette", "colormap": colours}),
        (gray > 99, {"compression": "packbits"}),
        (picture("uint16"), {"compression": "zlib", "predictor": True, "tile": (16, 16)}),
        (picture("float32"), {"compression": "zlib", "predictor": 3}),
        (picture("float64"), {"compression": "lzw"}),
        (picture("int32"), {"description": "axes"}),
        (colour, {"planarconfig": "separate", "compression": "zlib"}),
        (np.moveaxis(picture("uint16", 5), -1, 0), {"metadata": {"axes": "CYX"}, "ome": True}),
        (np.stack([gray] * 3), {"imagej": True}),
        (np.stack([gray] * 2), {"photometric": "minisblack", "metadata": None}),
        (picture("uint8", 4), {"extrasamples": ["unassalpha"], "photometric": "rgb"}),
        (picture("uint8", 4), {"photometric": "separated"}),
        *((colour, {"compression": name, "photometric": "rgb"}) for name in compressed),
        (colour, {"compression": "jpeg", "tile": (16, 16), "subsampling": (2, 2)}),
        (colour, {"extratags": [(274, "H", 1, 6, True), (65000, "s", 0, b"private" * 9, True)]}),
        (gray, {"extratags": [(274, "H", 1, 8, True)], "compression": "zlib"}),
        (colour, {"description": "Aperio Image", "metadata": None, "tile": (16, 16)}),
        (gray, {"description": _ONE_OF_TWO, "metadata": None}),
    ]


def jpeg2000(path: Path, array: np.ndarray[Any, Any]) -> None:
    path.write_bytes(imagecodecs.jpeg2k_encode(array, level=30, codecformat="jp2"))


def _animation(kind: str) -> bytes:
    buffer = io.BytesIO()
    frames = [Image.fromarray(picture("uint8", 3) // k) for k in (1, 2)]
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _nd2s(path: Path) -> Seeds:
    return [_written(path, write_nd2, picture(*kind)) for kind in (("uint16", 1), ("uint8", 3))]


_EXIF = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
_ONE_OF_TWO = (
    '<OME UUID="a"><Image><Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="53" SizeY="37" SizeZ="1" '
    'SizeC="2" SizeT="1"><TiffData IFD="0" FirstC="0"><UUID FileName="case">a</UUID></TiffData>'
    '<TiffData IFD="0" FirstC="1"><UUID FileName="b.tif">b</UUID></TiffData></Pixels></Image></OME>'
)
_JPEG2000S: list[tuple[str, int]] = [("uint8", 3), ("uint16", 1), ("uint8", 4)]
_PNGS: list[tuple[str, int]] = [
    (dtype, channels) for dtype in ("uint8", "uint16") for channels in (0, 2, 3, 4)
]


def _saved(mode: str, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture("uint8", 3)).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


_PILLOWS: list[dict[str, Any]] = [
    {"mode": "P", "kind": "PNG"},
    {"mode": "1", "kind": "PNG"},
    {"mode": "P", "kind": "PNG", "bits": 4, "transparency": 3},
    {"mode": "RGB", "kind": "JPEG"},
    {"mode": "L", "kind": "JPEG", "quality": 40},
    {"mode": "CMYK", "kind": "JPEG"},
    {"mode": "RGB", "kind": "JPEG", "progressive": True, "subsampling": 2},
    {"mode": "1", "kind": "BMP"},
    {"mode": "L", "kind": "BMP"},
    {"mode": "P", "kind": "BMP"},
    {"mode": "RGB", "kind": "BMP"},
    {"mode": "P", "kind": "GIF"},
    {"mode": "L", "kind": "GIF"},
    {"mode": "1", "kind": "GIF", "interlace": True},
    {"mode": "RGB", "kind": "WEBP", "lossless": True},
    {"mode": "RGB", "kind": "WEBP", "quality": 50, "exif": _EXIF},
    {"mode": "RGBA", "kind": "WEBP"},
    {"mode": "RGB", "kind": "JPEG", "exif": _EXIF},
    {"mode": "L", "kind": "PNG", "exif": _EXIF},
]

_RUNTIMES: Seeds = [
    b"Img Name,Real Running Time,Rank Running Time\na.png,3.25,0\nb c.tiff,12,2\n",
    '\ufeffImg Name,Real Running Time\r\n"cell, 1.png",1e1\r\nüß.bmp, 7 \r\n'.encode(),
]
_MASKS: Seeds = [
    b"id,predicted\na,1 3 10 2\na,4 2\nb,\nc,599 2\n",
    b"id,annotation,width,height\na,1 3 10 2,30,20\nb.png,600 1,30,20\n",
    '\ufeffid,predicted,note\r\n"ä,b",5 1 9 1,"x\r\ny"\r\n"ä,b",12 30,\r\n'.encode(),
]
_MANIFESTS: Seeds = [
    b"image,split,modality,source\na.png,train,DIC,here\nb,test,fluorescence,\n",
    '\ufeffimage,split,modality,source,note\r\nü.tif,tune,brightfield,,"x, y"\r\n'.encode(),
]
_RECORDS: Seeds = [
    b'{"schema_version": 2, "value": "f1", "tables": {"ranks.csv": "0f"}, "modalities": {}}'
]

_ENTRIES = [
    b"""name: a
title: "Watershed: \xc3\xa9"
trained_on: []
command: [python, predict.py, "{inputs}", "{outputs}"]
serve: [python, predict.py, -o, "{outputs}"]
setup: [sh, -c, "echo {data}"]
env: {HOME: /tmp, N: "1"}
sources: ["*.py", "models/**/*.pt"]
""",
    b"name: b\nimage: lab/b:1\nauthors: >\n  A long\n  list\nmemory: 4g\ntimeout_factor: 1.5\n",
]
