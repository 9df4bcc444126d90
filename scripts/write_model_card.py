"""Write the model card of a ready model from the scores of `make weights`; check that it is good enough.

Good enough to be published: on the images of every source that training did not see, the mean F1 is above
that of Otsu's threshold; over all of them it is at least 0.70; and at other magnifications it differs by at
most 0.10. Otherwise the exit status is 1.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import yaml

from cellbench.data.folder import read_dataset
from cellbench.models.about import ModelAbout, read_about_file
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


def read_scores(path: Path) -> pd.DataFrame:
    """Return the F1 at IoU 0.5: one row per image, one column per algorithm."""
    scores = pd.read_csv(path)
    return scores[scores["threshold"] == 0.5].pivot(index="image", columns="algorithm", values="f1")


def measured(group: str, scores: pd.DataFrame, name: str) -> Row:
    """Return the row of a group of images."""
    counts = draw_counts(len(scores), SAMPLES, np.random.default_rng(SEED))
    means = pd.DataFrame({name: counts @ scores[name].to_numpy() / len(scores)})
    low, high = percentile_intervals(means).loc[name]
    return Row(
        group, len(scores), float(scores[name].mean()), low, high, float(scores[OTSU].mean())
    )


def grouped(scores: pd.DataFrame, groups: pd.Series, name: str) -> list[Row]:
    """Return a row for each group of images, by name of the group, and one for all images."""
    parts = [measured(str(group), part, name) for group, part in scores.groupby(groups)]
    return [*parts, measured("all", scores, name)]


def known(data: Path, split: str, column: str, scores: pd.DataFrame) -> pd.Series:
    """Return the source or the modality of each scored image."""
    values = {each.stem: getattr(each, column) for each in read_dataset(data, [split])}
    return scores.index.to_series().map(values).fillna("not stated")


def table(title: str, rows: list[Row]) -> str:
    """Return rows as a table in Markdown."""
    lines = [
        f"| {title} | images | mean F1 | 95 % interval | Otsu and watershed |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.group} | {row.images} | {row.f1:.3f} | {row.low:.3f} to {row.high:.3f} | {row.otsu:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


def faults(unseen: list[Row], scales: dict[str, float]) -> list[str]:
    """Return why the model should not be published."""
    found = [
        f"on {row.group} its mean F1 {row.f1:.3f} is not above that of Otsu's threshold, {row.otsu:.3f}"
        for row in unseen
        if row.f1 <= row.otsu
    ]
    if unseen[-1].f1 < LEAST_F1:
        found.append(f"its mean F1 on unseen sources is {unseen[-1].f1:.3f}, below {LEAST_F1}")
    values = [unseen[-1].f1, *scales.values()]
    if max(values) - min(values) > LARGEST_CHANGE:
        found.append(
            f"between magnifications its mean F1 differs by {max(values) - min(values):.3f}, more than "
            f"{LARGEST_CHANGE}"
        )
    return found


def front_matter(about: ModelAbout, unseen: list[Row]) -> str:
    """Return the fields of a model card on the Hugging Face hub, as YAML."""
    results = [
        {
            "task": {"type": "image-segmentation", "name": "Instance segmentation of cells"},
            "dataset": {"type": "open-cells", "name": row.group},
            "metrics": [
                {"type": "f1", "name": "mean F1 at IoU 0.5", "value": round(float(row.f1), 4)}
            ],
        }
        for row in unseen
    ]
    fields: dict[str, object] = {
        "license": about.licence.lower(),
        "library_name": "cellbench",
        "pipeline_tag": "image-segmentation",
        "tags": ["cell-segmentation", "microscopy", "instance-segmentation", "stardist"],
        "datasets": [each.name for each in about.trained_on],
        "metrics": ["f1"],
        "model-index": [{"name": about.name, "results": results}],
    }
    if about.base_model:
        fields["base_model"] = about.base_model
    return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)}---\n"


def text(
    about: ModelAbout, size: int, parts: dict[str, list[Row]], scales: dict[str, float]
) -> str:
    """Return the model card without its fields."""
    data = "\n".join(f"- [{each.name}]({each.url}), {each.licence}" for each in about.trained_on)
    magnified = "\n".join(f"| {scale} | {value:.3f} |" for scale, value in scales.items())
    return f"""# {about.title}

{about.description}

Version {about.version}, {size / 1e6:.1f} MB. Licence of the weights: {about.licence}.
Authors: {", ".join(about.authors)}. Training started from: {about.initial_weights or "random weights"}.

```
cellbench segment images/ predictions/ --model {about.name}
```

## Training data
{data}

`make weights` trains the model again; `configs/weights/{about.name}.yaml` has the settings and
`configs/base.yaml` the seed.

## Scores
Mean F1 at IoU 0.5 by the rules of the NeurIPS 2022 challenge, with 95 % bootstrap intervals over images.
The size of the cells was estimated for each image. `scripts/write_model_card.py` computed these tables from
the scores.

Images of sources that training did not see:

{table("source", parts["sources"])}

{table("modality", parts["modalities"])}

Images of the sources of training that were kept out of it; the decoding was tuned on them, so these values
are slightly too high:

{table("modality", parts["seen"])}

The images of unseen sources at other magnifications:

| factor on height and width | mean F1 |
|---|---|
{magnified}

## Limitations
{chr(10).join(f"- {each}" for each in about.limitations) or "Not known."}

## Please cite
{chr(10).join(f"- {each.text}, https://doi.org/{each.doi}" for each in about.cite)}
"""


def main(words: list[str] | None = None) -> int:
    """Write the model card, and print why the model is not good enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("about", type=Path, help="YAML file that says what the model is")
    parser.add_argument("--weights", type=Path, required=True, help="the weights file")
    parser.add_argument("--data", type=Path, required=True, help="dataset folder of the scores")
    parser.add_argument("--boards", type=Path, required=True, help="folder of the scores")
    parser.add_argument("--out", type=Path, required=True, help="the model card to write")
    options = parser.parse_args(words)
    about = read_about_file(options.about)
    test, tune = (read_scores(options.boards / f"{split}/scores.csv") for split in ("test", "tune"))
    parts = {
        "sources": grouped(test, known(options.data, "test", "source", test), about.name),
        "modalities": grouped(test, known(options.data, "test", "modality", test), about.name),
        "seen": grouped(tune, known(options.data, "tune", "modality", tune), about.name),
    }
    files = sorted((options.boards / "scaled").glob("*.csv"), key=lambda path: float(path.stem))
    scales = {path.stem: float(read_scores(path)[about.name].mean()) for path in files}
    card = front_matter(about, parts["sources"])
    card += text(about, options.weights.stat().st_size, parts, scales)
    options.out.write_text(card, encoding="utf-8")
    print(f"wrote {options.out}")
    found = faults(parts["sources"], scales)
    for fault in found:
        print(f"{about.name} should not be published: {fault}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
