"""The table of images that were left out of training and of others, a part of the schema of a board."""

from cellbench.boards.columns import VALUE, Table, text, whole, with_interval

GENERALISATION = Table(
    "generalisation",
    "Test images that data split left out of training, and the others, side by side; only with --manifest.",
    (
        text("algorithm", "Name of the algorithm."),
        *with_interval(f"in_source_mean_{VALUE}", "Mean value on the other test images."),
        *with_interval(
            f"out_of_source_mean_{VALUE}",
            "Mean value on the images that were left out of training.",
        ),
        *with_interval("drop", "How much worse the second mean is; below 0 it is better."),
        whole("in_source_images", "Number of the other test images."),
        whole("out_of_source_images", "Number of images that were left out of training."),
    ),
)
"""The table that ``cellbench rank --manifest`` writes in addition."""
