"""TIFFs as slide scanners, microscopes and viewers write them: the one image in full resolution."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pictures import HEIGHT, WIDTH, Array, picture

from cellbench.errors import ImageError, LabelMapError
from cellbench.images import image_shape, read_image, read_raw
from cellbench.images.ome import report_left_out
from cellbench.labels import read_labels

BASELINE = np.tile(picture("uint8", 3), (2, 2, 1))
SMALL = BASELINE[::4, ::4]
SCN = """<scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01"><collection sizeX="9" sizeY="9">
<image name="macro"><pixels sizeX="9" sizeY="9"><dimension sizeX="9" sizeY="9" r="0" ifd="0"/></pixels>
</image><image name="scan"><pixels sizeX="106" sizeY="74"><dimension sizeX="106" sizeY="74" r="0" ifd="1"/>
<dimension sizeX="27" sizeY="19" r="1" ifd="2"/></pixels></image></collection></scn>"""


def pages(path: Path, *arrays: Array, descriptions: tuple[str, ...] = (), **options: Any) -> None:
    with tifffile.TiffWriter(path) as file:
        for place, array in enumerate(arrays):
            text = descriptions[place] if place < len(descriptions) else None
            kind = "rgb" if array.ndim == 3 else "minisblack"
            file.write(array, description=text, metadata=None, photometric=kind, **options)


@pytest.mark.parametrize("options", [{}, {"tile": (32, 32)}, {"compression": "jpeg"}], ids=str)
def test_aperio_slides_give_the_baseline(options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "slide.svs"
    with tifffile.TiffWriter(path) as file:
        first = "Aperio Image Library v11.2.1\n106x74 [0,0 106x74] (32x32)|AppMag = 20|MPP = 0.5"
        file.write(BASELINE, description=first, metadata=None, photometric="rgb", **options)
        for name, kind in {"thumbnail": 0, "label": 1, "macro": 9}.items():
            text = f"Aperio Image Library v11.2.1\n{name} 27x19"
            file.write(
                SMALL + kind, description=text, metadata=None, photometric="rgb", subfiletype=kind
            )
    raw = read_raw(path)
    assert raw.shape == BASELINE.shape
    assert np.abs(raw.astype(int) - BASELINE).mean() < (6 if "compression" in options else 1e-9)
    assert image_shape(path) == BASELINE.shape[:2]


def as_ndpi(path: Path, **options: Any) -> None:
    """Write a slide with 64-bit offsets, as Hamamatsu does: an IFD and then the high bits of each value."""
    tifffile.imwrite(path, BASELINE, metadata=None, photometric="rgb", **options)
    data = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", data, 4)
    (tags,) = struct.unpack_from("<H", data, start)
    entries = data[start + 2 : start + 2 + 12 * tags] + struct.pack("<HHII", 65420, 4, 1, 1)
    end = len(data)
    data += struct.pack("<H", tags + 1) + entries + bytes(8) + bytes(4 * (tags + 1))
    # Pixels follow the header; those that the new offset covers are written at the end.
    (place,) = (p for p in range(0, len(entries), 12) if entries[p : p + 2] == b"\x11\x01")
    data += BASELINE.tobytes()
    struct.pack_into("<I", data, end + 2 + place + 8, len(data) - BASELINE.nbytes)
    struct.pack_into("<Q", data, 4, end)
    path.write_bytes(data)


def test_hamamatsu_slides(tmp_path: Path) -> None:
    as_ndpi(tmp_path / "a.ndpi")
    np.testing.assert_array_equal(read_raw(tmp_path / "a.ndpi"), BASELINE)
    assert image_shape(tmp_path / "a.ndpi") == BASELINE.shape[:2]


@pytest.mark.parametrize(
    "name", ["a.ndpi", "a.lsm", "a.stk", "a.svs", "a.scn", "a.qptiff", "a.btf"]
)
def test_an_ordinary_tiff_of_another_name(name: str, tmp_path: Path) -> None:
    for options in ({}, {"compression": "zlib", "tile": (32, 32)}):
        pages(tmp_path / name, BASELINE, **options)
        np.testing.assert_array_equal(read_raw(tmp_path / name), BASELINE)


def test_leica_slides_give_the_scan(tmp_path: Path) -> None:
    pages(tmp_path / "a.scn", SMALL[:9, :9], BASELINE, SMALL, descriptions=(SCN,), tile=(32, 32))
    np.testing.assert_array_equal(read_raw(tmp_path / "a.scn"), BASELINE)
    assert image_shape(tmp_path / "a.scn") == BASELINE.shape[:2]


def test_pyramids_of_label_maps_give_the_full_resolution(tmp_path: Path) -> None:
    labels = np.tile(picture("uint16"), (4, 4))
    with tifffile.TiffWriter(tmp_path / "flat.tif") as file:
        file.write(labels, metadata=None)
        file.write(labels[::2, ::2], subfiletype=1, metadata=None)
        file.write(labels[::4, ::4], subfiletype=1, metadata=None)
    with tifffile.TiffWriter(tmp_path / "sub.ome.tif") as file:
        file.write(labels, subifds=1, tile=(32, 32))
        file.write(labels[::2, ::2], subfiletype=1, tile=(32, 32))
    for name in ("flat.tif", "sub.ome.tif"):
        np.testing.assert_array_equal(read_labels(tmp_path / name), labels)
    pages(tmp_path / "stack.tif", labels, labels)
    with pytest.raises(LabelMapError, match="more than one page"):
        read_labels(tmp_path / "stack.tif")


def ome(*planes: tuple[str, str], size: tuple[int, int, int] = (1, 1, 1), images: int = 1) -> str:
    """Write the description of an OME-TIFF: per plane its attributes and its file."""
    z, c, t = size
    data = "".join(
        f'<TiffData IFD="0" PlaneCount="1" {place}><UUID FileName="{name}">urn:uuid:{name}</UUID>'
        "</TiffData>"
        for place, name in planes
    )
    pixels = (
        f'<Pixels DimensionOrder="XYCZT" ID="Pixels:0" Type="uint16" SizeX="{WIDTH}" SizeY="{HEIGHT}" '
        f'SizeZ="{z}" SizeC="{c}" SizeT="{t}">{data}</Pixels>'
    )
    return (
        f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        f'UUID="urn:uuid:{planes[0][1]}">{f"<Image>{pixels}</Image>" * images}</OME>'
    )


FIRST, SECOND = picture("uint16", 2)[..., 0], picture("uint16", 2)[..., 1]
CHANNELS = (('FirstC="0"', "a.tif"), ('FirstC="1"', "b.tif"))


def test_one_file_of_several_gives_its_own_plane(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report_left_out.cache_clear()
    pages(tmp_path / "a.tif", FIRST, descriptions=(ome(*CHANNELS, size=(1, 2, 1)),))
    for _ in range(2):
        np.testing.assert_array_equal(read_raw(tmp_path / "a.tif"), FIRST[..., None])
        assert image_shape(tmp_path / "a.tif") == FIRST.shape
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'a.tif'}: refers to b.tif, not found in its folder; only the planes in this file "
        "are read"
    ]
    (tmp_path / "a.tif").rename(tmp_path / "renamed.tif")
    np.testing.assert_array_equal(read_raw(tmp_path / "renamed.tif"), FIRST[..., None])


def test_files_that_are_all_present_give_one_image(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pages(tmp_path / "a.tif", FIRST, descriptions=(ome(*CHANNELS, size=(1, 2, 1)),))
    pages(tmp_path / "b.tif", SECOND, descriptions=(ome(*CHANNELS[::-1], size=(1, 2, 1)),))
    for name in ("a.tif", "b.tif"):
        np.testing.assert_array_equal(read_raw(tmp_path / name), picture("uint16", 2))
    assert not caplog.records


def test_the_channels_of_one_file_of_several(tmp_path: Path) -> None:
    planes = [
        (f'FirstC="{c}" FirstT="{t}" IFD="{c}"', f"{t}.tif") for t in range(2) for c in range(2)
    ]
    text = ome(*planes, size=(1, 2, 2)).replace('IFD="0" PlaneCount', "PlaneCount")
    pages(tmp_path / "0.tif", FIRST, SECOND, descriptions=(text,))
    np.testing.assert_array_equal(read_raw(tmp_path / "0.tif"), picture("uint16", 2))
    assert image_shape(tmp_path / "0.tif") == (HEIGHT, WIDTH)


def test_a_stack_in_one_file_of_several_is_refused(tmp_path: Path) -> None:
    planes = [(f'FirstZ="{z}" IFD="{z}"', "0.tif") for z in range(2)] + [('FirstZ="2"', "1.tif")]
    text = ome(*planes, size=(3, 1, 1)).replace('IFD="0" PlaneCount', "PlaneCount")
    pages(tmp_path / "0.tif", FIRST, SECOND, descriptions=(text,))
    with pytest.raises(ImageError, match="contains a stack of 2 pages"):
        read_raw(tmp_path / "0.tif")


def test_a_file_whose_description_is_elsewhere(tmp_path: Path) -> None:
    text = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">'
        '<BinaryOnly MetadataFile="all.companion.ome" UUID="urn:uuid:2"/></OME>'
    )
    pages(tmp_path / "a.tif", FIRST, descriptions=(text,))
    np.testing.assert_array_equal(read_raw(tmp_path / "a.tif"), FIRST[..., None])


def test_planes_that_are_described_but_absent_are_not_black(tmp_path: Path) -> None:
    text = ome(('FirstC="0"', "a.tif"), size=(1, 2, 1))
    pages(tmp_path / "a.tif", FIRST, descriptions=(text,))
    np.testing.assert_array_equal(read_raw(tmp_path / "a.tif"), FIRST[..., None])


def test_other_folders_are_not_searched_for_companions(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    planes = (CHANNELS[0], ('FirstC="1"', "../b.tif"))
    pages(tmp_path / "inner" / "a.tif", FIRST, descriptions=(ome(*planes, size=(1, 2, 1)),))
    pages(tmp_path / "b.tif", SECOND)
    np.testing.assert_array_equal(read_raw(tmp_path / "inner" / "a.tif"), FIRST[..., None])


def change_tag(path: Path, code: int, form: str, field: int, value: int) -> None:
    """Overwrite the code (field 0), type (2), count (4) or offset (8) of a tag."""
    data = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", data, 4)
    (tags,) = struct.unpack_from("<H", data, start)
    codes = [struct.unpack_from("<H", data, start + 2 + 12 * tag)[0] for tag in range(tags)]
    struct.pack_into(form, data, start + 2 + 12 * codes.index(code) + field, value)
    path.write_bytes(data)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
@pytest.mark.parametrize(
    ("form", "field", "value"),
    [("<H", 2, 99), ("<I", 4, 2**30), ("<I", 4, 0), ("<I", 8, 2**32 - 9)],
)
@pytest.mark.parametrize(
    "code", [274, 282, 305, 700, 34665, 34675, 34853, 37500, 33432, 50838, 51123, 65000]
)
def test_damaged_tags_that_do_not_concern_the_pixels(
    code: int, form: str, field: int, value: int, options: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.tif"
    tag = (65001, "s", 0, b"private" * 9, True)
    tifffile.imwrite(path, FIRST, extratags=[tag], metadata=None, software=False, **options)
    change_tag(path, 65001, "<H", 0, code)
    change_tag(path, code, form, field, value)
    np.testing.assert_array_equal(read_raw(path)[..., 0], FIRST)
    np.testing.assert_array_equal(read_labels(path), FIRST)
    assert image_shape(path) == FIRST.shape


@pytest.mark.parametrize("code", [256, 258, 259, 273, 317])
def test_damaged_tags_of_the_pixels_are_errors(code: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, FIRST, compression="zlib", predictor=True, metadata=None)
    change_tag(path, code, "<H", 2, 99)
    for read, error in ((read_image, ImageError), (read_labels, LabelMapError)):
        with pytest.raises(error, match=r"a\.tif: "):
            read(path)


def test_planes_that_only_a_companion_file_describes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report_left_out.cache_clear()
    description = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        'UUID="urn:uuid:a"><BinaryOnly MetadataFile="x.companion.ome" UUID="urn:uuid:x"/></OME>'
    )
    pages(tmp_path / "a.tif", FIRST, descriptions=(description,))
    (tmp_path / "x.companion.ome").write_text(ome(*CHANNELS, size=(1, 2, 1)))
    np.testing.assert_array_equal(read_raw(tmp_path / "a.tif"), FIRST[..., None])
    (record,) = caplog.records
    assert "a.tif: refers to x.companion.ome, which is not read; only" in record.getMessage()


def test_a_mask_of_transparent_pixels_is_not_an_image(tmp_path: Path) -> None:
    colour = picture("uint8", 3)
    with tifffile.TiffWriter(tmp_path / "gdal.tif") as file:
        file.write(colour, photometric="rgb", metadata=None)
        file.write(colour[..., 0] > 0, photometric="mask", subfiletype=4, metadata=None)
    np.testing.assert_array_equal(read_raw(tmp_path / "gdal.tif"), colour)
