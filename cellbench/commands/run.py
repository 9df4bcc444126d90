"""Run algorithms on a split of a dataset and time them, one image at a time.

An entrant is anything that has an entry.yaml: a trained model, a baseline, or your own program. Label maps,
runtime.csv and resources.csv go to DIR/NAME/. A run that was interrupted continues when the same command is
run again; images that failed are tried again.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cellbench.commands.entrant_options import add_entrants, choose_sandboxes, read_entrants
from cellbench.commands.help_format import example

if TYPE_CHECKING:
    from cellbench.entrants.results import Row


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_entrants(parser)
    parser.add_argument(
        "--data", type=Path, required=True, metavar="ROOT", help="the dataset folder (required)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder to write to; each entrant gets a folder of its name in it (required)",
    )
    parser.add_argument(
        "--split",
        choices=("train", "tune", "test"),
        default="test",
        help="split of the dataset whose images are segmented (default: test)",
    )
    parser.add_argument(
        "--timing",
        choices=("warm", "cold", "both"),
        default="warm",
        help="how running times are measured. warm: the program starts three times, then one process "
        "segments all images, and the median start is added to the time of each image; entries without "
        "`serve` are run cold. cold: every image in a new process, as in the challenge, which takes "
        "longer. both: warm, and the first five images also cold, so that the report shows how far the "
        "times differ (default: warm)",
    )
    parser.epilog = example("run otsu_watershed --data data/sample --out predictions")


def run(arguments: argparse.Namespace) -> None:
    """Run every entrant on every image."""
    from collections import Counter

    from cellbench.data.folder import read_dataset
    from cellbench.entrants.job import Timing
    from cellbench.entrants.run import run_entrant
    from cellbench.entrants.tolerance import describe_slow_images
    from cellbench.errors import EntrantError
    from cellbench.progress import progress_bar

    entries = read_entrants(arguments.entrants)
    images = read_dataset(arguments.data, [arguments.split])
    sandboxes = choose_sandboxes([entry for entry, _ in entries], arguments)
    problems = []
    for (entry, folder), sandbox in zip(entries, sandboxes, strict=True):
        count = f"{len(images)} image{'s' * (len(images) != 1)}"
        print(f"{entry.name}: segmenting {count}", file=sys.stderr)
        try:
            with progress_bar(what=entry.name, total=len(images)) as bar:
                rows = run_entrant(
                    *(entry, folder, images, arguments.out / entry.name, sandbox, bar.update),
                    timing=Timing.COLD if arguments.timing == "cold" else Timing.WARM,
                    compare=arguments.timing == "both",
                )
        except EntrantError as error:
            # What is wrong with one must not keep the others from running.
            problems.append(error)
            continue
        statuses = Counter(row["status"] for row in rows)
        summary = ", ".join(f"{count} {status}" for status, count in statuses.items())
        print(f"{entry.name}: {len(rows)} images ({summary}), {_describe_times(rows)}")
        if reason := _describe_failure(rows):
            print(f"{entry.name}: {reason}", file=sys.stderr)
        if warning := describe_slow_images(entry.name, rows, images):
            print(warning)
    for problem in problems[1:]:
        print(problem, file=sys.stderr)
    if problems:
        raise problems[0]


def _describe_failure(rows: Sequence["Row"]) -> str:
    """Return why the first image has no label map; empty if all have one or no reason is known."""
    for row in rows:
        nothing = "wrote no file" if row["status"] == "missing" else ""
        if row["status"] != "ok" and (reason := row["message"] or nothing):
            return f"{row['image']} is {row['status']}: {reason}"
    return ""


def _describe_times(rows: Sequence["Row"]) -> str:
    starts = {row["start_s"] for row in rows} - {None}
    if not starts:
        return f"{sum(row['wall_s'] for row in rows):.1f} s"
    seconds = sum(row["wall_s"] - (row["start_s"] or 0.0) for row in rows)
    return f"{seconds:.1f} s; one start takes {max(starts):.1f} s"
