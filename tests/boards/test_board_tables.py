"""The tables of a board agree with the functions they come from."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from boards import make_scores

from cellbench.boards import write_board
from cellbench.cli import main
from cellbench.ranking import (
    bootstrap,
    bootstrap_challenge,
    case_ranks,
    challenge_score,
    clusters,
    wilcoxon_pairs,
)

SAMPLES = 40


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    made = make_scores(images=20)
    place = made["image"].str.removeprefix("image").astype(int)
    # The first is a little above the tolerance always, the others far above it, but rarely.
    often = made["algorithm"] == "algorithm 0"
    timed = np.where(often, 13.0, np.where(place % 3 == 0, 30.0, 7.0))
    failed = made["status"] != "ok"
    excess = np.where(failed, np.inf, np.clip(timed - 12.0, 0, None))
    return made.assign(runtime_s=timed, tolerance_s=12.0, rank_runtime_s=excess)


@pytest.fixture(scope="module")
def board(scores: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    scores.to_csv(folder / "scores.csv", index=False)
    words = ["--bootstrap", str(SAMPLES), "--weights", "1", "3", "--alpha", "0.2"]
    assert main(["rank", str(folder / "scores.csv"), "--out", str(folder), *words]) == 0
    return folder


@pytest.fixture(scope="module")
def tables(scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """F1 as ranks see it, and rank runtimes."""
    rows = scores[scores["threshold"] == 0.5]
    f1, times = (
        rows.pivot(index="image", columns="algorithm", values=name)
        for name in ("f1", "rank_runtime_s")
    )
    return f1.round(4), times


def read(board: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(board / f"{name}.csv")


def test_values_are_what_was_ranked(board: Path, scores: pd.DataFrame) -> None:
    values = read(board, "values")
    assert list(values) == [
        *("algorithm", "image", "modality", "status", "f1", "runtime_s", "rank_runtime_s")
    ]
    expected = scores[scores["threshold"] == 0.5].sort_values(["algorithm", "image"])
    expected = expected[list(values)].reset_index(drop=True)
    pd.testing.assert_frame_equal(values, expected, check_dtype=False, rtol=1e-12)


def test_weights_decide_the_score(board: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    expected = challenge_score(*tables, weights=(1, 3))
    found = read(board, "leaderboard").set_index("algorithm").loc[expected.index]
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-12)
    schemes = read(board, "schemes").query("metric == 'challenge' and scheme == 'mean-then-rank'")
    means = challenge_score(*tables, weights=(1, 3), scheme="mean-then-rank")
    assert schemes.set_index("algorithm")["rank"].to_dict() == means["rank"].to_dict()


def test_intervals(board: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    f1, times = tables
    rng = np.random.default_rng(2022)
    draw = bootstrap_challenge(f1, times, weights=(1, 3), samples=SAMPLES, rng=rng)
    found = read(board, "intervals").set_index(["quantity", "algorithm"])
    assert len(found) == 7 * 4
    assert (found["low"] <= found["high"]).all()
    for quantity, samples in (
        ("mean_rank", draw.values),
        ("score", draw.values / 4),
        ("rank", draw.ranks),
    ):
        for low, high in ((0.025, 0.975),):
            part = found.loc[quantity].loc[samples.columns]
            np.testing.assert_allclose(part["low"], samples.quantile(low), rtol=1e-12)
            np.testing.assert_allclose(part["high"], samples.quantile(high), rtol=1e-12)
    leaderboard = read(board, "leaderboard").set_index("algorithm")
    for quantity in ("score", "mean_rank", "mean_rank_f1", "mean_rank_runtime", "rank"):
        estimate = found.loc[quantity]["estimate"]
        np.testing.assert_allclose(estimate, leaderboard.loc[estimate.index, quantity])
    for quantity in ("mean_f1", "median_f1"):
        estimate = found.loc[quantity]["estimate"]
        np.testing.assert_allclose(estimate, leaderboard.loc[estimate.index, quantity])
    means = leaderboard[["mean_f1_low", "mean_f1_high"]].to_numpy()
    np.testing.assert_allclose(
        found.loc["mean_f1"].loc[leaderboard.index, ["low", "high"]].to_numpy(), means
    )


def test_outranking(board: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    found = read(board, "outranking")
    assert list(found) == ["metric", "scheme", "better", "worse", "probability", "tied"]
    assert len(found) == 3 * 4 * 3
    draw = bootstrap(
        tables[0],
        "rank-then-mean",
        higher_is_better=True,
        samples=SAMPLES,
        rng=np.random.default_rng(2022),
    )
    for row in found[found["metric"] == "f1"].itertuples():
        share = (draw.ranks[row.better] < draw.ranks[row.worse]).mean()
        assert row.probability == pytest.approx(share)
    both = found.merge(
        found, left_on=["metric", "better", "worse"], right_on=["metric", "worse", "better"]
    )
    np.testing.assert_allclose(both["probability_x"] + both["probability_y"] + both["tied_x"], 1)


def test_alpha_decides_tests_and_clusters(
    board: Path, tables: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    tests = read(board, "significance")
    assert (tests["significant"] == (tests["p_holm"] <= 0.2)).all()
    found = read(board, "clusters")
    assert set(found["metric"]) == {"f1", "rank_runtime", "challenge"}
    schemes = read(board, "schemes").query("metric == 'f1' and scheme == 'rank-then-mean'")
    ranking = schemes.set_index("algorithm")["rank"]
    expected = clusters(ranking, wilcoxon_pairs(tables[0], higher_is_better=True), alpha=0.2)
    f1 = found[found["metric"] == "f1"].drop(columns="metric").reset_index(drop=True)
    pd.testing.assert_frame_equal(f1, expected, check_dtype=False)


def test_the_combined_ranks_of_each_image_are_tested(
    board: Path, tables: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    f1, times = tables
    ranks = [
        case_ranks(table, higher_is_better=higher) for table, higher in ((f1, True), (times, False))
    ]
    combined = (1 * ranks[0] + 3 * ranks[1]) / 4
    leaderboard = read(board, "leaderboard").set_index("algorithm")
    np.testing.assert_allclose(combined.mean()[leaderboard.index], leaderboard["mean_rank"])
    expected = wilcoxon_pairs(combined, higher_is_better=False).drop(columns="nonzero")
    found = read(board, "significance").query("metric == 'challenge'").reset_index(drop=True)
    pd.testing.assert_frame_equal(found[list(expected)], expected, check_dtype=False, rtol=1e-12)
    groups = read(board, "clusters").query("metric == 'challenge'")[["cluster", "algorithm"]]
    pd.testing.assert_frame_equal(
        groups.reset_index(drop=True),
        clusters(leaderboard["rank"], expected, alpha=0.2),
        check_dtype=False,
    )


def test_other_tolerances(
    board: Path, scores: pd.DataFrame, tables: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    found = read(board, "sensitivity").query("option == 'tolerance'")
    rows = scores[scores["threshold"] == 0.5]
    factors = {"no tolerance": 0.0, "half": 0.5, "the board's own": 1.0, "twice": 2.0}
    assert set(found["choice"]) == set(factors)
    for choice, factor in factors.items():
        excess = (rows["runtime_s"] - factor * rows["tolerance_s"]).clip(lower=0)
        times = rows.assign(excess=excess.where(rows["status"] == "ok", np.inf)).pivot(
            index="image", columns="algorithm", values="excess"
        )
        expected = challenge_score(tables[0], times, weights=(1, 3))["rank"]
        part = found[found["choice"] == choice].set_index("algorithm")
        assert part["rank"].to_dict() == expected.to_dict()
    assert (found[found["choice"] == "the board's own"]["places"] == 0).all()
    assert (found["places"] != 0).any()


@pytest.mark.parametrize("column", ["tolerance_s", "runtime_s"])
def test_no_other_tolerances_without_times(
    column: str, scores: pd.DataFrame, tmp_path: Path
) -> None:
    changed = scores.astype({column: float})
    changed.loc[changed.index[-1], column] = np.nan
    changed.to_csv(tmp_path / "scores.csv", index=False)
    write_board([tmp_path / "scores.csv"], tmp_path, bootstrap=5)
    assert set(read(tmp_path, "sensitivity")["option"]) == {"ties", "scheme", "weights"}


def test_modalities_and_their_consensus(board: Path) -> None:
    record = json.loads((board / "provenance.json").read_text())
    assert record["modalities"] == {"DIC": "dic", "fluorescence": "fluorescence"}
    assert record["weights"] == [1.0, 3.0]
    ranks = {
        name: read(board / "modalities" / folder, "leaderboard").set_index("algorithm")["rank"]
        for name, folder in record["modalities"].items()
    }
    found = read(board, "consensus").set_index("algorithm")
    for name, expected in ranks.items():
        assert found[name].to_dict() == expected.to_dict()
    expected = sum(ranks.values()) / 2
    assert found["mean_rank"].to_dict() == expected.to_dict()
    part = json.loads((board / "modalities/dic/provenance.json").read_text())
    assert (part["modality"], part["images"], part["modalities"]) == ("DIC", 10, {})


def test_an_image_has_one_modality(scores: pd.DataFrame, tmp_path: Path) -> None:
    scores = scores.assign(
        modality=scores["modality"].mask(scores["algorithm"] == "algorithm 1", "")
    )
    scores.to_csv(tmp_path / "scores.csv", index=False)
    write_board([tmp_path / "scores.csv"], tmp_path, bootstrap=5)
    assert set(read(tmp_path, "values")["modality"]) == {"DIC", "fluorescence"}
    scores.loc[scores["algorithm"] == "algorithm 2", "modality"] = "DIC"
    scores.to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(ValueError, match=r"has the modalities 'DIC' and 'fluorescence'; keep one"):
        write_board([tmp_path / "scores.csv"], tmp_path, bootstrap=5)
