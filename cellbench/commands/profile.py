"""Measure the latency, throughput, memory, parameters and operations of models, and write a table (CSV)."""

import argparse
from pathlib import Path

from cellbench.commands.help_format import example
from cellbench.commands.model_options import add_device, add_model_class
from cellbench.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from cellbench.inference.profile_table import COLUMNS

    columns = "\n".join(f"  {name}: {meaning}" for name, meaning in COLUMNS.items())
    parser.epilog = f"{example('profile unet cellpose --sizes 256 512')}\n\ncolumns:\n{columns}"
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="a model's name, which `cellbench models --names` lists (measured with its default options "
        "and random weights), a checkpoint, or the folder of a training run",
    )
    parser.add_argument(
        "--sizes",
        nargs="+",
        type=int,
        default=[256, 512],
        metavar="PIXELS",
        help="heights and widths of the square images (default: 256 512)",
    )
    parser.add_argument(
        "--precision",
        nargs="+",
        choices=("auto", "bf16", "32"),
        default=["auto"],
        help="precisions of the network's numbers, as in `cellbench segment` (default: auto)",
    )
    parser.add_argument(
        "--repeats",
        type=int,
        default=5,
        metavar="N",
        help="number of repetitions; the median time is written (default: 5)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder of the table. Its name states the environment: device, processor, number of threads "
        "(set by the environment variable OMP_NUM_THREADS) and version of PyTorch. Rows of earlier runs "
        "are kept unless they are measured again (default: the present folder)",
    )
    add_model_class(parser)
    add_device(parser)


def run(arguments: argparse.Namespace) -> None:
    """Measure all models, print each row and write the table after each."""
    for option, values in (("--sizes", arguments.sizes), ("--repeats", [arguments.repeats])):
        if min(values) < 1:
            raise UsageError(f"{option} {min(values)}: must be 1 or more")
    if arguments.out.exists() and not arguments.out.is_dir():
        raise UsageError(f"--out {arguments.out}: is a file; name a folder")
    from tqdm import tqdm

    from cellbench.inference.profile import environment_file, profiles
    from cellbench.inference.profile_table import write_profiles

    measured = profiles(
        arguments.models,
        arguments.sizes,
        arguments.precision,
        arguments.device,
        arguments.repeats,
        model_class_of_checkpoint=arguments.model_class,
    )
    table = None
    for device, profile in tqdm(measured, unit="row", disable=None):
        table = arguments.out / environment_file(device)
        write_profiles(table, [profile])
        row = profile.as_row()
        tqdm.write(", ".join(f"{name} {value}" for name, value in row.items() if value))
    print(f"table written to {table}")
