"""Imports and scores COCO files with wrong parts for a given time: each is read or refused in one line.

``python tests/fuzz/fuzz_coco.py --seconds 600``. Stops at the first file that is neither, and shows it.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).parents[1]))  # helper: coco_damage

from coco_damage import check, damaged, save_images


def main() -> int:
    """Run until the time is over, or until a file is neither read nor refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    arguments = parser.parse_args()
    logging.disable()
    end, number = time.monotonic() + arguments.seconds, arguments.seed
    with tempfile.TemporaryDirectory() as work:
        save_images(Path(work))
        while time.monotonic() < end:
            content = damaged(Random(number))
            begun = time.monotonic()
            try:
                check(Path(work), content)
            except Exception:
                traceback.print_exc()
                print(f"case {number}: {json.dumps(content)[:4000]}")
                return 1
            if time.monotonic() - begun > 5:
                print(
                    f"case {number} takes {time.monotonic() - begun:.1f} s: {json.dumps(content)[:4000]}"
                )
                return 1
            number += 1
    print(f"{number - arguments.seed} cases, each read or refused in one line")
    return 0


if __name__ == "__main__":
    sys.exit(main())
