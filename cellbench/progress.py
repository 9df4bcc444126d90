"""Progress of long work: a moving bar on a terminal, a line now and then in a file or the log of a job."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

_PARTS = 10
_SOONEST_S = 10.0
_LATEST_S = 60.0


def progress_bar(
    items: Iterable[Any] | None = None,
    what: str = "",
    *,
    unit: str = "image",
    total: int | None = None,
    initial: int = 0,
    leave: bool = True,
) -> Any:  # noqa: ANN401  (tqdm ships loose types)
    """Show progress on standard error.

    Args:
        items: what is worked through; None if ``update`` of the result is called instead.
        what: name of the work, shown before the numbers.
        unit: what is counted, in the singular; ``"B"`` for bytes.
        total: number of units (default: length of ``items``, if it has one).
        initial: number of units that an earlier run has done.
        leave: whether a bar stays on the terminal at the end.

    Returns:
        An iterable over ``items``, which is also a context manager with the method ``update``: tqdm's bar
        on a terminal, otherwise [`ProgressLines`][].
    """
    if not sys.stderr.isatty():
        return ProgressLines(items, what, unit=unit, total=total, initial=initial)
    from tqdm import tqdm

    return tqdm(
        items,
        desc=what or None,
        unit=unit,
        total=total,
        initial=initial,
        leave=leave,
        unit_scale=unit == "B",
    )


class ProgressLines:
    """Writes a line per tenth of the work, but not within 10 seconds of another, and one per minute.

    Work of less than 10 seconds has no line. The attributes have the names of tqdm's.

    Args:
        items: what is worked through, or None.
        what: name of the work.
        unit: what is counted, in the singular; ``"B"`` for bytes.
        total: number of units; None if it is not known.
        initial: number of units that an earlier run has done.

    Attributes:
        n: number of units that are done.
    """

    def __init__(
        self,
        items: Iterable[Any] | None = None,
        what: str = "",
        *,
        unit: str = "image",
        total: int | None = None,
        initial: int = 0,
    ) -> None:
        self._items = items
        self._what = what
        self._unit = unit
        self.total = len(items) if total is None and isinstance(items, Sized) else total
        self.initial = self.n = initial
        self._shown = initial
        self._start = self._last = time.monotonic()

    def __iter__(self) -> Iterator[Any]:
        """Yield the items; each counts as done when the next one is asked for."""
        for item in self._items or ():
            yield item
            self.update()

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing; the verb itself says that it is done."""

    def update(self, n: int = 1) -> None:
        """Count further units, and write a line if it is due.

        Args:
            n: number of units.
        """
        self.n += n
        waited = time.monotonic() - self._last
        if waited >= _LATEST_S or (waited >= _SOONEST_S and self._reached_a_part()):
            print(self._line(), file=sys.stderr, flush=True)
            self._shown, self._last = self.n, time.monotonic()

    def _reached_a_part(self) -> bool:
        if not self.total:
            return False
        return _PARTS * self.n // self.total > _PARTS * self._shown // self.total

    def _line(self) -> str:
        elapsed = time.monotonic() - self._start
        name = f"{self._what}: " if self._what else ""
        after = f", after {timedelta(seconds=round(elapsed))}"
        if not self.total:
            return f"{name}{self._amount(self.n)}{after}"
        counts = f"{self.n:,} of {self._amount(self.total)}"
        if self._unit == "B":
            counts = f"{self._amount(self.n)} of {self._amount(self.total)}"
        done = self.n - self.initial
        left = f", about {timedelta(seconds=round(elapsed / done * (self.total - self.n)))} left"
        return f"{name}{counts} ({self.n / self.total:.0%}){after}{left if done else ''}"

    def _amount(self, units: int) -> str:
        if self._unit == "B":
            return f"{units / 1e6:,.0f} MB"
        return f"{units:,} {self._unit}{'s' * (units != 1)}"
