"""Write the tables of results into README and documentation; with --check, only check them.

Each table is between two comments, and comes from the file of results that the first one names:
``<!-- table docs/results/sample.csv -->`` and ``<!-- end of table -->``.
"""

import csv
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/methods.md", "docs/reference.md")
PLACE = re.compile(r"(<!-- table (\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def table(path: Path) -> str:
    """Return a table of results in Markdown.

    Args:
        path: CSV file whose first row has the names of the columns.
    """
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = list(csv.reader(file))
    titles = [each.replace("_f1", " F1") for each in head]
    lines = [titles, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_tables(text: str) -> str:
    """Return the text of a page with current tables.

    Args:
        text: the page as it is.
    """
    return PLACE.sub(lambda found: found[1] + table(ROOT / found[2]) + found[3], text)


def main(check: bool) -> int:
    """Write the tables, or check them.

    Args:
        check: only check; nothing is written.

    Returns:
        Exit status: 1 if a table is not current or a line of the README is longer than 120 characters.
    """
    faults = []
    for name in PAGES:
        text = (ROOT / name).read_text("utf-8")
        current = with_tables(text)
        if not check:
            (ROOT / name).write_text(current, "utf-8")
        elif text != current:
            faults.append(f"{name}: tables are not current; run scripts/readme_tables.py")
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    if long := [n for n, line in enumerate(lines, 1) if len(line) > 120]:
        faults.append(f"README.md: longer than 120 characters: lines {long}")
    print("\n".join(faults), end="\n" if faults else "", file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
