"""Time and memory of a program are those of all its processes."""

from pathlib import Path

import pytest
from hostile_entrants import ISOLATIONS, make_entrant, needs, run


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_time_and_memory_of_the_whole_tree_count_also_on_timeouts(
    data: Path, tmp_path: Path, isolation: str
) -> None:
    needs(isolation)
    busy = (
        "answer()\nif not os.fork():\n    os.setsid(); block = b'x' * (90 << 20)\n    while True: pass\n"
        "block = b'x' * (90 << 20)\nwhile time.process_time() < 0.3: pass\ntime.sleep(600)"
    )
    folder = make_entrant(tmp_path / "busy", data, busy, timeout_factor=0.5)
    (row,) = run(folder, data, isolation)
    assert row["status"] == "timeout"
    assert row["cpu_s"] > 0.3
    assert 180 < row["peak_memory_mb"] < 300
