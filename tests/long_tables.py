"""Long tables to rank, through the command line."""

from pathlib import Path

import numpy as np
import pandas as pd

from cellbench.cli import main

COLUMNS = ["--case", "case", "--algorithm", "team", "--value", "dice"]


def make_table(teams: int = 4, cases: int = 9, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    names = [(f"team {t}", f"case{c}") for t in range(teams) for c in range(cases)]
    table = pd.DataFrame(names, columns=["team", "case"])
    return table.assign(
        site=[("a", "b")[c % 2] for c in range(cases)] * teams, dice=rng.random(len(table))
    )


def save(table: pd.DataFrame | bytes, folder: Path) -> Path:
    path = folder / "table.csv"
    path.write_bytes(table if isinstance(table, bytes) else table.to_csv(index=False).encode())
    return path


def rank(path: Path, *more: str, out: Path | None = None) -> int:
    out = path.parent / "board" if out is None else out
    return main(["rank", str(path), *COLUMNS, "--out", str(out), "--bootstrap", "20", *more])


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "board" / f"{name}.csv")


def lose(table: pd.DataFrame) -> pd.DataFrame:
    """Take two rows and a value away from team 1 and team 2."""
    lost = (table["team"] == "team 1") & table["case"].isin(["case3", "case4"])
    table = table[~lost].astype({"dice": object})
    table.loc[(table["team"] == "team 2") & (table["case"] == "case5"), "dice"] = ""
    return table
