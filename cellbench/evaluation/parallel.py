"""Work in several processes on this machine or on a cluster; results arrive as soon as they are done."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from cellbench.errors import ScoresError

if TYPE_CHECKING:
    from distributed import Client

Item = TypeVar("Item")
Result = TypeVar("Result")

_PATIENCE_SECONDS = 30.0  # some clusters start workers only when there is work
_DECISIVE_PACKAGES = ("cellbench", "dask", "distributed")


def results_as_they_come(
    work: Callable[[Item], Result],
    items: Mapping[str, Item],
    jobs: int,
    scheduler: str | None = None,
) -> Iterator[tuple[str, Result]]:
    """Call a function for every item.

    Args:
        work: a function that other processes can import.
        items: argument of each call, by key.
        jobs: number of processes; 1 works in this process, in the order of the items.
        scheduler: address of a Dask cluster that does the work instead, such as tcp://host:8786. If a
            worker dies, another one repeats its item. When the caller stops, the rest is cancelled.

    Yields:
        Key and result, in the order in which they are done.

    Raises:
        ScoresError: if a process dies or the cluster cannot do the work. Errors of ``work`` are passed on.
    """
    if scheduler is not None:
        yield from _results_of_cluster(work, items, scheduler)
    elif jobs <= 1:
        yield from ((key, work(item)) for key, item in items.items())
    else:
        yield from _results_of_processes(work, items, jobs)


def _results_of_processes(
    work: Callable[[Item], Result], items: Mapping[str, Item], jobs: int
) -> Iterator[tuple[str, Result]]:
    # New processes instead of forks, which would copy the locks of other threads of the caller.
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent) as pool:
        futures = {pool.submit(work, item): key for key, item in items.items()}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise ScoresError(
                "evaluate: a scoring process died, possibly because memory ran out; "
                "run the same command with fewer --jobs, and it continues where it stopped"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this worker when its parent is killed; otherwise it would wait forever."""
    parent = parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _results_of_cluster(
    work: Callable[[Item], Result], items: Mapping[str, Item], address: str
) -> Iterator[tuple[str, Result]]:
    with _connected(address) as client:
        from distributed import CancelledError, KilledWorker

        _check_versions(client, address)
        done: SimpleQueue[str] = SimpleQueue()
        # Not pure: the cluster must not reuse results of files that have changed.
        submitted = client.map(work, list(items.values()), pure=False)
        futures = dict(zip(items, submitted, strict=True))
        for key, future in futures.items():
            future.add_done_callback(lambda _, key=key: done.put(key))
        while futures:
            try:
                key = done.get(timeout=_PATIENCE_SECONDS)
            except Empty:
                try:
                    _wait_for_workers(client, address)
                except ScoresError:
                    if done.empty():  # a task that killed all workers has a result as well
                        raise
                continue
            future = futures[key]
            try:
                error = future.exception(timeout=_PATIENCE_SECONDS)
                if error is None:
                    result = future.result(timeout=_PATIENCE_SECONDS)
                else:
                    error = error.with_traceback(future.traceback(timeout=_PATIENCE_SECONDS))
            except TimeoutError:  # the worker died with the result; another one repeats the item
                _wait_for_workers(client, address)
                done.put(key)
                continue
            except (OSError, CancelledError) as fault:
                raise _lost(address) from fault
            if isinstance(error, KilledWorker):
                raise ScoresError(
                    f"{address}: several workers died at the same image, possibly because memory ran "
                    "out; give them more memory and run the same command to continue"
                ) from error
            if error is not None:
                raise error
            del futures[key], future
            yield key, result


def _connected(address: str) -> "Client":
    try:
        from distributed import Client
        from distributed.comm import resolve_address
    except ImportError as error:
        raise ScoresError(
            "--scheduler: the package distributed is missing; pip install 'cellbench[distributed]'"
        ) from error
    # A lost scheduler becomes one line, without the traceback of every attempt to reconnect.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        resolve_address(address)  # a Client that fails to start leaves messages behind
        return Client(address, set_as_default=False)
    except Exception as error:  # the type depends on the address and on what answers there
        reason = " ".join(str(error).split())
        raise ScoresError(
            f"{address}: no Dask scheduler answers ({reason}); check the address"
        ) from error


def _wait_for_workers(client: "Client", address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE_SECONDS)
    except TimeoutError as error:
        raise ScoresError(
            f"{address}: the cluster has no workers; start some where cellbench is installed "
            f"(dask worker {address}) and run the same command to continue"
        ) from error
    except OSError as error:
        raise _lost(address) from error


def _lost(address: str) -> ScoresError:
    return ScoresError(
        f"{address}: the connection to the scheduler was lost; start it again and run the same "
        "command to continue"
    )


def _check_versions(client: "Client", address: str) -> None:
    """Refuse other versions, which may score differently or not understand the messages."""
    found = client.get_versions(packages=_DECISIVE_PACKAGES)
    here = found["client"]["packages"]
    for place, software in {address: found["scheduler"], **found["workers"]}.items():
        for name in _DECISIVE_PACKAGES:
            if (version := software["packages"][name]) != here[name]:
                raise ScoresError(
                    f"{place}: has {name} {version or 'not'} installed, but this machine has "
                    f"{here[name]}; install the same version"
                )
