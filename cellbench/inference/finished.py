"""What `cellbench segment` has finished: a run that was stopped continues, and does nothing twice.

The output folder has a journal. Its first record holds the settings of the run, which are everything that
label maps depend on besides the image. Each further record is that of a finished image, with its time, the
measures of its cells and the checksums of the image and the label map; it is appended when the label map is
complete. The next run keeps the label maps whose record still fits, so a folder never contains label maps
of two settings.
"""

import errno
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from cellbench.errors import CellbenchError, UsageError, WriteError
from cellbench.evaluation.journal import Journal
from cellbench.evaluation.runtimes import RUNTIME_FILE, rank_runtime_seconds, write_runtimes
from cellbench.files import fingerprint, remove_partial_files
from cellbench.images import image_stem
from cellbench.inference.finished_image import FinishedImage, image_name
from cellbench.inference.products import Product, product_path, write_products
from cellbench.inference.record import RECORD_FILE, write_record
from cellbench.inference.scaling import Scaling
from cellbench.inference.settings import file_checksum
from cellbench.labels import label_path
from cellbench.locks import locked_folder
from cellbench.representations.base import DecodedCells

JOURNAL_FILE = ".segmentation-journal"
"""Name of the journal in a folder of label maps that ``cellbench segment`` writes."""

_SETTINGS = "settings"


class FinishedImages:
    """The finished images of a run; each one is on disk as soon as it is known.

    Label maps of the images that are not finished are removed at the start, and so are the tables of an
    earlier run, which would be those of other label maps.

    Args:
        outputs: folder of the label maps; it exists, and no other process writes to it.
        files: image files by stem.
        settings: what the label maps depend on besides the image, see
            [`run_settings`][cellbench.inference.settings.run_settings]. With None, nothing is kept
            or recorded.
        report: called with one line if label maps of an earlier run are kept or replaced.

    Raises:
        UsageError: if the folder contains label maps of other images that were made with other settings.
        WriteError: if the journal cannot be written.
    """

    def __init__(
        self,
        outputs: Path,
        files: Mapping[str, Path],
        settings: Mapping[str, object] | None,
        report: Callable[[str], object],
    ) -> None:
        self._outputs, self._files, self._recorded = outputs, files, settings is not None
        path = outputs / JOURNAL_FILE
        self._journal = Journal(path if self._recorded else None)
        previous = self._journal.get(_SETTINGS)
        known = {stem: image for stem in files if (image := self._known(stem)) is not None}
        same = previous == settings
        if not same:
            self._refuse_mixture()
        self._images = {
            stem: image
            for stem, image in known.items()
            if same and image.fits(self._name(stem), files[stem], self._labels(stem))
        }
        self._states = {stem: fingerprint([files[stem]]) for stem in self.missing()}
        self._remove_outdated(known)
        if known:
            report(self._describe_kept(known) if same else self._describe(previous, settings or {}))
        if not same:
            path.unlink(missing_ok=True)
            self._journal = Journal(path)
            self._journal.add(_SETTINGS, settings)

    def __contains__(self, stem: str) -> bool:
        """Return whether the label map of an image is finished."""
        return stem in self._images

    def missing(self, products: Collection[Product] = ()) -> list[str]:
        """Return the stems of the images that are not finished, in the order of the files.

        Args:
            products: what is wanted beside each label map.
        """
        return [
            stem
            for stem in self._files
            if stem not in self._images or self._missing_products(stem, products)
        ]

    def _missing_products(self, stem: str, products: Collection[Product]) -> list[Product]:
        written = self._images[stem].products
        return [
            each
            for each in products
            if each not in written or not product_path(self._outputs, stem, each).is_file()
        ]

    def write_products(self, stem: str, products: Collection[Product]) -> None:
        """Write what is missing beside the label map of a finished image.

        Args:
            stem: stem of the image.
            products: what is wanted.

        Raises:
            CellbenchError: as [`write_products`][cellbench.inference.products.write_products].
        """
        if not (missing := self._missing_products(stem, products)):
            return
        image, path = self._images[stem], self._labels(stem)
        # Recorded first: a later run may remove these files, but no files that somebody else wrote.
        products = tuple(dict.fromkeys((*image.products, *missing)))
        begun = replace(image, products=products)
        self._journal.add(self._key(stem), asdict(begun))
        write_products(self._outputs, stem, self._files[stem], path, missing, image.measures)
        self._images[stem] = begun

    def cells(self) -> int:
        """Return the number of cells in the finished images."""
        return sum(image.cells for image in self._images.values())

    def add(self, stem: str, seconds: float, cells: DecodedCells, scaling: Scaling) -> None:
        """Record an image whose label map is complete.

        Args:
            stem: stem of the image.
            seconds: its running time.
            cells: its label map, ids 1 … N, and the measures of its cells.
            scaling: how it was resized.

        Raises:
            WriteError: if the journal cannot be written.
        """
        file, image, labels = self._files[stem], "", ""
        if self._recorded:
            labels = file_checksum(self._labels(stem))
            # Not before the image is segmented: a file that was just read opens faster.
            image = file_checksum(file) if fingerprint([file]) == self._states[stem] else ""
        finished = FinishedImage(
            self._name(stem),
            image,
            labels,
            seconds,
            rank_runtime_seconds(seconds, *cells.labels.shape),
            **asdict(scaling),
            cells=int(cells.labels.max()),
            measures={name: values.tolist() for name, values in cells.measures.items()},
        )
        self._images[stem] = finished
        self._journal.add(self._key(stem), asdict(finished))

    def write_tables(self, options: Mapping[str, object]) -> None:
        """Write ``runtime.csv`` and ``segmentation.json`` for the images that are finished.

        Args:
            options: options of the run by name, for ``segmentation.json``.

        Raises:
            WriteError: if a file cannot be written.
        """
        images = [self._images[stem] for stem in self._files if stem in self._images]
        times = [(each.image, each.runtime_s, each.rank_runtime_s) for each in images]
        write_runtimes(self._outputs / RUNTIME_FILE, times)
        scalings = {each.image: Scaling(each.diameter, each.scale) for each in images}
        write_record(self._outputs / RECORD_FILE, options, scalings)

    def _labels(self, stem: str) -> Path:
        return label_path(self._outputs, stem)

    def _key(self, stem: str) -> str:
        return label_path("", stem).as_posix()

    def _name(self, stem: str) -> str:
        return image_name(stem, self._files[stem])

    def _known(self, stem: str) -> FinishedImage | None:
        return FinishedImage.from_json(self._journal.get(self._key(stem)))

    def _refuse_mixture(self) -> None:
        """Refuse a folder with label maps of other settings that are not replaced by this run."""
        records = map(FinishedImage.from_json, self._journal.values())
        stems = {image_stem(each.image): each for each in records if each is not None}
        others = [
            each.image
            for stem, each in stems.items()
            if stem not in self._files and file_checksum(self._labels(stem)) == each.labels_checksum
        ]
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise UsageError(
                f"{self._outputs}: contains label maps of other images ({others[0]}{more}) that were made "
                "with another checkpoint, option, device or version; choose another folder, or delete them"
            )

    def _remove_outdated(self, known: Mapping[str, FinishedImage]) -> None:
        """Remove what would not belong to this run, also if it is killed."""
        for folder in {self._outputs, *(self._labels(stem).parent for stem in self._files)}:
            remove_partial_files(folder)
        missing = self.missing()
        if missing:
            for name in (RUNTIME_FILE, RECORD_FILE):
                (self._outputs / name).unlink(missing_ok=True)
        for stem in missing:
            written = known[stem].products if stem in known else ()
            for path in (
                self._labels(stem),
                *(product_path(self._outputs, stem, each) for each in written),
            ):
                with suppress(OSError):  # reported as an error of the image when it is segmented
                    path.unlink(missing_ok=True)

    def _describe_kept(self, known: Mapping[str, FinishedImage]) -> str:
        """Return a line with the label maps of an earlier run that are kept, and those that are not."""
        count = f"{len(self._images)} of {len(self._files)}"
        line = f"{self._outputs}: {count} label maps are kept from an earlier run"
        changed = [self._name(stem) for stem in known if stem not in self._images]
        if not changed:
            return line
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        again = f"{changed[0]}{more} {'are' if more else 'is'} segmented again"
        return f"{line}; {again}, because an image or its label map has changed"

    def _describe(self, previous: object, settings: Mapping[str, object]) -> str:
        """Return the reason why no label map of an earlier run is kept."""
        before = previous if isinstance(previous, dict) else settings
        names = [name for name, value in settings.items() if before.get(name) != value]
        return (
            f"{self._outputs}: all images are segmented again, because the earlier label maps were made "
            f"with other settings ({', '.join(names) or 'unknown'})"
        )


