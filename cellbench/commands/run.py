"""Run entrants on the test split, one image at a time, timed; go on where an earlier run stopped."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("entrants", type=Path, nargs="+", help="entry.yaml files or their folders")
    parser.add_argument("--data", type=Path, required=True, help="the dataset folder")
    parser.add_argument("--out", type=Path, required=True, help="predictions go to OUT/<name>/")
    parser.add_argument("--split", default="test", help="which images [test]")


def run(arguments: argparse.Namespace) -> None:
    """Run every entrant to its end."""
    from collections import Counter

    from tqdm import tqdm

    from cellbench.data.folder import read_dataset
    from cellbench.entrants.entries import read_entry
    from cellbench.entrants.run import run_entrant
    from cellbench.errors import EntrantError

    entries = [(read_entry(path), path) for path in arguments.entrants]
    counts = Counter(entry.name for entry, _ in entries)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise EntrantError(f"{twice[0]}: {counts[twice[0]]} entrants have this name; rename one")
    images = read_dataset(arguments.data, [arguments.split])
    for entry, path in entries:
        folder = path if path.is_dir() else path.parent
        with tqdm(total=len(images), desc=entry.name, unit="image", disable=None) as bar:
            rows = run_entrant(entry, folder, images, arguments.out / entry.name, bar.update)
        statuses = Counter(row["status"] for row in rows)
        told = ", ".join(f"{count} {status}" for status, count in statuses.items())
        print(f"{entry.name}: {len(rows)} images ({told}), {sum(r['wall_s'] for r in rows):.1f} s")
