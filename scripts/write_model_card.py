"""Write the model card of a ready model from the scores of `make weights`; check that it is good enough.

Good enough to be published: over all test images of sources that training did not see, the mean F1 is at
least 0.70; on each of these sources it is above that of Otsu's threshold; and at other magnifications it
differs by at most 0.10, also for each modality. The card has a table of these targets and of what was
measured. If one is missed, the exit status is 1, unless --publish-anyway is set.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml
from model_scores import Parts, Row, measure

from cellbench.data.folder import read_dataset
from cellbench.models.about import ModelAbout, read_about_file


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


def lines_of(header: str, rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    rule = "|---" * (header.count("|") - 1) + "|"
    return "\n".join([header, rule, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def trained_images(data: Path) -> str:
    """Return the number of training images of each source and modality, as a table."""
    counts = Counter((each.source, each.modality) for each in read_dataset(data, ["train"]))
    rows = [(*names, count) for names, count in sorted(counts.items())]
    return lines_of("| source | modality | images |", rows)


def training_text(about: ModelAbout, data: Path, training: str) -> str:
    """Return the section on training."""
    datasets = "\n".join(
        f"- [{each.name}]({each.url}), {each.licence}" for each in about.trained_on
    )
    command, _, device = training.strip().partition("\n")
    return f"""## Training
{datasets}

{trained_images(data)}

The model was trained with this command on {device.strip()}; `make weights` trains it again.
`configs/weights/{about.name}.yaml` has the other settings and `configs/base.yaml` the seed.

```
{command}
```"""


def scores_text(parts: Parts) -> str:
    """Return the section on scores."""
    only_seen = sorted({row.group for row in parts.seen} - {row.group for row in parts.modalities})
    missing = (
        f"\nNo test image of an unseen source is {' or '.join(only_seen)}: how good the model is on such "
        "images of other laboratories was not measured.\n"
        if only_seen
        else ""
    )
    scaled = [
        (scale, *(f"{value:.3f}" for value in values))
        for scale, *values in parts.scaled.itertuples()
    ]
    reached = [
        (each.text, each.measured, "yes" if each.reached else "**no**") for each in parts.targets
    ]
    return f"""## Scores
Mean F1 at IoU 0.5 by the rules of the NeurIPS 2022 challenge, with 95 % bootstrap intervals over images.
The size of the cells was estimated for each image. `scripts/write_model_card.py` computed these tables from
the scores.

Test images of sources that no image of training or tuning came from:

{table("source", parts.sources)}

{table("modality", parts.modalities)}
{missing}
Images that were kept out of training, from the sources of training. The decoding was tuned on them, so
these values are slightly too high:

{table("modality", parts.seen)}

The images of unseen sources, shrunk and enlarged by a factor on height and width:

{lines_of(f"| factor | {' | '.join(parts.scaled.columns)} |", scaled)}

## Targets
{lines_of("| target | measured | reached |", reached)}"""


def text(about: ModelAbout, size: int, training: str, scores: str) -> str:
    """Return the model card without its fields."""
    return f"""# {about.title}

{about.description}

Version {about.version}, {size / 1e6:.1f} MB. Licence of the weights: {about.licence}.
Authors: {", ".join(about.authors)}. Training started from: {about.initial_weights or "random weights"}.

```
cellbench segment images/ predictions/ --model {about.name}
```

{training}

{scores}

## Limitations
{chr(10).join(f"- {each}" for each in about.limitations) or "Not known."}

## Please cite
{chr(10).join(f"- {each.text}, https://doi.org/{each.doi}" for each in about.cite)}
"""


def table(title: str, rows: list[Row]) -> str:
    """Return rows as a table in Markdown."""
    cells = [
        (
            row.group,
            row.images,
            f"{row.f1:.3f}",
            f"{row.low:.3f} to {row.high:.3f}",
            f"{row.otsu:.3f}",
        )
        for row in rows
    ]
    return lines_of(f"| {title} | images | mean F1 | 95 % interval | Otsu and watershed |", cells)


def main(words: list[str] | None = None) -> int:
    """Write the model card, and print which targets the model misses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("about", type=Path, help="YAML file that says what the model is")
    parser.add_argument("--weights", type=Path, required=True, help="the weights file")
    parser.add_argument(
        "--training",
        type=Path,
        required=True,
        help="file with the command that trained the model, and in its second line the device",
    )
    parser.add_argument("--data", type=Path, required=True, help="dataset folder of the scores")
    parser.add_argument("--boards", type=Path, required=True, help="folder of the scores")
    parser.add_argument("--out", type=Path, required=True, help="the model card to write")
    parser.add_argument(
        "--publish-anyway", action="store_true", help="exit status 0 also if a target is missed"
    )
    options = parser.parse_args(words)
    about = read_about_file(options.about)
    parts = measure(options.data, options.boards, about.name)
    training = training_text(about, options.data, options.training.read_text("utf-8"))
    size = options.weights.stat().st_size
    card = front_matter(about, parts.sources) + text(about, size, training, scores_text(parts))
    options.out.write_text(card, encoding="utf-8")
    print(f"wrote {options.out}")
    missed = [each for each in parts.targets if not each.reached]
    for each in missed:
        print(
            f"{about.name}: target missed: {each.text}; measured: {each.measured}", file=sys.stderr
        )
    return int(bool(missed) and not options.publish_anyway)


if __name__ == "__main__":
    sys.exit(main())