@contextmanager
def finished_images(
    outputs: str | Path,
    files: Mapping[str, Path],
    options: Mapping[str, object],
    settings: Mapping[str, object] | None,
    report: Callable[[str], object],
) -> Iterator[FinishedImages]:
    """Provide the finished images of a run, and write its tables at the end, also if it is interrupted.

    Args:
        outputs: folder of the label maps; it is created if it does not exist.
        files: image files by stem.
        options: options of the run by name, for ``segmentation.json``.
        settings: as in [`FinishedImages`][].
        report: as in [`FinishedImages`][].

    Yields:
        The finished images, to which those of this run are added.

    Raises:
        WriteError: if another process writes to the folder, or a file cannot be written.
        UsageError: as in [`FinishedImages`][].
    """
    with locked_folder(Path(outputs), WriteError):
        finished = FinishedImages(Path(outputs), files, settings, report)
        try:
            yield finished
        except BaseException:
            with suppress(CellbenchError, OSError):  # the first error says what is wrong
                finished.write_tables(options)
            raise
        finished.write_tables(options)


def concerns_all_images(error: Exception) -> bool:
    """Return whether an error would occur again for the next image, as on a full disk.

    Args:
        error: what segmenting an image raised.
    """
    name_too_long = getattr(error.__cause__, "errno", None) == errno.ENAMETOOLONG
    return isinstance(error, WriteError) and not name_too_long
