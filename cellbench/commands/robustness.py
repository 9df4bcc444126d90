"""Measure how much of its F1 an algorithm keeps when the microscope changes.

The test images are perturbed, one kind and severity at a time, in a temporary folder, and segmented by each
algorithm, which starts only once if its entry has `serve`. DIR/robustness.csv holds the F1 of each image
(severity 0: unchanged), DIR/robustness_summary.csv the relative robustness: mean F1 on perturbed images
divided by that on the same images unchanged, with 95 % intervals of a paired bootstrap over the images. An
image without a usable label map counts as F1 0. A run that was interrupted continues when the same command
is run again; a kind and severity at which an image failed is tried again. If DIR is the folder of a board,
`cellbench report` adds a section to its page. docs/robustness.md defines the kinds.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cellbench.commands.entrant_options import add_entrants, choose_sandboxes, read_entrants
from cellbench.commands.help_format import example
from cellbench.commands.perturb import add_perturbations, choose_steps, list_kinds

if TYPE_CHECKING:
    import pandas as pd


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_entrants(parser)
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="ROOT",
        help="the dataset folder, whose test split is used (required)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for the tables, such as that of a board (required)",
    )
    add_perturbations(parser)
    parser.epilog = f"{list_kinds()}\n\n" + example(
        "robustness otsu_watershed --data data/sample --out leaderboard/sample --kind defocus jpeg"
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure every entrant and write the tables."""
    from cellbench.commands.robustness_runs import Plan, measure
    from cellbench.data.folder import read_dataset
    from cellbench.errors import DatasetError

    entries = read_entrants(arguments.entrants)
    images = [each for each in read_dataset(arguments.data, ["test"]) if each.labels is not None]
    if not images:
        raise DatasetError(f"{arguments.data}: no image in test/images has a label map; add them")
    chosen = choose_steps(arguments, images)
    sandboxes = choose_sandboxes([entry for entry, _ in entries], arguments)
    plan = Plan(arguments.data, arguments.out, images, chosen, arguments.seed)
    summary = measure(plan, entries, sandboxes)
    _print_summary(summary)
    print(f"wrote {arguments.out / 'robustness.csv'} and robustness_summary.csv beside it")


def _print_summary(summary: "pd.DataFrame") -> None:
    """Print the relative robustness of each algorithm, and the kind that costs it most."""
    for name, own in summary.groupby("algorithm", sort=False):
        total = own[own["kind"] == "all"].iloc[0]
        if not total["clean_f1"] > 0:
            print(
                f"{name}: mean F1 0 on {total['images']} unchanged images, so there is no relative "
                "robustness; failed images count as 0"
            )
            continue
        kinds = own[(own["kind"] != "all") & own["severity"].isna()]
        line = (
            f"{name}: relative robustness {total['relative']:.3f} "
            f"({total['relative_low']:.3f} to {total['relative_high']:.3f}), "
            f"mean F1 {total['clean_f1']:.3f} on unchanged images"
        )
        if kinds["relative"].notna().any():
            worst = kinds.sort_values("relative").iloc[0]
            line += f"; weakest: {worst['kind']} ({worst['relative']:.3f})"
        print(line)
