"""Score label maps against the truth: one row for each algorithm, image and threshold."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("truth", type=Path, help="folder of true label maps <stem>_label.tiff")
    parser.add_argument(
        "predictions",
        type=Path,
        help="an algorithm's folder of label maps, or a folder of such folders",
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
        "--thresholds", type=float, nargs="+", default=[0.5], help="IoU thresholds [0.5]"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes at the same time [1]")


def run(arguments: argparse.Namespace) -> None:
    """Score every algorithm; what a killed run had done is kept."""
    import pandas as pd
    from tqdm import tqdm

    from cellbench.errors import ScoresError, UsageError
    from cellbench.evaluation import evaluate_folder
    from cellbench.files import written_whole

    if arguments.out.is_dir():
        raise UsageError(f"--out {arguments.out}: is a folder; name the table to write")
    folders = algorithm_folders(arguments.predictions)
    if len(folders) > 1 and (arguments.algorithm or arguments.runtime):
        raise ScoresError(
            f"{arguments.predictions}: holds {len(folders)} algorithms; "
            "--algorithm and --runtime are for one"
        )
    journal = arguments.out.with_name(f".{arguments.out.name}.journal")
    tables = []
    with tqdm(unit="image", disable=None) as bar:
        for folder in folders:
            tables.append(
                evaluate_folder(
                    arguments.truth,
                    folder,
                    algorithm=arguments.algorithm,
                    images=arguments.images,
                    manifest=arguments.manifest,
                    runtimes=arguments.runtime,
                    protocol=arguments.protocol,
                    thresholds=arguments.thresholds,
                    jobs=arguments.jobs,
                    journal=journal,
                    progress=bar.update,
                )
            )
    table = pd.concat(tables)
    with written_whole(arguments.out) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    journal.unlink(missing_ok=True)
    _print_summary(table)


def algorithm_folders(predictions: Path) -> list[Path]:
    """List the folders to score: the given one, or where it holds no label maps, those inside it."""
    from cellbench.errors import ScoresError
    from cellbench.labels import label_files

    if not predictions.is_dir():
        raise ScoresError(f"{predictions}: no such folder of predictions")
    inside = sorted(
        path for path in predictions.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    return [predictions] if label_files(predictions) or not inside else inside


def _print_summary(table: "pd.DataFrame") -> None:
    for (algorithm, threshold), rows in table.groupby(["algorithm", "threshold"], sort=False):
        usable = int((rows["status"] == "ok").sum())
        print(
            f"{algorithm}: median F1 {rows['f1'].median():.4f} at IoU {threshold:g}, "
            f"{len(rows)} images, {len(rows) - usable} without a usable prediction"
        )
