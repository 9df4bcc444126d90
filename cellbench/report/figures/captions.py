"""The figures of a board: their files, their titles, and how to read them."""

from typing import NamedTuple


class Caption(NamedTuple):
    """What stands beside a figure.

    Attributes:
        name: of the files, without suffix.
        title: the question that the figure answers.
        reading: one sentence that says how to read it.
    """

    name: str
    title: str
    reading: str


FIGURES = (
    Caption(
        "values_by_algorithm",
        "How well does each algorithm do?",
        "A dot is one image, in the colour and shape of its modality; the box holds the middle half "
        "of the images and its line is the median, the whiskers hold 95 %; the best rank is on top.",
    ),
    Caption(
        "values_by_modality",
        "Is an algorithm good on every modality?",
        "A column is one modality: the point is an algorithm's median there, the thick bar holds the "
        "middle half of the images, the thin one 95 %, and the number is its rank there, in colour where "
        "that is far from its rank on all images.",
    ),
    Caption(
        "value_and_runtime",
        "Who is good, and who is fast?",
        "A point is an algorithm with its median value and median running time, and its area the GPU "
        "memory where that is known; the arms hold the middle half of the images, the green line joins "
        "those that nobody beats on both.",
    ),
    Caption(
        "significance",
        "Who is better than whom beyond chance?",
        "A filled square says that the algorithm of its row is significantly better than that of its "
        "column (paired Wilcoxon tests, Holm's adjustment); a bar joins neighbours in the ranking "
        "that the tests cannot tell apart.",
    ),
    Caption(
        "rank_stability",
        "How sure is each rank?",
        "The area of a disc is how often the algorithm had that rank when the images were drawn anew; "
        "the cross is its median rank and the line holds 95 %; at the right, how often it was first, and "
        "ahead of the next algorithm.",
    ),
    Caption(
        "schemes",
        "Would another way of ranking change the order?",
        "A line follows one algorithm through its ranks under five schemes: level lines mean that the "
        "choice of the scheme does not matter; those that move most are in colour.",
    ),
    Caption(
        "kendall_tau",
        "Does the ranking hold on other images?",
        "A violin shows how well the ranking agrees with rankings on images drawn anew: 1 is the same "
        "order, 0 no relation; the dot is the median, the thick line holds half, the thin one 95 %.",
    ),
    Caption(
        "podium",
        "Who wins on single images?",
        "To the right, a bar is the share of images on which an algorithm is first (darkest), second "
        "or third; to the left, on which it is last.",
    ),
    Caption(
        "rank_heat_map",
        "Which ranks does each algorithm have, image by image?",
        "A square's colour is the share of images on which the algorithm of its row has the rank of "
        "its column: a steady algorithm is dark in few squares.",
    ),
    Caption(
        "sensitivity",
        "Do the rules decide who wins?",
        "A square holds the rank that an algorithm would have if one rule were another; blue has "
        "gained places, orange has lost places against the board's own rules, white has kept its rank.",
    ),
)
"""The figures in the order in which they are best read; not every board has each."""

TITLES = {caption.name: caption.title for caption in FIGURES}
