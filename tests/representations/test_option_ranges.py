"""Options of representations: what is not allowed is refused in one clear line, wherever it is set."""

import inspect
import math

import numpy as np
import pytest
from label_maps import discs

from cellbench.errors import UsageError
from cellbench.representations import REPRESENTATIONS
from cellbench.representations.options import SHARE, Flag, Numbers, WholeNumbers, checked

OPTIONS = [(name, option) for name, kind in REPRESENTATIONS.items() for option in kind.OPTIONS]
ODD_VALUES = [math.nan, math.inf, -math.inf, -1, 0, 1, 2.5, "a", True, None]
ORDERED = [("affinity", name) for name in ("near", "middle", "far")]  # refused for their order too
LABELS = discs(radius=4, shape=(24, 24))


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_every_argument_says_what_it_allows(name: str) -> None:
    kind = REPRESENTATIONS[name]
    assert list(kind.OPTIONS) == list(inspect.signature(kind).parameters)


@pytest.mark.parametrize(("name", "option"), OPTIONS)
@pytest.mark.filterwarnings("ignore:.* only the best")
def test_an_odd_value_works_or_is_refused_in_one_line(name: str, option: str) -> None:
    for value in ODD_VALUES:
        if REPRESENTATIONS[name].OPTIONS[option].read(value) is None:
            with pytest.raises(UsageError, match=f"{option}=.*must be "):
                REPRESENTATIONS[name](**{option: value})
            continue
        if (name, option) in ORDERED:
            continue
        representation = REPRESENTATIONS[name](**{option: value})
        decoded = representation.decode(representation.encode(LABELS))
        assert decoded.shape == LABELS.shape
        assert value not in ("a", None)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_decoding_follows_the_rule_of_the_constructor(name: str) -> None:
    kind = REPRESENTATIONS[name]
    for option in kind.TUNED:
        for value in ODD_VALUES:
            tuned = kind()
            if kind.OPTIONS[option].read(value) is None:
                for wrong in (kind, lambda **options: kind().set_decoding(options)):
                    with pytest.raises(UsageError, match=f"{option}=.*must be "):
                        wrong(**{option: value})
            else:
                tuned.set_decoding({option: value})  # type: ignore[dict-item]
                assert getattr(tuned, option) == value == getattr(kind(**{option: value}), option)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_tried_and_default_values_are_allowed(name: str) -> None:
    kind = REPRESENTATIONS[name]
    for option, values in kind.TUNED.items():
        for value in values:
            kind().set_decoding({option: value})


@pytest.mark.parametrize(
    ("name", "option", "value", "message"),
    [
        ("embedding", "membership_threshold", 0, "must be a number above 0 and at most 1"),
        ("embedding", "sigmas", 3, "must be 1 or 2"),
        ("affinity", "stride", 0, "must be a whole number from 1 on"),
        ("contour", "order", 2.5, "must be a whole number from 1 on"),
        ("contour", "reach", 0.1, "must be a finite number of at least 0.5"),
        ("contour", "grid", 2.5, "must be a whole number from 1 on"),
        ("star_convex", "rays", 30, "must be a whole number from 4 on in steps of 4"),
        ("hover", "gradient_size", 6, "must be a whole number from 1 to 31 in steps of 2"),
        ("hover", "exact_centres", 2, "must be true or false"),
        ("inner_distance", "alpha", 0, "must be a finite number above 0"),
        ("omni", "distance_threshold", math.nan, "must be a finite number"),
        ("boundary", "threshold", 1.5, "must be a number from 0 to 1"),
    ],
)
def test_the_message_says_what_is_allowed(
    name: str, option: str, value: float, message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        REPRESENTATIONS[name](**{option: value})
    assert str(refused.value) == f"{option}={value!r}: {message}"


def test_several_options_are_set_together_or_not_at_all() -> None:
    affinity = REPRESENTATIONS["affinity"]()
    before = affinity.decoding()
    with pytest.raises(UsageError, match="stride=0"):
        affinity.set_decoding({"repulsion": 0.7, "stride": 0})
    assert affinity.decoding() == before


def test_numbers_of_numpy_and_whole_floats_become_python_numbers() -> None:
    allowed = {"whole": WholeNumbers(1), "share": SHARE, "any": Numbers(), "flag": Flag()}
    for name, value, expected in [
        ("whole", 21.0, 21),
        ("whole", np.int64(3), 3),
        ("share", np.float32(0.5), 0.5),
        ("any", 10**400, None),
        ("flag", False, False),
    ]:
        if expected is None:
            with pytest.raises(UsageError):
                checked(name, value, allowed)
        else:
            assert type(checked(name, value, allowed)) is type(expected)
            assert checked(name, value, allowed) == expected
