"""Work in several processes, each result as soon as it is there."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import TypeVar

from cellbench.errors import ScoresError

Item = TypeVar("Item")
Result = TypeVar("Result")


def results_as_they_come(
    work: Callable[[Item], Result], items: Mapping[str, Item], jobs: int
) -> Iterator[tuple[str, Result]]:
    """Do the work for every item.

    Args:
        work: a function that other processes can import.
        items: what to do it for, by key.
        jobs: processes at the same time; 1 works in this one, in order.

    Yields:
        Key and result, in the order in which they are done.

    Raises:
        ScoresError: if a process dies; what the work raises comes as it is.
    """
    if jobs <= 1:
        yield from ((key, work(item)) for key, item in items.items())
        return
    # Fresh processes: a fork would copy the locks of whatever threads the caller has running.
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent) as pool:
        futures = {pool.submit(work, item): key for key, item in items.items()}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise ScoresError(
                "evaluate: a scoring process died, perhaps for lack of memory; "
                "give fewer --jobs, and the same command goes on"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this worker when its parent is killed, which else would leave it waiting for ever."""
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
