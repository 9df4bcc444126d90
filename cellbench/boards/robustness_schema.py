"""The tables of ``cellbench robustness``; part of [`cellbench.boards.schema`][]."""

from cellbench.boards.columns import Table, number, text, whole

UNCHANGED = "unchanged"
"""The kind of the rows of unchanged images, whose severity is 0."""
ALL_KINDS = "all"
"""The kind of the rows of the summary that hold the mean over all kinds."""

_ALGORITHM = text("algorithm", "Name of the algorithm.")

ROBUSTNESS_TABLES = {
    table.name: table
    for table in (
        Table(
            "robustness",
            "What `cellbench robustness` measured: F1 on each image, unchanged and perturbed.",
            (
                _ALGORITHM,
                text("kind", f"Kind of perturbation; {UNCHANGED} for the images as they are."),
                whole(
                    "severity", "Severity of the perturbation from 1 to 5; 0 for unchanged images."
                ),
                text("image", "Name of the image without its last extension."),
                number("f1", "F1 at IoU 0.5; 0 without a usable prediction."),
            ),
        ),
        Table(
            "robustness_summary",
            "How much of its F1 each algorithm keeps under each kind and severity of perturbation.",
            (
                _ALGORITHM,
                text("kind", f"Kind of perturbation; {ALL_KINDS} for all kinds together."),
                number("severity", "Severity from 1 to 5; empty for the mean over all severities."),
                whole("images", "Number of images; some kinds do not exist for every image."),
                number("clean_f1", "Mean F1 on the same images unchanged."),
                number("f1", f"Mean F1 on the perturbed images; empty for {ALL_KINDS}."),
                number("f1_low", "Lower end of the 95 % bootstrap interval of f1."),
                number("f1_high", "Upper end of the 95 % bootstrap interval of f1."),
                number(
                    "relative",
                    "f1 / clean_f1: 1 is as good as on unchanged images; for "
                    f"{ALL_KINDS} the mean of that of the kinds.",
                ),
                number("relative_low", "Lower end of the 95 % bootstrap interval of relative."),
                number("relative_high", "Upper end of the 95 % bootstrap interval of relative."),
            ),
        ),
    )
}
"""The tables by name."""
