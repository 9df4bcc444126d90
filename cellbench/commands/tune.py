"""Fit how a trained model decodes its maps to the tune split, and store that in its checkpoint."""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("checkpoint", type=Path, help="a trained model; it is rewritten")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="ROOT", help="dataset folder with a tune split"
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1, …; a GPU where there is one")


def run(arguments: argparse.Namespace) -> None:
    """Search, print every trial, store the best."""
    from tqdm import tqdm

    from cellbench.data.folder import read_dataset
    from cellbench.inference import load_model
    from cellbench.inference.tuning import best_trial, store_decoding, tune_decoding

    items = read_dataset(arguments.data, ["tune"])
    model = load_model(arguments.checkpoint, arguments.device)
    trials = tune_decoding(
        model,
        items,
        lambda each, what: tqdm(each, desc=what, unit="image", leave=False, disable=None),
    )
    best = best_trial(trials)
    names = list(best.decoding)
    print("  ".join([*names, "mean_f1"]))
    for trial in trials:
        values = [f"{trial.decoding[name]:g}".rjust(len(name)) for name in names]
        print("  ".join([*values, f"{trial.f1:.4f}"]) + ("  best" if trial is best else ""))
    store_decoding(arguments.checkpoint, best.decoding)
    chosen = ", ".join(f"{name} {value:g}" for name, value in best.decoding.items())
    print(
        f"{arguments.checkpoint}: decodes with {chosen}: "
        f"mean F1 {trials[0].f1:.4f} before, {best.f1:.4f} now"
    )
