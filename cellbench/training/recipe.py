"""How training patches are made: all options of a patch in one place."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cellbench.training.augmentation import Augmentation, PatchAugmentation
from cellbench.training.ranges import check_at_least, check_between, check_flag, check_span

_MOST_ZOOM = 100
_LARGEST_DIAMETER = 1000  # pixels; larger cells would fill several patches


@dataclass(frozen=True)
class PatchRecipe:
    """What is done to make a training patch.

    Without options a patch is a window of one image in its own size, changed by the default
    augmentation. Each field is the option of
    [`CellDataModule`][cellbench.training.datamodule.CellDataModule] with the same name.

    Args:
        crop_size: side of a patch in pixels.
        largest_zoom: patches are enlarged at random, at most by this factor, from 1 to 100.
        smallest_zoom: patches are shrunk at random, at most to this factor, from 0.01 to 1; None is
            1 / ``largest_zoom``, and never so much that the patch would need padding.
        cell_sizes: smallest and largest diameter in pixels to which the cells of some patches are
            rescaled, from 1 to 1000; None rescales no patch by its cells.
        mosaic: probability with which a patch is composed of windows of four images.
        cell_intensity: probability with which some cells of a patch are made brighter.
        augmentation: changes each patch at random.
        boundary_exclusion: whether cells lose their boundary pixels before they are encoded.

    Raises:
        UsageError: if a number is out of its range, or ``boundary_exclusion`` is not true or false.
    """

    crop_size: int
    largest_zoom: float = 1.0
    smallest_zoom: float | None = None
    cell_sizes: Sequence[float] | None = None
    mosaic: float = 0.0
    cell_intensity: float = 0.0
    augmentation: PatchAugmentation = field(default_factory=Augmentation)
    boundary_exclusion: bool = False

    def __post_init__(self) -> None:
        check_at_least(1, "data", crop_size=self.crop_size, largest_zoom=self.largest_zoom)
        check_between(1, _MOST_ZOOM, "data", largest_zoom=self.largest_zoom)
        if self.smallest_zoom is not None:
            check_between(1 / _MOST_ZOOM, 1, "data", smallest_zoom=self.smallest_zoom)
        if self.cell_sizes is not None:
            check_span(1, _LARGEST_DIAMETER, "data", cell_sizes=self.cell_sizes)
        check_between(0, 1, "data", mosaic=self.mosaic, cell_intensity=self.cell_intensity)
        check_flag("data", boundary_exclusion=self.boundary_exclusion)
