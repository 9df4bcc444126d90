"""Training through the command line, on tiny images."""

from pathlib import Path

from cellbench.cli import main

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
CONF = ROOT / "tests/conf"


def fit_words(model: str, run: Path, data: Path) -> list[str]:
    """Return the words that train a model for two epochs of two steps."""
    tiny = [path for name in ("tiny", model) if (path := CONF / f"{name}.yaml").is_file()]
    files = [CONFIGS / "base.yaml", CONFIGS / f"model/{model}.yaml", *tiny]
    return [
        "fit",
        *(word for file in files for word in ("--config", str(file))),
        *("--data.root", str(data), "--data.cache", str(data / "cache")),
        *("--trainer.default_root_dir", str(run)),
    ]


def fit(model: str, run: Path, data: Path, *more: str) -> int:
    """Train a model; return the exit status."""
    return main([*fit_words(model, run, data), *more])
