"""The profile of the default model on this machine: `make bench`, with DEVICE=cuda on a GPU."""

import os
from pathlib import Path

from cellbench.cli import main


def test_profile_of_the_default_model(tmp_path: Path) -> None:
    device = os.environ.get("DEVICE", "cpu")
    words = ["profile", "unet", "--sizes", "256", "512", "--device", device, "--repeats", "3"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    (table,) = tmp_path.iterdir()
    print(f"{table.name}\n{table.read_text()}")
