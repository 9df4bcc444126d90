"""The rows of the tables of ``cellbench evaluate``, and the columns they become."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from operator import attrgetter
from pathlib import Path
from typing import Any

from cellbench.evaluation.cell_errors import CellKind
from cellbench.evaluation.class_counts import ClassCounts
from cellbench.evaluation.details import Values
from cellbench.evaluation.measures import Table, measures_of
from cellbench.evaluation.statuses import Status

_MEASURES = "measures"


@dataclass(frozen=True, slots=True)
class ScoresRow:
    """One image at one IoU threshold.

    Attributes:
        image: stem of the image.
        modality: modality of the image; empty if unknown.
        height: rows of the image, in pixels.
        width: columns of the image, in pixels.
        threshold: the IoU from which cells match.
        measures: value by name of the measure.
        runtime_s: running time in seconds; NaN if unknown or without a usable prediction.
        tolerance_s: running time that costs no rank, in seconds.
        rank_runtime_s: seconds above the tolerance; infinite without a usable prediction.
        status: whether there is a usable prediction, and why not.
    """

    image: str
    modality: str
    height: int
    width: int
    threshold: float
    measures: Values
    runtime_s: float
    tolerance_s: float
    rank_runtime_s: float
    status: Status


@dataclass(frozen=True, slots=True)
class DetailsRow:
    """One image with all its measures.

    Attributes:
        image: stem of the image.
        modality: modality of the image; empty if unknown.
        status: whether there is a usable prediction, and why not.
        measures: value by name of the measure.
    """

    image: str
    modality: str
    status: Status
    measures: Values


class MapName(StrEnum):
    """The label map that a cell belongs to."""

    TRUTH = "truth"
    PREDICTION = "prediction"


@dataclass(frozen=True, slots=True)
class CellRow:
    """One scored cell.

    Attributes:
        image: stem of the image.
        modality: modality of the image; empty if unknown.
        map: the label map that the cell belongs to.
        id: id of the cell in that label map.
        area: area in pixels.
        centroid_row: mean row of the cell's pixels; 0 is the centre of the first row.
        centroid_column: mean column of the cell's pixels.
        elongation: ratio of the long to the short axis of the cell, see
            [`cellbench.evaluation.cell_shapes.CellShapes`][].
        partner: id of the matched cell; None if there is none.
        iou: largest IoU with a cell of the other map, which is the partner if there is one.
        kind: ``matched``, or the kind of error.
    """

    image: str
    modality: str
    map: MapName
    id: int
    area: int
    centroid_row: float
    centroid_column: float
    elongation: float
    partner: int | None
    iou: float
    kind: CellKind


_PIECES, _CLASSES = "pieces", "classes"

Row = ScoresRow | DetailsRow | CellRow

_ROW_TYPES: dict[Table, type[Row]] = {
    Table.SCORES: ScoresRow,
    Table.DETAILS: DetailsRow,
    Table.CELLS: CellRow,
}
_FIELDS = {kind: tuple(each.name for each in fields(kind)) for kind in _ROW_TYPES.values()}
_VALUES = {kind: attrgetter(*names) for kind, names in _FIELDS.items()}


def columns(table: Table) -> tuple[str, ...]:
    """Return the columns of a table: those of its rows, the algorithm's name first.

    Args:
        table: the table.
    """
    names = ["algorithm"]
    for name in _FIELDS[_ROW_TYPES[table]]:
        names += [each.name for each in measures_of(table)] if name == _MEASURES else [name]
    return tuple(names)


@dataclass(frozen=True)
class ImageResult:
    """The rows of one image; a table that was not asked for has none.

    Attributes:
        scores: one row for each threshold.
        details: one row.
        cells: one row for each scored cell.
        classes: the counts of each class of cells; for the summary of the details.
        pieces: the files whose ids have too many pieces, with the numbers of ids and pieces: they
            probably are binary masks (one id), maps of classes or pictures.
    """

    scores: tuple[ScoresRow, ...] = ()
    details: tuple[DetailsRow, ...] = ()
    cells: tuple[CellRow, ...] = ()
    classes: tuple[ClassCounts, ...] = ()
    pieces: tuple[tuple[str, int, int], ...] = ()

    def rows(self, table: Table) -> tuple[Row, ...]:
        """Return the rows of a table.

        Args:
            table: the table.
        """
        rows: tuple[Row, ...] = getattr(self, table)
        return rows

    def as_json(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows as values that JSON can hold, by table, and the other values by name."""
        values: dict[str, list[tuple[Any, ...]]] = {
            _PIECES: list(self.pieces),
            _CLASSES: list(self.classes),
        }
        for table in Table:
            values[table] = [_VALUES[type(row)](row) for row in self.rows(table)]
        return values

    @classmethod
    def from_json(cls, tables: dict[str, list[list[Any]]]) -> "ImageResult":
        """Build the result again that [`as_json`][] returned.

        Args:
            tables: what [`as_json`][] returned, as read from JSON.
        """
        scores = [[*values, Status(status)] for *values, status in tables[Table.SCORES]]
        cells = [
            [image, modality, MapName(name), *values, CellKind(kind)]
            for image, modality, name, *values, kind in tables[Table.CELLS]
        ]
        return cls(
            tuple(ScoresRow(*values) for values in scores),
            tuple(
                DetailsRow(image, modality, Status(status), measures)
                for image, modality, status, measures in tables[Table.DETAILS]
            ),
            tuple(CellRow(*values) for values in cells),
            tuple(ClassCounts(group, value, tuple(n)) for group, value, n in tables[_CLASSES]),
            tuple((file, ids, pieces) for file, ids, pieces in tables.get(_PIECES, [])),
        )


