"""Where tests find real images and their label maps; without them, these tests are skipped."""

import os
from pathlib import Path

REAL = Path(
    os.environ.get("CELLBENCH_OPEN_CELLS")
    or Path(__file__).parents[2] / "shared" / "data" / "open-cells"
)
