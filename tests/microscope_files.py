"""Writers of small ND2 and LIF files, and the place of CZI files that Zeiss's own library wrote.

The libraries that read these formats do not write them. The files contain only what the libraries need.
"""

import struct
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from pictures import Array

CZI_FILES = Path(__file__).parent / "images" / "zeiss"
"""12 × 16 px, written with pylibCZIrw 6.1: gray, rgb, two_channels, z_stack, scenes, mosaic, zstd."""

CZI_HEIGHT, CZI_WIDTH = 12, 16


def czi_picture(dtype: str, channels: int) -> Array:
    """Return the pixels of the CZI files."""
    rows, columns = np.mgrid[:CZI_HEIGHT, :CZI_WIDTH]
    top = 250 if dtype == "uint8" else 4000
    planes = [(np.sin(rows / (4 + k)) + np.cos(columns / (7 + k)) + 2) / 4 for k in range(channels)]
    return (np.stack(planes, -1) * top).astype(dtype)


def write_lif(path: Path, *images: Array, axes: str = "CYX") -> None:
    """Write a Leica file.

    Args:
        path: the file to write.
        images: arrays of up to three axes.
        axes: their last axes, of C (channels), Z, Y and X.
    """
    header, blocks = "", b""
    for number, image in enumerate(images):
        block = f"MemBlock_{number}"
        header += _lif_element(f"Image {number}", block, image, axes[-image.ndim :])
        blocks += struct.pack("<IIBQBI", 0x70, 0, 0x2A, image.nbytes, 0x2A, len(block))
        blocks += block.encode("utf-16-le") + image.tobytes()
    text = (
        f'<LMSDataContainerHeader Version="2"><Element Name="all"><Children>{header}</Children>'
        "</Element></LMSDataContainerHeader>"
    )
    size = 2 * len(text) + 5
    start = struct.pack("<IIBI", 0x70, size, 0x2A, len(text))
    path.write_bytes(start + text.encode("utf-16-le") + blocks)


def _lif_element(name: str, block: str, image: Array, axes: str) -> str:
    places = {"X": 1, "Y": 2, "Z": 3}
    dimensions = "".join(
        f'<DimensionDescription DimID="{places[axis]}" NumberOfElements="{image.shape[place]}" '
        f'Origin="0" Length="1" Unit="m" BitInc="0" BytesInc="{image.strides[place]}"/>'
        for place, axis in enumerate(axes)
        if axis != "C"
    )
    step = image.strides[axes.index("C")] if "C" in axes else 0
    channels = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="{8 * image.itemsize}" '
        'NameOfMeasuredQuantity="" Min="0" Max="1" Unit="" LUTName="Gray" IsLUTInverted="0" '
        f'BytesInc="{channel * step}" BitInc="0"/>'
        for channel in range(image.shape[axes.index("C")] if "C" in axes else 1)
    )
    return (
        f'<Element Name={quoteattr(name)}><Data><Image TextDescription=""><ImageDescription><Channels>'
        f"{channels}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription></Image></Data>"
        f'<Memory Size="{image.nbytes}" MemoryBlockID="{block}"/><Children/></Element>'
    )


def write_nd2(path: Path, image: Array, channels: int = 1) -> None:
    """Write a Nikon file, version 2.

    Args:
        path: the file to write.
        image: (H, W, C).
        channels: number of channels; the samples of a colour are one channel.
    """
    height, width, samples = image.shape
    attributes = {
        "uiWidth": width,
        "uiHeight": height,
        "uiWidthBytes": width * samples * image.itemsize,
        "uiComp": samples,
        "uiBpcInMemory": 8 * image.itemsize,
        "uiBpcSignificant": 8 * image.itemsize,
        "uiSequenceCount": 1,
        "eCompression": 2,
    }
    planes = (
        f'<sPicturePlanes runtype="CLxListVariant">{_variables(uiCount=channels)}</sPicturePlanes>'
    )
    chunks = {
        b"ImageAttributes!": _variant(_variables(**attributes)),
        b"ImageMetadataSeq|0!": _variant(planes),
        b"ImageDataSeq|0!": bytes(8) + image.tobytes(),
    }
    data, places = _chunk(b"ND2 FILE SIGNATURE CHUNK NAME01!", b"Ver2.0".ljust(64, b"\0"), 32), b""
    for name, content in chunks.items():
        places += name + struct.pack("<QQ", len(data), len(content))
        data += _chunk(name, content, 4072)
    places += b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", len(data))
    path.write_bytes(data + _chunk(b"ND2 FILEMAP SIGNATURE NAME 0001!", places, 32))


def _chunk(name: bytes, content: bytes, reserved: int) -> bytes:
    head = struct.pack("<IIQ", 0x0ABECEDA, reserved, len(content))
    return head + name.ljust(reserved, b"\0") + content


def _variables(**numbers: int) -> str:
    return "".join(f'<{name} runtype="lx_uint32" value="{n}"/>' for name, n in numbers.items())


def _variant(content: str) -> bytes:
    text = f'<no_name runtype="CLxListVariant">{content}</no_name>'
    return f'<variant version="1.0">{text}</variant>'.encode()
