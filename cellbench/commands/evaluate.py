"""Score predicted label maps against the true ones: F1 for each algorithm, image and IoU threshold."""

import argparse
import logging
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cellbench.commands.mask_options import configure_mask_files
from cellbench.commands.whole_numbers import whole_number

if TYPE_CHECKING:
    from cellbench.evaluation.measures import Table
    from cellbench.evaluation.rows import FolderResult

_log = logging.getLogger(__name__)

PROTOCOL_NAMES = ("neurips22", "neurips22-v1", "exact")
"""Names of the protocols; written here so that ``--help`` needs no import of the scoring code."""

_EPILOG = """\
example:
  cellbench evaluate data/sample/test/labels predictions --out scores.csv --details

names of label maps:
  For the image plate1.png: plate1_label.tiff, as cellbench writes it, or plate1.tif, plate1_masks.png,
  plate1_cp_masks.png, plate1_seg.npy and similar names, in upper or lower case. They may be in a folder
  inside PREDICTIONS, such as masks/, or in a folder for each image. Files that fit no image are listed;
  if none fits, nothing is scored. If PREDICTIONS contains several algorithms, one without any label map
  that fits scores 0 with the status "missing", and a message names it.

formats of label maps:
  TIFF, PNG (also with a palette, whose indices are the ids), NPY, NPZ, Cellpose's _seg.npy, and .mat
  up to version 7 (inst_map of HoVer-Net). Floating-point numbers must be whole; colours must be gray.

Every image of the truth is scored for every algorithm. An image without a usable prediction scores
F1 0, and the column "status" says why. If the run is stopped, the same command continues it.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "truth",
        type=Path,
        nargs="?",
        metavar="TRUTH",
        help="folder of true label maps, named <image>_label.tiff or as other tools name them (see below)",
    )
    parser.add_argument(
        "predictions",
        type=Path,
        nargs="?",
        metavar="PREDICTIONS",
        help="folder of an algorithm's label maps, named after the images; or a folder of such folders, "
        "one for each algorithm; or a run-length table (.csv) with the columns id and predicted, or "
        "ImageId and EncodedPixels; or COCO results (.json)",
    )
    _configure_inputs(parser)
    configure_mask_files(parser)
    _configure_rules(parser)
    _configure_work(parser)


def _configure_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--algorithm",
        metavar="NAME",
        help="name of the algorithm in the tables (default: the name of the predictions folder)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="folder of the images, each of which must have a true label map; needed only if their "
        "sizes differ from those of the label maps (default: sizes of the label maps)",
    )
    parser.add_argument(
        "--manifest",
        type=Path,
        metavar="FILE",
        help="CSV with the modality of each image (default: manifest.csv of the dataset that TRUTH "
        "belongs to, if there is one)",
    )
    parser.add_argument(
        "--runtime",
        type=Path,
        metavar="FILE",
        help="CSV with the running times, in the challenge's format (default: runtime.csv in the "
        "predictions folder, if there is one)",
    )


def _configure_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--protocol",
        default="neurips22",
        choices=PROTOCOL_NAMES,
        help="scoring rules (default: %(default)s); neurips22: the challenge's current evaluator; "
        "neurips22-v1: the evaluator that was in use during the challenge; exact: the same F1 for images "
        "of any size, without tiles",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="print the scoring rules of the protocol and exit; TRUTH and PREDICTIONS are not needed",
    )
    parser.add_argument(
        "--thresholds",
        type=float,
        nargs="+",
        default=[0.5],
        metavar="IOU",
        help="IoU (intersection over union) from which a predicted and a true cell match; one or more "
        "numbers above 0 and at most 1 (default: 0.5)",
    )


def _configure_work(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("scores.csv"),
        metavar="FILE",
        help="table to write, which is replaced if it exists (default: %(default)s); the scoring rules go "
        "to a .json file beside it",
    )
    parser.add_argument(
        "--details",
        action="store_true",
        help="also write two tables beside FILE: scores_details.csv (F1 at IoU 0.5 to 0.95, average "
        "precision, panoptic quality, aggregated Jaccard index and kinds of errors of each image) and "
        "scores_summary.csv (over all images, by modality, cell size and cell shape)",
    )
    parser.add_argument(
        "--cells",
        action="store_true",
        help="also write scores_cells.csv beside FILE: position, area, elongation, partner and kind of "
        "error of each cell",
    )
    parser.add_argument(
        "--jobs",
        type=whole_number(1),
        default=1,
        metavar="N",
        help="number of processes that share the work (default: %(default)s)",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="address of a Dask cluster that does the work, for example tcp://host:8786 "
        "(default: this machine)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Score every algorithm; a run that was stopped continues."""
    from cellbench.errors import UsageError
    from cellbench.evaluation.protocols import get_protocol

    protocol = get_protocol(arguments.protocol)
    if arguments.explain:
        print(protocol.explain())
        return
    if arguments.truth is None or arguments.predictions is None:
        raise UsageError(
            "evaluate: TRUTH or PREDICTIONS is missing; name the folder of true label maps, then the "
            "folder of predictions"
        )
    if arguments.out.is_dir():
        raise UsageError(f"--out {arguments.out}: is a folder; name the file to write")

    from cellbench.commands.evaluate_algorithms import score_algorithms
    from cellbench.evaluation.record import mark_unfinished, record_path, write_record
    from cellbench.files import remove_abandoned_files

    if record_path(arguments.out) == arguments.out:
        raise UsageError(
            f"--out {arguments.out}: the scoring rules are written to this file; choose a name that "
            "ends in .csv"
        )
    from cellbench.evaluation.journal import Journal
    from cellbench.evaluation.mask_files import check_truth

    check_truth(arguments.truth)
    journal = arguments.out.with_name(f".{arguments.out.name}.journal")
    results = score_algorithms(arguments, _tables(arguments), Journal(journal))
    remove_abandoned_files(arguments.out)
    mark_unfinished(arguments.out)
    _write(results, _tables(arguments), arguments.out)
    unmatched = {result.algorithm: result.unmatched for result in results}
    write_record(arguments.out, protocol, arguments.thresholds, unmatched)
    journal.unlink(missing_ok=True)
    for note in dict.fromkeys(note for result in results for note in result.notes):
        _log.warning("%s", note)
    _print_summary(results)
    print(f"wrote {arguments.out}")


