"""Comparisons of forecasts that are already there, and what their table looks like."""

import math

import numpy as np
import pandas as pd
import pytest

from recurra import metrics
from recurra.data.tables.columns import Columns
from recurra.errors import DataError, DataWarning
from recurra.evaluation import Comparison, calibration, compare


@pytest.fixture
def train():
    days = pd.date_range("2024-01-01", periods=40)
    y = 10 + np.random.default_rng(0).normal(size=40).cumsum()
    return pd.DataFrame({"unique_id": "a", "ds": days, "y": y})


@pytest.fixture
def frame(train):
    """Two overlapping windows of five days, with two models, of which one has intervals."""
    parts = []
    for cutoff in (29, 34):
        part = train.iloc[cutoff + 1 : cutoff + 6].assign(cutoff=train["ds"][cutoff])
        parts.append(part.assign(LSTM=part["y"] + 0.5, Point=part["y"] - 1))
    both = pd.concat(parts, ignore_index=True)
    for level, half in ((80, 0.4), (95, 1.0)):
        both[f"LSTM-lo-{level}"] = both["LSTM"] - half
        both[f"LSTM-hi-{level}"] = both["LSTM"] + half
    return both


def test_the_whole_data_may_be_given_as_training_part(train, frame):
    cut = train[train["ds"] <= frame["cutoff"].max()]
    pd.testing.assert_frame_equal(compare(frame, train).table, compare(frame, cut).table)


def test_a_model_without_intervals_has_no_interval_scores(train, frame):
    table = compare(frame, train).table
    assert table.loc["Point", ["pinball", "CRPS", "coverage-80", "coverage-95"]].isna().all()
    assert table.loc["LSTM", "coverage-80"] == 0
    assert table.loc["LSTM", "coverage-95"] == 1


def test_interval_scores_are_those_of_the_metrics(train, frame):
    table = compare(frame, train).table
    curve = [frame[f"LSTM{end}"] for end in ("-lo-95", "-lo-80", "", "-hi-80", "-hi-95")]
    levels = [0.025, 0.1, 0.5, 0.9, 0.975]
    losses = [metrics.pinball(frame["y"], one, q) for one, q in zip(curve, levels, strict=True)]
    assert table.loc["LSTM", "pinball"] == pytest.approx(np.mean(losses))
    expected = metrics.crps_from_quantiles(frame["y"], np.stack(curve), levels)
    assert table.loc["LSTM", "CRPS"] == pytest.approx(expected)


def test_scores_equal_those_of_utilsforecast(train, frame):
    from utilsforecast import losses

    scores = compare(frame, train, season_length=1).scores
    ours = scores[scores["model"] == "LSTM"].set_index("cutoff")["RMSE"]
    theirs = losses.rmse(frame, models=["LSTM"], cutoff_col="cutoff").set_index("cutoff")["LSTM"]
    assert ours.to_dict() == pytest.approx(theirs.to_dict())


def test_the_order_of_the_rows_does_not_matter(train, frame):
    shuffled = frame.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(compare(shuffled, train).table, compare(frame, train).table)


def test_without_a_cutoff_each_series_is_one_window(train, frame):
    single = frame[frame["cutoff"] == frame["cutoff"].max()]
    table = compare(single, train).table
    pd.testing.assert_frame_equal(compare(single.drop(columns="cutoff"), train).table, table)


def test_a_baseline_steps_over_stamps_that_the_frame_skips(train, frame):
    thinned = frame.drop(index=[0, 1])
    full = compare(frame, train).frame
    assert compare(thinned, train).frame["Drift"].tolist() == full["Drift"].drop([0, 1]).tolist()


def test_a_series_missing_from_train_is_named(train, frame):
    with pytest.raises(DataError, match=r"No such series in train \(series 'b'\)"):
        compare(frame.assign(unique_id="b"), train)


def test_a_window_without_a_past_is_named(train, frame):
    with pytest.raises(DataError, match=r"Nothing is observed up to the cutoff \(series 'a'\)"):
        compare(frame, train.iloc[32:])


def test_a_stamp_off_the_clock_is_refused(train, frame):
    frame.loc[9, "ds"] += pd.Timedelta(hours=5)
    with pytest.raises(DataError, match=r"no whole number of steps of 'D'.*'ds'"):
        compare(frame, train)


def test_a_row_that_comes_twice_is_refused(train, frame):
    with pytest.raises(DataError, match="Two rows forecast the same stamp") as caught:
        compare(pd.concat([frame, frame.iloc[[3]]], ignore_index=True), train)
    assert caught.value.row == 10


def test_a_bound_without_its_pair_or_its_model_is_refused(train, frame):
    with pytest.raises(DataError, match=r"'LSTM-lo-80' bounds .*'LSTM', but 'LSTM-hi-80' lacks"):
        compare(frame.drop(columns="LSTM-hi-80"), train)
    with pytest.raises(DataError, match="forecasts of no model"):
        compare(frame[["unique_id", "ds", "cutoff", "y"]], train)


def test_a_constant_past_has_no_mase_and_the_table_says_so(train, frame):
    with pytest.warns(DataWarning, match="2 of 2 windows have no scale"):
        result = compare(frame, train.assign(y=3.0), season_length=1)
    assert result.table["MASE"].isna().all()
    assert result.table["sMAPE"].is_monotonic_increasing
    assert "left out of MASE" in str(result)
    assert "in sMAPE." in result.verdict


