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

from cellbench.commands.help_format import example

if TYPE_CHECKING:
    from cellbench.entrants.entries import Entry
    from cellbench.entrants.results import Row
    from cellbench.entrants.sandbox import Sandbox


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "entrants",
        type=Path,
        nargs="+",
        metavar="ENTRANT",
        help="an entry.yaml, the folder that contains it (for example runs/sample/unet), or the name of a "
        "baseline that comes with cellbench (otsu_watershed)",
    )
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
        "--isolation",
        choices=("auto", "none", "process", "bubblewrap", "container"),
        default="auto",
        help="what programs are kept from: bubblewrap shows them only the system, their own folder, copies "
        "of their inputs and their outputs; process ends everything that they start, but they can read "
        "this user's files; none is for programs that you trust; container is for entries with an "
        "`image` (default: auto, which is bubblewrap where it works, otherwise process; entries with an "
        "`image` always run in containers)",
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
    parser.add_argument(
        "--visible",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="further folder that programs may read under bubblewrap, for example a conda environment; "
        "may be repeated (default: none)",
    )
    parser.epilog = example("run otsu_watershed --data data/sample --out predictions")


def run(arguments: argparse.Namespace) -> None:
    """Run every entrant on every image."""
    from collections import Counter

    from tqdm import tqdm

    from cellbench.data.folder import read_dataset
    from cellbench.entrants.entries import read_entry
    from cellbench.entrants.job import Timing
    from cellbench.entrants.run import run_entrant
    from cellbench.entrants.tolerance import describe_slow_images
    from cellbench.errors import EntrantError
    from cellbench.resources import find_entrant

    paths = [find_entrant(path) for path in arguments.entrants]
    entries = [(read_entry(path), path) for path in paths]
    counts = Counter(entry.name for entry, _ in entries)
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise EntrantError(
            f"{repeated[0]}: {counts[repeated[0]]} entrants have this name; "
            "change `name` in the entry.yaml of all but one"
        )
    images = read_dataset(arguments.data, [arguments.split])
    sandboxes = _sandboxes([entry for entry, _ in entries], arguments)
    problems = []
    for (entry, path), sandbox in zip(entries, sandboxes, strict=True):
        folder = path if path.is_dir() else path.parent
        try:
            with tqdm(total=len(images), desc=entry.name, unit="image", disable=None) as bar:
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
    """Say why the first image has no label map; empty if all have one or no reason is known."""
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


def _sandboxes(entries: Sequence["Entry"], arguments: argparse.Namespace) -> list["Sandbox"]:
    """Choose how each entry is started, and print what that cannot prevent."""
    from cellbench.entrants.isolation import choose_sandbox, container_sandbox, hidden_folders
    from cellbench.errors import UsageError

    isolation = arguments.isolation
    programs = [entry.name for entry in entries if entry.image is None]
    if isolation == "container" and programs:
        raise UsageError(
            f"--isolation container: {programs[0]} has a `command` and no `image`; use --isolation auto"
        )
    containers = container_sandbox() if len(programs) < len(entries) else None
    local = None
    if programs:
        hidden = [*hidden_folders(arguments.data), arguments.out]
        local, warning = choose_sandbox(isolation, hidden, arguments.visible)
        if warning:
            print(warning, file=sys.stderr)
    chosen = (local if entry.image is None else containers for entry in entries)
    return [sandbox for sandbox in chosen if sandbox is not None]