def _tables(arguments: argparse.Namespace) -> list["Table"]:
    from cellbench.evaluation.measures import Table

    more = (arguments.details, Table.DETAILS), (arguments.cells, Table.CELLS)
    return [Table.SCORES, *(table for wanted, table in more if wanted)]


def _write(results: Sequence["FolderResult"], tables: Sequence["Table"], out: Path) -> None:
    from cellbench.csv_tables import write_rows
    from cellbench.evaluation.measures import Table
    from cellbench.evaluation.rows import columns
    from cellbench.files import written_whole

    def beside(name: str) -> Path:
        return out.with_name(f"{out.stem}_{name}{out.suffix}")

    for table in tables:
        rows = (row for result in results for row in result.csv_rows(table))
        write_rows(out if table is Table.SCORES else beside(table), columns(table), rows)
    if Table.DETAILS in tables:
        import pandas as pd

        from cellbench.evaluation.class_counts import CLASS_COLUMNS
        from cellbench.evaluation.summary import summarise

        details = [row for result in results for row in result.csv_rows(Table.DETAILS)]
        classes = [row for result in results for row in result.class_rows()]
        summary = summarise(
            pd.DataFrame(details, columns=list(columns(Table.DETAILS))),
            pd.DataFrame(classes, columns=["algorithm", "image", *CLASS_COLUMNS]),
        )
        with written_whole(beside("summary")) as temporary:
            summary.to_csv(temporary, index=False, lineterminator="\n")


def _print_summary(results: Sequence["FolderResult"]) -> None:
    from cellbench.evaluation.statuses import Status

    for result in results:
        for threshold in dict.fromkeys(row.threshold for row in result.scores):
            rows = [row for row in result.scores if row.threshold == threshold]
            median = statistics.median(row.measures["f1"] for row in rows)
            unusable = sum(row.status is not Status.OK for row in rows)
            print(
                f"{result.algorithm}: median F1 {median:.4f} at IoU {threshold:g}, "
                f"{len(rows)} images, {unusable} without a usable prediction"
            )