def test_rows_without_some_models_bounds_count_for_no_model(train, frame):
    whole = compare(frame, train).table
    frame.loc[0, "LSTM-lo-80"] = np.nan
    with pytest.warns(DataWarning, match="1 of 10 rows lack a model's bounds"):
        table = compare(frame, train).table
    assert table.loc["Naive", "CRPS"] != whole.loc["Naive", "CRPS"]
    assert table.loc["Naive", "RMSE"] == whole.loc["Naive", "RMSE"]


def test_a_window_with_nothing_observed_is_not_scored(train, frame):
    frame.loc[:4, "y"] = np.nan
    with pytest.warns(DataWarning, match="1 of 2 windows have nothing observed"):
        result = compare(frame, train)
    assert result.table.loc["LSTM", "RMSE"] == pytest.approx(0.5)


def test_the_verdict_says_by_how_much_the_best_baseline_is_beaten_or_that_it_is_not(train, frame):
    table = compare(frame, train).table
    best = table.index[table["baseline"]][0]
    ahead = 100 * (1 - table.loc["LSTM", "MASE"] / table.loc[best, "MASE"])
    verdict = compare(frame, train).verdict
    assert verdict == f"LSTM beats the best baseline, {best}, by {ahead:.1f} % in MASE."
    bad = frame[["unique_id", "ds", "cutoff", "y"]].assign(Bad=1000.0)
    assert compare(bad, train).verdict == f"No model beats the baseline {best} in MASE."


def test_the_printed_table_is_aligned_marked_and_fits_a_hundred_columns():
    scores = {"sMAPE": [9.1234, 12.0], "MASE": [0.87, 1.0], "RMSE": [12345.6, 90000.0]}
    table = pd.DataFrame(
        {
            "baseline": [False, True],
            **scores,
            "pinball": [3.2, math.nan],
            "CRPS": [6.1, 7.0],
            "coverage-80": [0.9, 0.79],
            "coverage-95": [0.94, 1.0],
        },
        index=["LSTM", "SeasonalNaive"],
    )
    frame = pd.DataFrame({"unique_id": ["a"] * 3, "cutoff": [1, 1, 2]})
    shown = str(Comparison(frame, table, table, Columns(), 24))
    assert shown.splitlines() == [
        "1 series, 2 windows, up to 2 rows each; season 24",
        "",
        "                      sMAPE    MASE    RMSE   pinball    CRPS   cover 80   cover 95",
        "LSTM                   9.12*  0.870*  12346*    3.200*  6.100*     0.900      0.940*",
        "SeasonalNaive (base)  12.00   1.000   90000         –   7.000      0.790*     1.000",
        "",
        "LSTM beats the best baseline, SeasonalNaive, by 13.0 % in MASE.",
    ]
    long = table.rename(index={"LSTM": "LSTM" * 30})
    lines = str(Comparison(frame, long, long, Columns(), 24)).splitlines()
    assert max(map(len, lines[:5])) <= 100
    assert "…" in lines[3]


def test_the_html_table_escapes_names_and_prints_the_best_in_bold(train, frame):
    shown = compare(frame.rename(columns={"Point": "<b>Point"}), train)._repr_html_()
    assert "&lt;b&gt;Point" in shown
    assert "<b>Point" not in shown
    assert "<td><b>" in shown
    assert "<em>(base)</em>" in shown
    assert shown.count("<tr>") == 1 + 6


def test_calibration_sets_promise_against_coverage(frame):
    table = calibration(frame)
    assert table["level"].tolist() == [80, 95]
    assert table["nominal"].tolist() == [0.8, 0.95]
    assert table["empirical"].tolist() == [0, 1]
    assert table["width"].to_numpy() == pytest.approx([0.8, 2.0])
    assert table["rows"].tolist() == [10, 10]


def test_calibration_tells_the_steps_ahead_apart(frame):
    late = frame.groupby("cutoff").cumcount() >= 3
    frame.loc[late, ["LSTM-lo-95", "LSTM-hi-95"]] = [[1000.0, 2000.0]] * 4
    table = calibration(frame, per_step=True)
    ninety_five = table[table["level"] == 95].set_index("step")
    assert ninety_five["empirical"].tolist() == [1, 1, 1, 0, 0]
    assert ninety_five["rows"].tolist() == [2] * 5


def test_calibration_of_a_comparison_includes_the_baselines(train, frame):
    result = compare(frame, train)
    assert set(result.calibration()["model"]) == {"LSTM", "Naive", "SeasonalNaive", "Drift", "Mean"}


def test_gaussian_intervals_of_a_random_walk_are_calibrated_at_every_step():
    rng = np.random.default_rng(3)
    walks = rng.normal(size=(300, 60)).cumsum(axis=1)
    rows, steps = np.divmod(np.arange(300 * 60), 60)
    train = pd.DataFrame({"unique_id": rows, "ds": steps, "y": walks.ravel()})
    frame = train[train["ds"] >= 56].assign(cutoff=55, Flat=0.0)
    frame["Flat-lo-80"], frame["Flat-hi-80"] = -1.0, 1.0
    table = compare(frame, train, season_length=1).calibration(per_step=True)
    naive = table[table["model"] == "Naive"]
    assert naive["empirical"].to_numpy() == pytest.approx([0.8] * 4, abs=0.06)
