"""AutoForecaster: what it compares, that it keeps its time, and that it answers the same again."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import recurra as rc
from recurra.errors import DataError, FileError, NotFittedError, OptionError
from recurra.tuning.auto_members import NetworkMember

SHORT = rc.Training(steps=30)
ENOUGH = 3600  # seconds: where the time cuts a search short, it is not the same again


def monthly(series: int = 3, months: int = 72) -> pd.DataFrame:
    random = np.random.default_rng(0)
    at = np.arange(months)
    parts = [
        pd.DataFrame(
            {
                "unique_id": f"s{i}",
                "ds": pd.date_range("2015-01-01", periods=months, freq="MS"),
                "y": (100 + 20 * i + at / 4) * (1 + 0.3 * np.sin(at * np.pi / 6))
                + random.normal(size=months),
            }
        )
        for i in range(series)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def fitted() -> rc.AutoForecaster:
    return rc.AutoForecaster(ENOUGH, horizon=6, networks=5, training=SHORT).fit(monthly())


def test_the_leaderboard_has_baselines_networks_and_the_ensemble_by_rank(
    fitted: rc.AutoForecaster,
) -> None:
    table = fitted.leaderboard_.table
    assert {"Naive", "SeasonalNaive", "Naive2", "Theta", "DampedTrend", "LSTM"} <= set(table.model)
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    assert table.OWA.is_monotonic_increasing
    assert (table.model == "LSTM").sum() + (table.model == "GRU").sum() == 5
    assert table.weight.sum() == pytest.approx(1.0)
    assert (table.model == "ensemble").sum() == 1
    assert table[table.model == "Naive2"].OWA.item() == pytest.approx(1.0)


def test_the_last_values_decide_nothing_but_the_scores(fitted: rc.AutoForecaster) -> None:
    printed = str(fitted.leaderboard_)
    assert printed.startswith("OWA, less is better, on 6 steps from 4 origins, of 3 series")
    assert "adjusted, log" in printed


def test_a_forecast_has_the_form_of_a_forecasters(fitted: rc.AutoForecaster) -> None:
    table = fitted.predict(4, level=[80, 95])
    assert table.columns.tolist() == [
        "unique_id",
        "ds",
        "AutoForecaster",
        "AutoForecaster-lo-80",
        "AutoForecaster-hi-80",
        "AutoForecaster-lo-95",
        "AutoForecaster-hi-95",
    ]
    assert table.ds[:4].tolist() == pd.date_range("2021-01-01", periods=4, freq="MS").tolist()
    low, point, high = (table[f"AutoForecaster{end}"] for end in ("-lo-95", "", "-hi-95"))
    assert (low <= point).all()
    assert (point <= high).all()
    assert (table["AutoForecaster-lo-95"] <= table["AutoForecaster-lo-80"]).all()


def test_it_foretells_a_plain_season() -> None:
    frame = monthly()
    past = frame[frame.ds < "2020-07-01"]
    model = rc.AutoForecaster(60, horizon=6, networks=2, training=SHORT).fit(past)
    found = model.predict(6).merge(frame, on=["unique_id", "ds"])
    assert len(found) == 18
    assert (found.AutoForecaster / found.y - 1).abs().mean() < 0.05


def test_the_same_seed_gives_the_same_forecast(fitted: rc.AutoForecaster) -> None:
    again = rc.AutoForecaster(ENOUGH, horizon=6, networks=5, training=SHORT).fit(monthly())
    pd.testing.assert_frame_equal(again.predict(6), fitted.predict(6), check_exact=True)
    timed = ["seconds"]
    pd.testing.assert_frame_equal(
        again.leaderboard_.table.drop(columns=timed), fitted.leaderboard_.table.drop(columns=timed)
    )


def test_a_saved_one_answers_the_same_to_the_bit(fitted: rc.AutoForecaster, tmp_path) -> None:
    fitted.save(tmp_path / "model.recurra")
    loaded = rc.load(tmp_path / "model.recurra")
    assert isinstance(loaded, rc.AutoForecaster)
    expected = fitted.predict(7, level=[90])
    pd.testing.assert_frame_equal(loaded.predict(7, level=[90]), expected, check_exact=True)
    pd.testing.assert_frame_equal(loaded.leaderboard_.table, fitted.leaderboard_.table)
    assert str(loaded.leaderboard_) == str(fitted.leaderboard_)
    assert loaded.get_params()["horizon"] == 6


def test_a_file_whose_parts_do_not_go_together_is_refused(fitted, tmp_path) -> None:
    from recurra.artifact import read_model, write_model

    path = tmp_path / "model.recurra"
    fitted.save(path)
    header, arrays = read_model(path)
    members = header["members"]
    network = next(i for i, each in enumerate(members) if each["model"] is not None)
    odd = [dict(each) for each in members]
    odd[network]["treatment"] = "sorcery"
    heavy = [{**each, "weight": 1.0} for each in members]
    no_model = [{"name": "Oracle", "treatment": None, "changes": {}, "model": None, "weight": 1.0}]
    row = header["leaderboard"]["rows"][0]
    board = {**header["leaderboard"], "rows": [{**row, "state": "glorious"}]}
    for header_of, arrays_of, said in (
        ({"leader": 99}, {}, "leader must be"),
        ({"members": odd}, {}, "treatment that this version does not know"),
        ({"members": heavy}, {}, "shares of 1"),
        ({"members": [*members, *no_model]}, {}, "'Oracle', which is no baseline"),
        ({"leaderboard": board}, {}, "glorious"),
        ({"reach": "far"}, {}, "reach"),
        ({}, {"target": arrays["target"][:-1]}, "as many rows"),
        ({}, {"offsets": arrays["offsets"].astype(float)}, "'offsets', numbers of type int64"),
        ({}, {"more": np.ones(1)}, "'more' that nothing needs"),
    ):
        write_model(path, {**header, **header_of}, {**arrays, **arrays_of})
        with pytest.raises(FileError, match=said):
            rc.load(path)


def test_cross_validation_sees_nothing_after_the_cutoff() -> None:
    frame = monthly(2)
    other = frame.copy()
    late = other.ds >= "2020-10-01"
    other.loc[late, "y"] = 1e6
    model = rc.AutoForecaster(60, networks=1, training=SHORT)
    found, spoiled = (model.cross_validation(each, 3, n_windows=1) for each in (frame, other))
    assert found.columns.tolist() == ["unique_id", "ds", "cutoff", "y", "AutoForecaster"]
    assert found.cutoff.unique().tolist() == [pd.Timestamp("2020-09-01")]
    assert (found.AutoForecaster == spoiled.AutoForecaster).all()
    assert not hasattr(model, "leaderboard_")


def test_several_origins_each_forecast_from_what_was_known_there() -> None:
    frame = monthly(2)
    model = rc.AutoForecaster(60, networks=1, training=SHORT)
    found = model.cross_validation(frame, 3, n_windows=3, level=[80])
    assert len(found) == 2 * 3 * 3
    assert (found["AutoForecaster-lo-80"] <= found.AutoForecaster).all()
    assert (found.AutoForecaster / found.y - 1).abs().mean() < 0.1


@pytest.mark.parametrize("limit", [3.0])
def test_a_single_long_training_keeps_to_the_time(limit: float) -> None:
    frame = monthly()
    training = rc.Training(steps=1_000_000, patience=None)
    begun = time.monotonic()
    model = rc.AutoForecaster(limit, horizon=6, training=training).fit(frame)
    assert time.monotonic() - begun < limit + 1.5
    networks = model.leaderboard_.table.query("model == 'LSTM'")
    assert (networks.state == "cut short").all()
    assert np.isfinite(model.predict(6).AutoForecaster).all()


def test_without_an_ensemble_the_best_model_answers() -> None:
    model = rc.AutoForecaster(60, horizon=6, networks=2, ensemble=False, training=SHORT)
    table = model.fit(monthly()).leaderboard_.table
    assert table.weight[0] == 1.0
    assert "ensemble" not in set(table.model)


def test_series_too_short_to_compare_on_are_told_and_forecast() -> None:
    frame = pd.concat([monthly(2), monthly(1).head(7).assign(unique_id="new")])
    model = rc.AutoForecaster(60, horizon=6, networks=1, training=SHORT).fit(frame)
    assert model.notes_[-1] == "1 series are too short to compare models on."
    assert (model.predict(2).unique_id == "new").sum() == 2


def test_holes_and_values_of_zero_are_no_trouble() -> None:
    frame = monthly(2)
    frame.loc[frame.index % 11 == 3, "y"] = np.nan
    frame.loc[frame.index % 17 == 5, "y"] = 0.0
    model = rc.AutoForecaster(60, horizon=4, networks=2, training=SHORT).fit(frame)
    assert np.isfinite(model.predict(4).AutoForecaster).all()
    told = set(model.leaderboard_.table.options)
    assert not any("log" in each for each in told)


def test_covariates_are_read_and_asked_for() -> None:
    frame = monthly(2).assign(price=1.0)
    model = rc.AutoForecaster(
        60, horizon=4, networks=1, training=SHORT, columns=rc.Columns(future=["price"])
    )
    model.fit(frame)
    with pytest.raises(DataError, match="price"):
        model.predict(2)
    coming = model._ensemble.lead.model._coming
    stamps = pd.date_range("2021-01-01", periods=2, freq="MS").tolist() * 2
    future = pd.DataFrame({"unique_id": ["s0", "s0", "s1", "s1"], "ds": stamps, "price": 2.0})
    assert coming(2, future).future["price"].tolist() == [2.0] * 4
    assert len(model.predict(2, future=future)) == 4


def test_a_constant_series_has_no_owa_but_an_rmse() -> None:
    frame = pd.DataFrame({"unique_id": "a", "ds": range(40), "y": 3.0})
    with pytest.raises(OptionError, match="metric='RMSE'"):
        rc.AutoForecaster(20, networks=1, training=SHORT).fit(frame)
    model = rc.AutoForecaster(20, networks=1, metric="RMSE", training=SHORT).fit(frame)
    assert model.predict(2).AutoForecaster.round(6).tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"time_limit": 0}, "time_limit=0, but it is a number of seconds above 0"),
        ({"time_limit": "long"}, "time_limit='long'"),
        ({"time_limit": float("nan")}, "time_limit=nan"),
        ({"metric": "owa"}, "metric='owa' is none. There are: 'OWA'"),
        ({"layers": "lstm"}, r"a list such as \['lstm', 'gru'\]"),
        ({"layers": []}, "a list such as"),
        ({"layers": ["ltsm"]}, "Did you mean 'lstm'"),
        ({"networks": 0}, "networks"),
        ({"horizon": 2.5}, "horizon"),
        ({"n_windows": 0}, "n_windows"),
        ({"ensemble": "yes"}, "True or False"),
        ({"training": 3}, "training=3"),
        ({"season_length": "week"}, "season_length"),
        ({"seed": -1}, "seed"),
    ],
)
def test_an_impossible_option_is_refused_with_advice(options: dict, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        rc.AutoForecaster(**options).fit(monthly(1))


def test_series_that_are_all_too_short_are_refused_with_advice() -> None:
    frame = pd.DataFrame({"unique_id": "a", "ds": range(5), "y": [1.0, 2, 1, 2, 3]})
    with pytest.raises(DataError, match="Use a smaller horizon or fewer n_windows"):
        rc.AutoForecaster(20, n_windows=3).fit(frame)


def test_before_fit_nothing_is_forecast_or_saved(tmp_path) -> None:
    with pytest.raises(NotFittedError, match="fit"):
        rc.AutoForecaster().predict(3)
    with pytest.raises(NotFittedError, match="fit"):
        rc.AutoForecaster().save(tmp_path / "x.recurra")


def test_scripts_are_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    rc.AutoForecaster(20, horizon=4, networks=1, training=SHORT).fit(monthly(1))
    assert capfd.readouterr() == ("", "")


def test_a_picture_shows_each_model(fitted: rc.AutoForecaster) -> None:
    pytest.importorskip("matplotlib")
    (axes,) = fitted.leaderboard_.plot().axes
    assert len(axes.get_yticks()) == len(fitted.leaderboard_.table)


def test_networks_that_are_averaged_have_learned_from_everything(
    fitted: rc.AutoForecaster,
) -> None:
    for each in fitted._ensemble.members:
        if isinstance(each, NetworkMember):
            assert (
                each.model._state.tail.last_times.tolist() == [pd.Timestamp("2020-12-01").value] * 3
            )
