"""Relative robustness: ratios of means over the same images, and intervals of the paired bootstrap."""

import numpy as np
import pandas as pd
import pytest

from cellbench.errors import ScoresError
from cellbench.ranking.robustness import relative_robustness


def rows(algorithm: str, kind: str, severity: int, **f1: float) -> pd.DataFrame:
    table = pd.DataFrame({"image": list(f1), "f1": list(f1.values())})
    return table.assign(algorithm=algorithm, kind=kind, severity=severity)


def summary(*parts: pd.DataFrame, samples: int = 2000) -> pd.DataFrame:
    table = relative_robustness(pd.concat(parts), samples=samples, rng=np.random.default_rng(0))
    return table.set_index(["algorithm", "kind", "severity"])


def test_means_of_each_kind_are_compared_on_the_same_images() -> None:
    table = summary(
        rows("x", "unchanged", 0, a=0.8, b=0.4, c=0.6),
        rows("x", "blur", 1, a=0.8, b=0.2, c=0.2),
        rows("x", "blur", 2, a=0.4, b=0.0, c=0.2),
        rows("x", "swap", 1, b=0.3),
    )
    expected = {
        ("blur", 1.0): (3, 0.6, 0.4),
        ("blur", 2.0): (3, 0.6, 0.2),
        ("blur", np.nan): (3, 0.6, 0.3),
        ("swap", 1.0): (1, 0.4, 0.3),
        ("swap", np.nan): (1, 0.4, 0.3),
    }
    for (kind, severity), (images, clean, f1) in expected.items():
        row = table.loc[("x", kind, severity)]
        assert row["images"] == images
        found = [row["clean_f1"], row["f1"], row["relative"]]
        assert found == pytest.approx([clean, f1, f1 / clean])
    total = table.loc[("x", "all", np.nan)]
    assert total["relative"] == pytest.approx((0.5 + 0.75) / 2)
    assert total["clean_f1"] == pytest.approx(0.6)
    assert np.isnan(total["f1"])
    assert list(table.index.get_level_values("kind").unique()) == ["all", "blur", "swap"]


def test_the_bootstrap_is_paired() -> None:
    """Images differ much, but each keeps exactly half: without pairs, the interval would be wide."""
    rng = np.random.default_rng(3)
    clean = {f"i{index}": value for index, value in enumerate(rng.uniform(0.1, 1, 30))}
    table = summary(
        rows("x", "unchanged", 0, **clean),
        rows("x", "noise", 1, **{name: value / 2 for name, value in clean.items()}),
    )
    row = table.loc[("x", "noise", 1.0)]
    assert [row["relative_low"], row["relative"], row["relative_high"]] == pytest.approx([0.5] * 3)
    assert row["f1_high"] - row["f1_low"] > 0.08


def test_intervals_are_those_of_a_direct_bootstrap() -> None:
    rng = np.random.default_rng(4)
    clean, noisy = rng.uniform(0.5, 1, 20), rng.uniform(0, 0.6, 20)
    names = [f"i{index:02}" for index in range(20)]
    table = summary(
        rows("x", "unchanged", 0, **dict(zip(names, clean, strict=True))),
        rows("x", "noise", 1, **dict(zip(names, noisy, strict=True))),
        samples=4000,
    )
    row = table.loc[("x", "noise", 1.0)]
    drawn = np.random.default_rng(9).integers(20, size=(20000, 20))
    ratios = noisy[drawn].sum(axis=1) / clean[drawn].sum(axis=1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    assert row["relative_low"] == pytest.approx(low, abs=0.01)
    assert row["relative_high"] == pytest.approx(high, abs=0.01)


def test_nothing_right_on_unchanged_images_has_no_ratio() -> None:
    table = summary(
        rows("x", "unchanged", 0, a=0.0, b=0.0),
        rows("x", "noise", 1, a=0.0, b=0.0),
        rows("y", "unchanged", 0, a=1.0, b=1.0),
        rows("y", "noise", 1, a=0.0, b=1.0),
    )
    nothing, half = table.loc[("x", "noise", 1.0)], table.loc[("y", "noise", 1.0)]
    assert nothing[["relative", "relative_low", "relative_high"]].isna().all()
    assert nothing["f1"] == 0
    assert [half["relative_low"], half["relative"], half["relative_high"]] == [0, 0.5, 1]


def test_unchanged_images_alone_and_no_unchanged_images() -> None:
    assert summary(rows("x", "unchanged", 0, a=0.5)).empty
    with pytest.raises(ScoresError, match="x: has no values on unchanged images"):
        summary(rows("x", "noise", 1, a=0.5))