_ADVICE = (
    "Each cell needs an id of its own; connected-component labelling (scikit-image's label, MorphoLibJ in "
    "Fiji) gives one to each piece of a mask"
)


@dataclass(frozen=True)
class FolderResult:
    """The rows of all images of one algorithm, images in order of their stems.

    Attributes:
        algorithm: name of the algorithm.
        images: the rows of each image.
        unmatched: names of the files of predictions that fit no image.
    """

    algorithm: str
    images: tuple[ImageResult, ...]
    unmatched: tuple[str, ...] = ()

    @property
    def scores(self) -> list[ScoresRow]:
        """Rows of the table of scores."""
        return [row for image in self.images for row in image.scores]

    @property
    def details(self) -> list[DetailsRow]:
        """Rows of the table of details."""
        return [row for image in self.images for row in image.details]

    @property
    def cells(self) -> list[CellRow]:
        """Rows of the table of cells."""
        return [row for image in self.images for row in image.cells]

    @property
    def notes(self) -> list[str]:
        """What the user should know about the label maps, one line for each folder and kind.

        Images in which no true cell is scored are named too, because their F1 says nothing.
        """
        found: dict[tuple[Path, bool], list[str]] = {}
        for image in self.images:
            for file, ids, pieces in image.pieces:
                what = "one id" if ids == 1 else f"{ids} ids"
                kind = "a binary mask" if ids == 1 else "a picture or a map of classes"
                text = f"{file}: holds {what} in {pieces} pieces; is this {kind}?"
                found.setdefault((Path(file).parent, ids == 1), []).append(text)
        notes = []
        for first, *more in found.values():
            notes.append(f"{first}{_others(more, 'file')} {_ADVICE}")
        bare = [each.image for each in self.scores if each.measures["true_cells"] == 0]
        if bare:
            first, *more = dict.fromkeys(bare)
            notes.append(
                f"{first}: no true cell is scored, because there is none or all touch the border, so that "
                f"F1 is 0 for every algorithm{_others(more, 'image')}"
            )
        return notes

    def class_rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the counts of each class of cells of each image, for the summary.

        Yields:
            The values of ``algorithm``, ``image`` and
            [`cellbench.evaluation.class_counts.CLASS_COLUMNS`][].
        """
        for image in self.images:
            for row in image.details:
                for group, value, numbers in image.classes:
                    yield self.algorithm, row.image, group, value, *numbers

    def csv_rows(self, table: Table) -> Iterator[dict[str, object]]:
        """Yield the rows of a table as they are written to a CSV.

        Args:
            table: the table.

        Yields:
            Value by column, see [`columns`][].
        """
        for image in self.images:
            for row in image.rows(table):
                yield {"algorithm": self.algorithm} | _flat(row)


def _others(more: list[str], unit: str) -> str:
    return f" ({len(more)} more {unit}{'s' * (len(more) > 1)} like this)" if more else ""


def _flat(row: Row) -> dict[str, object]:
    cells: dict[str, object] = {}
    kind = type(row)
    for name, value in zip(_FIELDS[kind], _VALUES[kind](row), strict=True):
        if name == _MEASURES:
            cells |= value
        else:
            cells[name] = value
    return cells
