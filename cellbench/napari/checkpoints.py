"""The trained models that the plugin offers."""

from pathlib import Path

from cellbench.models.shipped import shipped_names
from cellbench.resources import ready_weights

RUNS = Path("runs")
"""Where trainings are looked for, relative to the working folder: ``runs/DATASET/MODEL``."""

BEST = "checkpoints/best.ckpt"
"""The checkpoint that training keeps as the best, relative to the folder of the run."""


def ready_models() -> dict[str, Path]:
    """Return the weights files of the ready models that are installed, by name."""
    files = {name: ready_weights(name) for name in shipped_names()}
    return {name: file for name, file in files.items() if file is not None}


def known_checkpoints(runs: Path = RUNS) -> dict[str, Path]:
    """Return the trained models that are found without asking for a file, by the name that is shown.

    Args:
        runs: folder of the runs; it need not exist.

    Returns:
        The ready models by name, then the best checkpoint of each run by the name of the run, the latest
        first.
    """
    found = [*runs.glob(f"*/{BEST}"), *runs.glob(f"*/*/{BEST}")]
    latest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    return ready_models() | {path.parents[1].relative_to(runs).as_posix(): path for path in latest}


def shown_name(path: Path) -> str:
    """Return a short name of a checkpoint file.

    Args:
        path: the file.

    Returns:
        The folder of its run and the name of the file.

    Examples:
        >>> shown_name(Path("runs/nuclei/checkpoints/best.ckpt")), shown_name(Path("data/unet.ckpt"))
        ('nuclei/best.ckpt', 'data/unet.ckpt')
    """
    folder = path.parents[1] if path.parent.name == Path(BEST).parent.name else path.parent
    return f"{folder.name}/{path.name}"
