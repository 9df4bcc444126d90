"""The table of images of sources that training sees and of others, a part of the schema of a board."""

from cellbench.boards.columns import VALUE, Table, text, whole, with_interval

GENERALISATION = Table(
    "generalisation",
    "Images of sources that training sees and of others, side by side; only with --manifest.",
    (
        text("algorithm", "Name of the algorithm."),
        *with_interval(f"in_source_mean_{VALUE}", "Mean value on images of sources in training."),
        *with_interval(f"out_of_source_mean_{VALUE}", "Mean value on images of other sources."),
        *with_interval("drop", "How much worse the second mean is; below 0 it is better."),
        whole("in_source_images", "Number of images of sources that are in the training split."),
        whole("out_of_source_images", "Number of images of sources that were left out of it."),
    ),
)
"""The table that ``cellbench rank --manifest`` writes in addition."""
