"""What a board claims about its first algorithm."""

from collections.abc import Iterable

import pandas as pd
import pytest

from cellbench.boards.verdict import Verdict, verdict

Pair = tuple[str, str]


def judge(
    ranks: dict[str, float],
    images: int,
    significant: Iterable[Pair] = (),
    *,
    metric: str = "f1",
    others: Iterable[tuple[str, Pair]] = (),
    unit: str = "image",
    failed: int = 0,
    first: float = 0.973,
) -> Verdict:
    columns = {
        "rank": list(ranks.values()),
        "algorithm": list(ranks),
        "images": images,
        "failed": failed,
    }
    leaderboard = pd.DataFrame(columns)
    found = {(metric, *pair) for pair in significant} | {(name, *pair) for name, pair in others}
    rows = [
        (name, better, worse, (name, better, worse) in found)
        for name in {metric, *(name for name, _ in others)}
        for better in ranks
        for worse in ranks
        if better != worse
    ]
    tests = pd.DataFrame(rows, columns=["metric", "better", "worse", "significant"])
    draws = pd.DataFrame(
        [("f1", "a", 1, 0.1), ("challenge", "a", 1, first), ("challenge", "a", 2, 0.027)],
        columns=["metric", "algorithm", "rank", "frequency"],
    )
    return verdict(leaderboard, tests, draws, unit=unit)


@pytest.mark.parametrize(
    ("ranks", "images", "significant", "sentence"),
    [
        ({"a": 1}, 50, [], "a is the only algorithm, so there is nothing to compare it with."),
        ({"a": 1, "b": 1}, 1, [], "a and b share the first rank on 1 image."),
        ({"a": 1, "b": 1, "c": 1}, 30, [], "a, b and c share the first rank on 30 images."),
        (
            {"a": 1, "b": 2},
            1,
            [],
            "a ranks first, but 1 image is too few to tell it apart from b.",
        ),
        (
            {"a": 1, "b": 2},
            9,
            [("a", "b")],
            "a ranks first, but 9 images are too few to tell it apart from b.",
        ),
        (
            {"a": 1, "b": 2, "c": 3},
            40,
            [("a", "c"), ("b", "c")],
            "a ranks first, but 40 images are too few to tell it apart from b.",
        ),
        (
            {"a": 1, "b": 2, "c": 2},
            40,
            [("a", "b")],
            "a ranks first, but 40 images are too few to tell it apart from b and c.",
        ),
        (
            {"a": 1, "b": 2},
            40,
            [("b", "a")],
            "a ranks first, but b is significantly better in a test on 40 images.",
        ),
        (
            {"a": 1, "b": 2},
            10,
            [("a", "b")],
            "a ranks first on 10 images, significantly ahead of b, and stays first in 97.3 % of the "
            "bootstrap samples.",
        ),
    ],
)
def test_the_sentence_claims_no_more_than_the_images_show(
    ranks: dict[str, float], images: int, significant: list[Pair], sentence: str
) -> None:
    assert judge(ranks, images, significant).sentence == sentence


def test_the_combined_ranks_decide_where_they_are_tested() -> None:
    ranks = {"a": 1, "b": 2}
    on_f1 = judge(ranks, 40, [], metric="challenge", others=[("f1", ("a", "b"))])
    on_all = judge(ranks, 40, [("a", "b")], metric="challenge", others=[("f1", ("b", "a"))])
    assert (on_f1.told_apart, on_f1.contradicted) == (False, False)
    assert (on_all.told_apart, on_all.contradicted, on_all.stays_first) == (True, False, 0.973)


def test_a_case_may_be_called_otherwise() -> None:
    assert "on 12 patients." in judge({"a": 1, "b": 1}, 12, unit="patient").sentence


def test_algorithms_that_all_failed_share_no_first_rank() -> None:
    assert judge({"a": 1, "b": 1}, 12, failed=12).sentence == (
        "a and b failed on 12 images, so there is nothing to rank."
    )
    assert judge({"a": 1}, 1, failed=1).sentence == (
        "a failed on 1 image, so there is nothing to rank."
    )


@pytest.mark.parametrize(
    ("first", "words"), [(0.9995, "in more than 99.9 % of"), (1.0, "in 100 % of")]
)
def test_nearly_always_is_not_always(first: float, words: str) -> None:
    assert words in judge({"a": 1, "b": 2}, 12, [("a", "b")], first=first).sentence
