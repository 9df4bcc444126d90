"""`cellbench data split`: leave sources out of training, so that the test split shows unseen ones."""

import argparse

from cellbench.commands.conditions import by_column, condition


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand, except for the folders."""
    parser.add_argument(
        "--leave-out",
        type=condition,
        action="append",
        required=True,
        metavar="COLUMN=VALUE",
        help="column of manifest.csv and its value, in which * stands for any characters, such as "
        '"source=Usiigaci*"; upper and lower case are the same. Images with this value are removed from '
        "the splits train, tune and unlabeled, and all labelled ones are in the split test. The option can "
        "be given several times; images with any of the values are then left out (required)",
    )
    parser.set_defaults(function=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the dataset folder and print the number of images in each split."""
    from cellbench.data.split import leave_out

    counts = leave_out(arguments.root, arguments.out, by_column(arguments.leave_out))
    images = ", ".join(
        f"{split} {domain}".strip() + f": {count}" for (split, domain), count in counts.items()
    )
    print(f"wrote {arguments.out}: {counts.total()} images ({images})")
