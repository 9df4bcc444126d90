"""What a model card states of a ready model: F1 on unseen sources and at other magnifications; targets."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from cellbench.data.folder import read_dataset
from cellbench.errors import UsageError
from cellbench.ranking.resampling import draw_counts, percentile_intervals

OTSU = "otsu_watershed"
LEAST_F1, LARGEST_CHANGE = 0.70, 0.10
SAMPLES, SEED = 1000, 2022


class Row(NamedTuple):
    """The mean F1 of a group of images, with its 95 % bootstrap interval, and that of Otsu's threshold."""

    group: str
    images: int
    f1: float
    low: float
    high: float
    otsu: float


class Target(NamedTuple):
    """What a model must reach to be published, what was measured, and whether this is enough."""

    text: str
    measured: str
    reached: bool


class Parts(NamedTuple):
    """All measurements of a model: F1 on unseen sources, on those of training, and when scaled; targets."""

    sources: list[Row]
    modalities: list[Row]
    seen: list[Row]
    scaled: pd.DataFrame
    targets: list[Target]


def read_scores(path: Path, data: Path, split: str) -> pd.DataFrame:
    """Return source and modality of each image, and its F1 at IoU 0.5 for each algorithm."""
    scores = pd.read_csv(path)
    f1 = scores[scores["threshold"] == 0.5].pivot(index="image", columns="algorithm", values="f1")
    known = {each.stem: (each.source, each.modality) for each in read_dataset(data, [split])}
    pairs = [known.get(stem, ("", "")) for stem in f1.index]
    names = pd.DataFrame(pairs, columns=["source", "modality"], index=f1.index)
    return names.replace("", "not stated").join(f1)


def of_unseen_sources(scores: pd.DataFrame, data: Path) -> pd.Series:
    """Return which images have a source that no image of training or tuning has."""
    seen = {each.source or "not stated" for each in read_dataset(data, ["train", "tune"])}
    return ~scores["source"].isin(seen | {"not stated"})


def measured(group: str, scores: pd.DataFrame, name: str) -> Row:
    """Return the row of a group of images."""
    counts = draw_counts(len(scores), SAMPLES, np.random.default_rng(SEED))
    means = pd.DataFrame({name: counts @ scores[name].to_numpy() / len(scores)})
    low, high = percentile_intervals(means).loc[name]
    return Row(
        group, len(scores), float(scores[name].mean()), low, high, float(scores[OTSU].mean())
    )


def grouped(scores: pd.DataFrame, column: str, name: str) -> list[Row]:
    """Return a row for each source or modality, by its name, and one for all images."""
    parts = [measured(str(group), part, name) for group, part in scores.groupby(column)]
    return [*parts, measured("all", scores, name)]


def scaled_means(parts: dict[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """Return the mean F1 at each magnification (index), for each modality and for all images (columns)."""
    rows = {
        scale: {**part.groupby("modality")[name].mean(), "all": part[name].mean()}
        for scale, part in parts.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def targets(unseen: list[Row], scaled: pd.DataFrame) -> list[Target]:
    """Return the targets, and what was measured."""
    *sources, total = unseen
    found = [
        Target(
            f"mean F1 on all unseen sources at least {LEAST_F1:.2f}",
            f"{total.f1:.3f} ({total.low:.3f} to {total.high:.3f})",
            total.f1 >= LEAST_F1,
        )
    ]
    found += [
        Target(
            f"mean F1 on {row.group} above Otsu and watershed",
            f"{row.f1:.3f} and {row.otsu:.3f}",
            row.f1 > row.otsu,
        )
        for row in sources
    ]
    for group, values in scaled.items():
        change = float(values.max() - values.min())
        found.append(
            Target(
                f"mean F1 between magnifications, {group}: at most {LARGEST_CHANGE:.2f} apart",
                f"{change:.3f}",
                change <= LARGEST_CHANGE,
            )
        )
    return found


def measure(data: Path, boards: Path, name: str) -> Parts:
    """Return all measurements from the scores in a folder."""
    test, tune = (
        read_scores(boards / f"{split}/scores.csv", data, split) for split in ("test", "tune")
    )
    is_unseen = of_unseen_sources(test, data)
    if not is_unseen.any():
        raise UsageError(
            f"{data}: no test image has a source that is not in train; use other test images"
        )
    unseen, seen = test[is_unseen], pd.concat([tune, test[~is_unseen]])
    scaled = {"1": unseen}
    for path in (boards / "scaled").glob("*.csv"):
        scores = read_scores(path, data, "test")
        scaled[path.stem] = scores[of_unseen_sources(scores, data)]
    means = scaled_means(dict(sorted(scaled.items(), key=lambda each: float(each[0]))), name)
    sources = grouped(unseen, "source", name)
    modalities, known = (grouped(each, "modality", name) for each in (unseen, seen))
    return Parts(sources, modalities, known, means, targets(sources, means))
