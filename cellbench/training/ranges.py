"""Checks of the values of options of models and datamodules."""

import math
from collections.abc import Sequence
from pathlib import Path

from cellbench.errors import UsageError


def check_at_least(smallest: float, section: str, **options: float) -> None:
    """Check that numbers are not too small.

    Args:
        smallest: the smallest valid value.
        section: ``model`` or ``data``.
        **options: values by the name of their option.

    Raises:
        UsageError: if a value is smaller, or not a finite number.
    """
    for name, value in options.items():
        is_number = isinstance(value, int | float)  # the command line accepts null for any option
        if not is_number or not smallest <= value < math.inf:
            raise UsageError(f"{section}.{name} {value}: must be {smallest} or more")


def check_choice(choices: Sequence[str], section: str, **options: str) -> None:
    """Check that values are among the choices of their option.

    Args:
        choices: the valid values.
        section: ``model`` or ``data``.
        **options: values by the name of their option.

    Raises:
        UsageError: if a value is not one of them.
    """
    for name, value in options.items():
        if value not in choices:
            raise UsageError(f"{section}.{name} {value}: must be one of {', '.join(choices)}")


def check_shares(roots: Sequence[str] | None, shares: Sequence[float] | None) -> None:
    """Check that there is one valid share for each dataset folder.

    Args:
        roots: the dataset folders; None if there is only one.
        shares: their shares; None if they are weighted as one dataset.

    Raises:
        UsageError: if a folder is named twice, or if the shares are not one positive number for each
            folder with a sum of 1.
    """
    if roots is not None and len({Path(root).resolve() for root in roots}) < max(1, len(roots)):
        raise UsageError(f"data.roots {list(roots)}: name at least one folder, and each only once")
    if shares is None:
        return
    if len(shares) != len(roots or ()):
        raise UsageError(
            f"data.shares {list(shares)}: give one share for each folder in data.roots, "
            f"which has {len(roots or ())}"
        )
    if min(shares) <= 0 or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise UsageError(f"data.shares {list(shares)}: shares must be above 0 and sum to 1")


def check_epoch(patches: int, batch_size: int) -> None:
    """Check that an epoch has at least one batch.

    Args:
        patches: ``data.patches_per_epoch``.
        batch_size: ``data.batch_size``.

    Raises:
        UsageError: if it has none.
    """
    if patches < batch_size:
        raise UsageError(
            f"data.patches_per_epoch {patches}: an epoch needs at least one batch; set it to "
            f"data.batch_size ({batch_size}) or more"
        )


def check_between(smallest: float, largest: float, section: str, **options: float) -> None:
    """Check that numbers are in a range that includes its ends.

    Args:
        smallest: the smallest valid value.
        largest: the largest valid value.
        section: ``model`` or ``data``.
        **options: values by the name of their option.

    Raises:
        UsageError: if a value is outside the range, or not a number.
    """
    for name, value in options.items():
        if not isinstance(value, int | float) or not smallest <= value <= largest:
            raise UsageError(f"{section}.{name} {value}: must be from {smallest} to {largest}")


def check_span(smallest: float, largest: float, section: str, **options: Sequence[float]) -> None:
    """Check that options are two numbers in a range, the larger one last.

    Args:
        smallest: the smallest valid value of the first number.
        largest: the largest valid value of the second number.
        section: ``model`` or ``data``.
        **options: pairs of numbers by the name of their option.

    Raises:
        UsageError: if a value does not have two numbers, or they are outside the range or in the wrong
            order.
    """
    for name, values in options.items():
        is_pair = len(values) == 2 and all(isinstance(each, int | float) for each in values)
        if not is_pair or not smallest <= values[0] <= values[1] <= largest:
            raise UsageError(
                f"{section}.{name} {list(values)}: must be two numbers, the smaller one first, both "
                f"from {smallest} to {largest}"
            )


def check_flag(section: str, **options: bool) -> None:
    """Check that options are true or false: the command line accepts null for any option.

    Args:
        section: ``model`` or ``data``.
        **options: values by the name of their option.

    Raises:
        UsageError: if a value is something else.
    """
    for name, value in options.items():
        if not isinstance(value, bool):
            raise UsageError(f"{section}.{name} {value}: must be true or false")
