"""Score label maps against the truth: one row for each algorithm, image and threshold."""

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "truth", type=Path, nargs="?", help="folder of true label maps <stem>_label.tiff"
    )
    parser.add_argument(
        "predictions",
        type=Path,
        nargs="?",
        help="an algorithm's folder of label maps, a folder of such folders, "
        "or a run-length table id,predicted (.csv)",
    )
    parser.add_argument("--out", type=Path, default=Path("scores.csv"), help="the table to write")
    parser.add_argument("--algorithm", help="its name; the folder's unless given")
    parser.add_argument("--images", type=Path, help="the images, each of which needs a truth")
    parser.add_argument("--manifest", type=Path, help="CSV of modalities; the dataset's by default")
    parser.add_argument(
        "--runtime", type=Path, help="official CSV of times; by default runtime.csv"
    )
    parser.add_argument("--protocol", default="neurips22", help="scoring rules [neurips22]")
    parser.add_argument(
        "--explain", action="store_true", help="tell the protocol's rules, and stop"
    )
    parser.add_argument(
        "--thresholds", type=float, nargs="+", default=[0.5], help="IoU thresholds [0.5]"
    )
    parser.add_argument(
        "--details",
        action="store_true",
        help="also write <out>_details.csv (AP, PQ, AJI, kinds of errors) and <out>_summary.csv",
    )
    parser.add_argument(
        "--cells", action="store_true", help="also write <out>_cells.csv, a row for each cell"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes at the same time [1]")
    parser.add_argument("--scheduler", help="address of a Dask cluster that scores instead")


def run(arguments: argparse.Namespace) -> None:
    """Score every algorithm; what a killed run had done is kept."""
    from cellbench.errors import UsageError
    from cellbench.evaluation.protocols import get_protocol

    protocol = get_protocol(arguments.protocol)
    if arguments.explain:
        print(protocol.explain())
        return
    if arguments.truth is None or arguments.predictions is None:
        raise UsageError("evaluate: name the folder of truth and the one of predictions")
    if arguments.out.is_dir():
        raise UsageError(f"--out {arguments.out}: is a folder; name the table to write")

    from cellbench.evaluation.record import record_path, write_record

    if record_path(arguments.out) == arguments.out:
        raise UsageError(f"--out {arguments.out}: is where the record goes; name a .csv")
    journal = arguments.out.with_name(f".{arguments.out.name}.journal")
    tables = _score(arguments, journal)
    _write(tables, arguments.out)
    write_record(arguments.out, protocol, arguments.thresholds)
    journal.unlink(missing_ok=True)
    _print_summary(tables["scores"])


def _score(arguments: argparse.Namespace, journal: Path) -> dict[str, list[dict[str, Any]]]:
    from tqdm import tqdm

    from cellbench.errors import ScoresError
    from cellbench.evaluation.folder import score_folder

    algorithms = algorithm_folders(arguments.predictions)
    if len(algorithms) > 1 and (arguments.algorithm or arguments.runtime):
        raise ScoresError(
            f"{arguments.predictions}: holds {len(algorithms)} algorithms; "
            "--algorithm and --runtime are for one"
        )
    wanted = ["scores", *(name for name in ("details", "cells") if getattr(arguments, name))]
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in wanted}
    for predictions in algorithms:
        with tqdm(unit="image", desc=predictions.name, disable=None) as bar:

            def show(done: int, total: int, bar: "tqdm[Any]" = bar) -> None:
                if bar.total is None:  # what an earlier run had done is no part of the rate
                    bar.total, bar.initial, bar.n = total, done, done
                bar.update(done - bar.n)

            scored = score_folder(
                arguments.truth,
                predictions,
                algorithm=arguments.algorithm,
                images=arguments.images,
                manifest=arguments.manifest,
                runtimes=arguments.runtime,
                protocol=arguments.protocol,
                thresholds=arguments.thresholds,
                tables=wanted,
                jobs=arguments.jobs,
                scheduler=arguments.scheduler,
                journal=journal,
                progress=show,
            )
        for name in wanted:
            tables[name] += scored[name]
    return tables


def algorithm_folders(predictions: Path) -> list[Path]:
    """List what to score: the given folder or table; the folders inside where it holds no label maps."""
    from cellbench.errors import ScoresError
    from cellbench.evaluation.cases import MASK_TABLE
    from cellbench.labels.files import all_label_files

    if predictions.is_file() and predictions.suffix.lower() == MASK_TABLE:
        return [predictions]
    if not predictions.is_dir():
        raise ScoresError(f"{predictions}: no such folder of predictions, nor a run-length table")
    inside = sorted(
        path for path in predictions.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    return [predictions] if all_label_files(predictions) or not inside else inside


def _write(tables: Mapping[str, Sequence[Mapping[str, Any]]], out: Path) -> None:
    from cellbench.evaluation.folder import COLUMNS
    from cellbench.files import write_rows, written_whole

    def beside(name: str) -> Path:
        return out.with_name(f"{out.stem}_{name}{out.suffix}")

    for name, rows in tables.items():
        write_rows(out if name == "scores" else beside(name), COLUMNS[name], rows)
    if "details" in tables:
        import pandas as pd

        from cellbench.evaluation.summary import summarise

        summary = summarise(pd.DataFrame(tables["details"], columns=list(COLUMNS["details"])))
        with written_whole(beside("summary")) as temporary:
            summary.to_csv(temporary, index=False, lineterminator="\n")


def _print_summary(rows: Sequence[Mapping[str, Any]]) -> None:
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["algorithm"], row["threshold"]), []).append(row)
    for (algorithm, threshold), group in groups.items():
        median = statistics.median(row["f1"] for row in group)
        unusable = sum(row["status"] != "ok" for row in group)
        print(
            f"{algorithm}: median F1 {median:.4f} at IoU {threshold:g}, "
            f"{len(group)} images, {unusable} without a usable prediction"
        )
