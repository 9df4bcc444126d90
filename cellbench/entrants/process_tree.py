"""The processes that one process started, directly or not, and the memory that they use together.

Runs without other packages, because the supervisor of a program imports it. Needs ``/proc`` of Linux; on
other systems no processes are found.
"""

import os
from collections.abc import Collection

_PAGE = os.sysconf("SC_PAGE_SIZE")
_IDLE = 5  # SCHED_IDLE of sched(7)
_TICKS = os.sysconf("SC_CLK_TCK")

ThreadSeconds = dict[str, tuple[float, float]]
"""For how long each thread ran, and for how long it waited for a processor, by thread id."""


def descendants(ancestor: int, *, with_ended: bool = False) -> dict[int, int]:
    """Find the running processes that a process started, and those that they started.

    Args:
        ancestor: process id, which is not in the answer itself.
        with_ended: whether processes that have ended and wait for their parent are in the answer.

    Returns:
        The number of running processes that each of them started and still has, by process id.
    """
    children: dict[int, list[int]] = {}
    ended = set()
    for pid, state, parent in _processes():
        children.setdefault(parent, []).append(pid)
        if state in "ZX":
            ended.add(pid)
    found, todo = [], [ancestor]
    while todo:
        begun = children.get(todo.pop(), [])
        found += begun
        todo += begun
    return {
        pid: len(set(children.get(pid, ())) - ended)
        for pid in found
        if with_ended or pid not in ended
    }


def threads(processes: Collection[int]) -> int:
    """Count the threads of processes.

    Args:
        processes: process ids; those that have ended by now count as none.
    """
    return sum(len(_listed(f"/proc/{pid}/task")) for pid in processes)


def threads_of_user() -> int:
    """Count the threads of all processes of this user."""
    own = [
        int(name) for name in filter(str.isdigit, _listed("/proc")) if _owner(name) == os.getuid()
    ]
    return threads(own)


def processor_seconds(processes: Collection[int]) -> float:
    """Return the processor time of processes, and of those that they started and that have ended.

    Args:
        processes: process ids; those that have ended by now count as none.

    Returns:
        Seconds, in steps of the kernel's clock (usually 10 ms).
    """
    ticks = 0
    for pid in processes:
        fields = _read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()
        ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime of proc(5)
    return ticks / _TICKS


def thread_seconds(processes: Collection[int]) -> ThreadSeconds:
    """Return for how long each thread ran, and for how long it was ready to but waited for a processor.

    A thread that made its priority lower than ours does not wait because of other programs: it may wait for
    a thread of its own program, which works at the normal priority. Its waiting counts as none.

    Args:
        processes: process ids.

    Returns:
        Both in seconds by thread id; empty where the kernel does not count them.
    """
    seconds = {}
    ours = _yields("/proc/thread-self")
    for pid in processes:
        for thread in _listed(f"/proc/{pid}/task"):
            folder = f"/proc/{pid}/task/{thread}"
            numbers = _read(f"{folder}/schedstat").split()
            if len(numbers) > 1:
                waited = 0.0 if _yields(folder) > ours else int(numbers[1]) / 1e9
                seconds[thread] = int(numbers[0]) / 1e9, waited
    return seconds


def _yields(folder: str) -> tuple[bool, int]:
    """Return how much a thread yields: whether it runs only if no other does, and its niceness."""
    fields = _read(f"{folder}/stat").rpartition(b") ")[2].split()
    # Fields 19 (nice) and 41 (policy) of proc(5).
    return (int(fields[38]) == _IDLE, int(fields[16])) if len(fields) > 38 else (False, 0)


def busiest_since(before: ThreadSeconds, now: ThreadSeconds) -> tuple[float, float]:
    """Return how long the thread that ran longest did so, and how long it waited for a processor.

    Other threads do not matter: a thread that has nothing to do can count as waiting for a long time,
    because the kernel (from Linux 6.12) may leave it in the queue of a processor when it goes to sleep.

    Args:
        before: the threads at the beginning; those that were started later are missing.
        now: the threads at the end.

    Returns:
        Both in seconds; 0 without threads.
    """
    nothing = 0.0, 0.0
    since = []
    for thread, (ran, waited) in now.items():
        ran_before, waited_before = before.get(thread, nothing)
        since.append((ran - ran_before, waited - waited_before))
    return max(since, default=nothing)


def resident_bytes(processes: Collection[int], enough: int) -> int:
    """Return the memory that processes use together, in bytes.

    Adding up is fast, but counts pages that processes share several times. The exact sum is taken only if
    the fast one exceeds ``enough``.

    Args:
        processes: process ids.
        enough: a value that need not be exact if it is below this, in bytes.
    """
    sizes = [_statm(pid) for pid in processes]
    fast = sum(own for own, _ in sizes) + max((shared for _, shared in sizes), default=0)
    if fast <= enough or len(sizes) < 2:
        return fast
    exact = [_proportional(pid) for pid in processes]
    return min(fast, sum(exact)) if all(exact) else fast


def _processes() -> list[tuple[int, str, int]]:
    """List process id, state and parent of every process."""
    found = []
    for name in filter(str.isdigit, _listed("/proc")):
        # The program's name is in parentheses and may contain any characters.
        state_and_parent = _read(f"/proc/{name}/stat").rpartition(b") ")[2].split(None, 2)
        if len(state_and_parent) > 1:
            found.append((int(name), state_and_parent[0].decode(), int(state_and_parent[1])))
    return found


def _owner(name: str) -> int | None:
    try:
        return os.stat(f"/proc/{name}").st_uid  # noqa: PTH116
    except OSError:  # the process has ended
        return None


def _statm(pid: int) -> tuple[int, int]:
    """Return the bytes of a process that are its own, and those that it may share."""
    numbers = _read(f"/proc/{pid}/statm").split()
    if len(numbers) < 3:
        return 0, 0
    resident, shared = int(numbers[1]), int(numbers[2])
    return (resident - shared) * _PAGE, shared * _PAGE


def _proportional(pid: int) -> int:
    """Return the bytes of a process, a page shared by n processes counted as 1/n; 0 if not known."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  (read many times a second)
            return file.read(4096)
    except OSError:  # the process has ended, or belongs to somebody else
        return b""


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  (read many times a second)
    except OSError:
        return []
