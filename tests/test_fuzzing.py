"""A few seconds of fuzzing; ``python tests/fuzz/fuzz_readers.py --seconds 600`` runs longer."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_some_seconds_of_fuzzing(tmp_path: Path) -> None:
    script = Path(__file__).parent / "fuzz" / "fuzz_readers.py"
    command = [sys.executable, str(script), "--seconds", "4", "--findings", str(tmp_path / "found")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert int(answer.stdout.split()[0]) > 10
