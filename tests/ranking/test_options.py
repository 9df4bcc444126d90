"""One object holds every choice, whether it is named by text or by its enumeration."""

from dataclasses import fields
from typing import get_type_hints

import pandas as pd
import pytest

from cellbench.errors import UsageError
from cellbench.ranking import (
    SCHEMES,
    TIES,
    Options,
    Scheme,
    Ties,
    challenge_score,
    rank_algorithms,
    write_board,
)
from cellbench.ranking.options import BoardChoices, Choices, make_options


def test_text_becomes_the_choice_it_names() -> None:
    options = Options(ties="average", scheme="mean-then-rank")  # type: ignore[arg-type]
    assert options == Options(Ties.AVERAGE, Scheme.MEAN_THEN_RANK)
    assert isinstance(options.ties, Ties)
    assert f"{options.ties} {options.scheme}" == "average mean-then-rank"


def test_the_names_in_tables_are_what_they_were() -> None:
    assert list(TIES) == ["min", "average", "max", "dense"]
    assert list(SCHEMES) == [
        *("mean-then-rank", "median-then-rank"),
        *("rank-then-mean", "rank-then-median", "test-then-rank"),
    ]


def test_keyword_arguments_are_the_options_fields() -> None:
    names = {field.name for field in fields(Options)}
    assert get_type_hints(Choices).keys() | get_type_hints(BoardChoices).keys() == names
    assert make_options({"alpha": 0.1}, Choices, higher_is_better=False) == Options(
        alpha=0.1, higher_is_better=False
    )


def test_an_option_that_has_no_effect_is_refused() -> None:
    table = pd.DataFrame({"a": [0.9, 0.8], "b": [0.7, 0.8]})
    with pytest.raises(UsageError, match="option 'weights': not known; choose from ties, alpha"):
        rank_algorithms(table, "rank-then-mean", higher_is_better=True, weights=(3, 1))
    with pytest.raises(UsageError, match="option 'seed': not known"):
        challenge_score(table, None, seed=1)
    with pytest.raises(UsageError, match="option 'missing': not known"):
        write_board(["scores.csv"], "board", missing="drop")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ties": "first"}, "ties 'first': not known; choose from min, average, max, dense"),
        ({"scheme": "podium"}, "scheme 'podium': not known; choose from mean-then-rank"),
        ({"bootstrap": 0}, "bootstrap 0: must be at least 1 sample"),
        ({"seed": -1}, "seed -1: must be 0 or more"),
        ({"alpha": 1.0}, "alpha 1.0: must be between 0 and 1"),
        ({"weights": (0, 0)}, "at least one must be above 0"),
        ({"missing": float("inf")}, "missing inf: must be 'worst', 'drop' or a finite number"),
        ({"missing": "best"}, "missing 'best': not known; choose from worst, drop"),
    ],
)
def test_what_cannot_be_chosen(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Options(**options)
