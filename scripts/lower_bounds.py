"""Print constraints for pip that pin each dependency in pyproject.toml to the oldest version it allows.

Usage: python scripts/lower_bounds.py [EXTRA ...] > constraints.txt
"""

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

_BOUND = re.compile(r"(?P<name>[\w.-]+)(\[[\w,]+\])?>=(?P<version>[\w.]+)(,(!=|<)[\w.]+)*")


def lower_bounds(requirements: Iterable[str]) -> list[str]:
    """Return ``name==version`` for each requirement with a lower bound.

    Args:
        requirements: requirements as in pyproject.toml, ``name[extra]>=version``; those without a lower
            bound are left out.

    Returns:
        One constraint for each requirement that has a lower bound.
    """
    matches = (_BOUND.fullmatch(requirement) for requirement in requirements)
    return [f"{match['name']}=={match['version']}" for match in matches if match]


def main(extras: list[str]) -> None:
    """Print the constraints of the base dependencies and of some extras.

    Args:
        extras: names of extras, such as ``train``.
    """
    path = Path(__file__).parents[1] / "pyproject.toml"
    project = tomllib.loads(path.read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    requirements = [*project["dependencies"], *(each for name in extras for each in optional[name])]
    print("\n".join(lower_bounds(requirements)))


if __name__ == "__main__":
    main(sys.argv[1:])
