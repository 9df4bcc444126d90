"""Write docs/results/costs.csv, the costs in docs/methods.md, from a table of `cellbench profile`.

python scripts/compare_costs.py docs/results/profile-cuda-NVIDIA_H200-torch2.11.0.csv
python scripts/readme_tables.py
"""

import sys
from pathlib import Path

from compare_systems import read, write

OUT = Path(__file__).parents[1] / "docs/results/costs.csv"
SIZES = ("256", "1024")


def costs(profiles: Path) -> list[dict[str, str]]:
    """Return a row for each model, from the smallest number of parameters to the largest.

    Args:
        profiles: table with one row for each model and size of the image.
    """
    measured = {(row["model"], row["size"]): row for row in read(profiles)}
    rows = []
    for name in {model: None for model, _ in measured}:
        small, large = (measured[name, size] for size in SIZES)
        rows.append(
            {
                "system": f"`{name}`",
                "parameters, millions": f"{int(small['parameters']) / 1e6:.1f}",
                "10⁹ multiply-adds, 1024 px": f"{int(large['macs']) / 1e9:.0f}",
                "ms, 256 px": f"{1000 * float(small['latency_s']):.0f}",
                "ms, 1024 px": f"{1000 * float(large['latency_s']):.0f}",
                "of it decoding": f"{1000 * float(large['decoding_s']):.0f}",
                "GPU memory, MB": f"{float(large['peak_memory_mb']):.0f}",
            }
        )
    return sorted(rows, key=lambda row: float(row["parameters, millions"]))


if __name__ == "__main__":
    write(costs(Path(sys.argv[1])), OUT)
