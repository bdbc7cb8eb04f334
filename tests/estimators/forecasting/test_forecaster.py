"""The forecaster's contract: what goes in, what comes out, and what it does not touch."""

import subprocess
import sys
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

import recurra
from recurra import Columns, Forecaster, Training
from recurra.kernels import backend
from recurra.models import LocalFeatures
from recurra.testing import BACKENDS

ALIASES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN", "jordan": "Jordan"}


@pytest.fixture(scope="module")
def forecast(fitted):
    return fitted.predict(h=7, level=[95, 50, 80])


# ---------------------------------------------------------------------- the table that comes back


def test_the_columns_are_named_as_nixtla_names_them(forecast):
    assert list(forecast.columns) == [
        "unique_id",
        "ds",
        "LSTM",
        "LSTM-lo-50",
        "LSTM-hi-50",
        "LSTM-lo-80",
        "LSTM-hi-80",
        "LSTM-lo-95",
        "LSTM-hi-95",
    ]


def test_there_is_a_row_for_every_series_and_step_in_the_order_of_the_data(forecast):
    assert forecast.unique_id.tolist() == [f"s{k}" for k in range(4) for _ in range(7)]
    assert forecast.ds.tolist() == [60 + 5 * k + step for k in range(4) for step in range(7)]
    assert forecast.index.tolist() == list(range(28))


def test_intervals_are_nested_and_contain_the_point(forecast):
    columns = ["LSTM-lo-95", "LSTM-lo-80", "LSTM-lo-50", "LSTM", "LSTM-hi-50", "LSTM-hi-80"]
    for low, high in zip(columns, [*columns[1:], "LSTM-hi-95"], strict=True):
        assert (forecast[low] <= forecast[high]).all(), (low, high)


def test_nothing_in_a_forecast_is_missing_although_the_series_have_holes(forecast):
    assert np.isfinite(forecast.drop(columns=["unique_id"]).to_numpy(float)).all()


@pytest.mark.parametrize("level", [90, 97.5, [90], np.array([80.0]), (60, 60)])
def test_levels_may_be_one_or_many(fitted, level):
    names = [f"LSTM-lo-{one:g}" for one in sorted(set(np.atleast_1d(level).tolist()))]
    found = fitted.predict(h=1, level=level).columns
    assert [name for name in found if "-lo-" in name] == names


@pytest.mark.parametrize("h", [1, 3, 100, np.int64(4)])
def test_the_horizon_is_free_at_predict_time(fitted, h):
    found = fitted.predict(h=h)
    assert len(found) == 4 * h
    assert found.LSTM.notna().all()


def test_a_longer_forecast_begins_with_the_shorter(fitted):
    short, long = fitted.predict(h=3), fitted.predict(h=9)
    begins = long.groupby("unique_id").head(3).LSTM.to_numpy()
    np.testing.assert_array_equal(begins, short.LSTM.to_numpy())


def test_asking_for_intervals_does_not_move_the_point(fitted, forecast):
    np.testing.assert_array_equal(fitted.predict(h=7).LSTM, forecast.LSTM)


def test_asking_again_gives_the_same_bits(fitted, forecast):
    pd.testing.assert_frame_equal(
        fitted.predict(h=7, level=[50, 80, 95]), forecast, check_exact=True
    )


def test_wider_levels_can_be_asked_for_later(fitted, forecast):
    np.testing.assert_array_equal(
        fitted.predict(h=7, level=80)["LSTM-lo-80"], forecast["LSTM-lo-80"]
    )


@pytest.mark.parametrize("layer", ALIASES)
def test_every_layer_fits_and_names_its_column(layer, small, walks):
    model = small(layer=layer, num_layers=2, dropout=0.1).fit(walks(2))
    found = model.predict(h=2, level=[80])
    assert list(found.columns[2:]) == [
        ALIASES[layer],
        f"{ALIASES[layer]}-lo-80",
        f"{ALIASES[layer]}-hi-80",
    ]
    assert np.isfinite(found.iloc[:, 2:].to_numpy()).all()


def test_names_are_configurable(small, walks):
    frame = walks(2).rename(columns={"unique_id": "shop", "ds": "day", "y": "sold"})
    model = small(columns=Columns(id="shop", time="day", target="sold")).fit(frame)
    assert list(model.predict(h=1).columns) == ["shop", "day", "LSTM"]
    assert list(model.simulate(h=1, n=2).columns) == ["shop", "day", "sample", "LSTM"]
    found = model.cross_validation(frame, h=2)
    assert list(found.columns) == ["shop", "day", "cutoff", "sold", "LSTM"]
    np.testing.assert_array_equal(model.predict(h=2).LSTM, small().fit(walks(2)).predict(h=2).LSTM)


def test_the_order_of_columns_and_further_columns_change_nothing(small, walks):
    frame = walks(2)
    other = frame.assign(more="x")[["more", "y", "ds", "unique_id"]]
    np.testing.assert_array_equal(
        small().fit(frame).predict(h=3).LSTM, small().fit(other).predict(h=3).LSTM
    )


def test_identifiers_may_be_numbers(small, walks):
    frame = walks(2)
    frame["unique_id"] = frame.unique_id.str[1:].astype(int) + 7
    assert small().fit(frame).predict(h=1).unique_id.tolist() == [7, 8]


# ---------------------------------------------------------------------- simulated paths


def test_simulated_paths_have_a_row_for_every_series_step_and_sample(fitted):
    paths = fitted.simulate(h=3, n=5)
    assert list(paths.columns) == ["unique_id", "ds", "sample", "LSTM"]
    assert len(paths) == 4 * 3 * 5
    for name, part in paths.groupby("unique_id"):
        assert sorted(part["sample"].unique()) == list(range(5)), name
        assert (part.groupby("sample").ds.apply(list).apply(lambda ds: ds == sorted(ds))).all()
        assert (part.groupby("ds")["sample"].nunique() == 5).all()


def test_the_rows_of_one_sample_form_one_path(small, series):
    """On a random walk steps of a path stay together; shuffled samples would not."""
    values = np.random.default_rng(0).normal(size=200).cumsum()
    model = small(steps=60).fit(series("a", values))
    wide = model.simulate(h=10, n=200).pivot(index="sample", columns="ds", values="LSTM")
    assert np.corrcoef(wide.iloc[:, -2], wide.iloc[:, -1])[0, 1] > 0.7


def test_the_point_forecast_lies_amid_the_simulated_values(fitted):
    point = fitted.predict(h=1).set_index("unique_id").LSTM
    drawn = fitted.simulate(h=1, n=400)
    below = drawn.LSTM.lt(drawn.unique_id.map(point)).groupby(drawn.unique_id).mean()
    assert below.between(0.42, 0.58).all()


def test_simulated_values_depend_on_their_seed_alone(fitted):
    one, again, other = (fitted.simulate(h=3, n=5, seed=seed).LSTM for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(
        fitted.simulate(h=3, n=5).LSTM, fitted.simulate(h=3, n=5, seed=fitted.seed).LSTM
    )


def test_more_series_than_are_rolled_out_at_a_time_are_all_simulated(fitted, monkeypatch):
    module = sys.modules[type(fitted._engine).__module__]
    whole = fitted.simulate(h=3, n=50)
    monkeypatch.setattr(module, "ROWS", 100)  # two series at a time
    parts = fitted.simulate(h=3, n=50)
    assert len(parts) == len(whole)
    assert np.isfinite(parts.LSTM).all()
    first = parts.unique_id.isin(["s0"])
    spread = parts.groupby("unique_id").LSTM.std()
    assert (spread > 0).all()
    assert first.sum() == 150


# ---------------------------------------------------------------------- scikit-learn's habits


def test_parameters_are_got_set_and_cloned(small):
    model = small(layer="gru", seed=3, season_length=[7, 14])
    again = clone(model)
    assert again is not model
    assert again.get_params() == model.get_params()
    assert model.set_params(layer="rnn", hidden_size=4).layer == "rnn"
    assert again.layer == "gru"
    assert set(model.get_params()) >= {"layer", "hidden_size", "training", "columns", "seed"}


def test_a_clone_is_not_fitted(fitted):
    with pytest.raises(recurra.errors.NotFittedError):
        clone(fitted).predict(h=1)


def test_an_unknown_parameter_is_refused(small):
    with pytest.raises(ValueError, match="Invalid parameter 'layers'"):
        small().set_params(layers=2)
    with pytest.raises(TypeError, match="layers"):
        Forecaster(layers=2)


def test_the_constructor_stores_and_fit_checks(walks):
    model = Forecaster(layer="lstmm", hidden_size=-1, training="fast")
    assert (model.layer, model.hidden_size, model.training) == ("lstmm", -1, "fast")
    with pytest.raises(recurra.errors.OptionError, match="layer='lstmm'"):
        model.fit(walks(1))


def test_the_repr_shows_what_is_not_as_usual():
    assert repr(Forecaster()) == "Forecaster()"
    assert repr(Forecaster("gru", seed=1)) == "Forecaster(layer='gru', seed=1)"


def test_fit_leaves_the_parameters_as_they_were(small, walks):
    model = small()
    before = deepcopy(model.get_params())
    assert model.fit(walks(2)) is model
    assert model.get_params() == before


def test_fit_leaves_the_frame_as_it_was(small, walks):
    frame = walks(2)
    before = frame.copy()
    small().fit(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_what_was_learned_ends_in_an_underscore(fitted):
    assert fitted.season_lengths_ == ()
    assert isinstance(fitted.notes_, tuple)
    assert len(fitted.log_.loss) == 25
    assert isinstance(fitted.network_, torch.nn.Module)
    assert not fitted.network_.training


def test_fitting_again_forgets_the_first_time(small, walks):
    twice = small().fit(walks(3, seed=5))
    twice.predict(h=2, level=[80])
    twice.fit(walks(2))
    once = small().fit(walks(2))
    pd.testing.assert_frame_equal(
        twice.predict(h=3, level=[80]), once.predict(h=3, level=[80]), check_exact=True
    )


# ---------------------------------------------------------------------- chance


def test_the_same_seed_gives_the_same_bits(small, walks, forecast):
    again = small().fit(walks()).predict(h=7, level=[50, 80, 95])
    pd.testing.assert_frame_equal(again, forecast, check_exact=True)


def test_another_seed_gives_another_forecast(small, walks, forecast):
    other = small(seed=1).fit(walks()).predict(h=7, level=[50, 80, 95])
    assert not np.array_equal(other.LSTM, forecast.LSTM)


def test_fit_and_predict_leave_the_global_sources_of_chance_alone(small, walks):
    ours, numpys = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    small(dropout=0.3).fit(walks(2)).simulate(h=2)
    assert torch.equal(torch.get_rng_state(), ours)
    np.testing.assert_array_equal(np.random.get_state()[1], numpys)  # noqa: NPY002


def test_the_state_of_the_global_source_does_not_matter(small, walks, forecast):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1234)
        other = small().fit(walks()).predict(h=7)
    np.testing.assert_array_equal(other.LSTM, forecast.LSTM)


SCRIPT = """
import sys
import numpy as np, pandas as pd, torch
from recurra import Forecaster, Training
torch.set_num_threads(int(sys.argv[1]))
values = np.random.default_rng(0).normal(size=(3, 50)).cumsum(1)
frame = pd.DataFrame({"unique_id": np.repeat(list("abc"), 50), "ds": [*range(50)] * 3,
                      "y": values.ravel()})
training = Training(steps=8, batch_size=16, progress=False)
found = Forecaster(hidden_size=8, training=training).fit(frame).predict(h=3, level=[80])
print([value.hex() for value in found.iloc[:, 2:].to_numpy().ravel().tolist()])
"""


def test_two_processes_give_the_same_bits_whatever_their_number_of_threads():
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    runs = [
        subprocess.Popen([*command, threads], stdout=subprocess.PIPE, text=True)
        for threads in ("1", "2")
    ]
    first, second = (run.communicate(timeout=200)[0] for run in runs)
    assert first.count("0x1") == 27
    assert first == second


# ---------------------------------------------------------------------- quiet


def test_nothing_is_printed_or_written(small, walks, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small(training={"progress": None}).fit(walks(2)).predict(h=2, level=[80])
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- what it says


def test_a_missing_row_and_an_unobserved_value_are_the_same(small, walks):
    frame = walks(2)
    gone = frame[frame.y.notna()]
    assert len(gone) < len(frame)
    with pytest.warns(recurra.errors.DataWarning, match="5 stamps were missing"):
        model = small().fit(gone)
    pd.testing.assert_frame_equal(
        model.predict(h=3, level=[80]),
        small().fit(frame).predict(h=3, level=[80]),
        check_exact=True,
    )


def test_rows_before_the_first_value_change_nothing(small, walks, series):
    blank = series("s0", np.full(9, np.nan), range(-9, 0))
    frame = pd.concat([blank, walks(2)], ignore_index=True)
    np.testing.assert_array_equal(
        small().fit(frame).predict(h=3).LSTM, small().fit(walks(2)).predict(h=3).LSTM
    )


def test_a_series_may_end_with_unobserved_steps(small, walks):
    frame = walks(2)
    frame.loc[frame.ds >= 57, "y"] = np.nan
    found = small().fit(frame).predict(h=3, level=[80])
    assert np.isfinite(found.iloc[:, 2:].to_numpy()).all()


def test_a_constant_series_goes_on(small, series):
    frame = pd.concat([series("five", [5.0] * 60), series("zero", [0.0] * 60)])
    found = small(steps=50).fit(frame).predict(h=10, level=[80])
    expected = np.repeat([5.0, 0.0], 10)
    np.testing.assert_allclose(found.LSTM, expected, atol=0.01)
    np.testing.assert_allclose(found["LSTM-lo-80"], expected, atol=0.1)
    np.testing.assert_allclose(found["LSTM-hi-80"], expected, atol=0.1)


def test_only_the_newest_value_matters_on_a_random_walk(small, series, monkeypatch):
    """Moving the newest value by d moves every step of the forecast by about d."""
    random = np.random.default_rng(0)
    frame = pd.concat([series(k, random.normal(size=80).cumsum()) for k in range(8)])
    model = small(steps=80).fit(frame)
    d = 3.0
    ends = pd.DataFrame({"unique_id": range(8), "ds": 80})
    newest = frame.groupby("unique_id").y.last().to_numpy()

    def shift(h=8):
        near, far = (
            deepcopy(model).update(ends.assign(y=newest + move)).predict(h=h).LSTM.to_numpy()
            for move in (0.0, d)
        )
        return (far - near).reshape(8, h)

    assert np.abs(np.median(shift(), axis=0) - d).max() < 0.35 * d

    now = LocalFeatures.now
    monkeypatch.setattr(
        LocalFeatures,
        "now",
        lambda self, history: now(
            self, history._replace(pace=history.pace._replace(anchor=history.recent[:, -2]))
        ),
    )
    assert np.abs(np.median(shift(), axis=0) - d)[0] > 0.6 * d  # one step late


def recurrence(first, second, steps):
    values = [first, second]
    while len(values) < steps:
        values.append(1.8 * values[-1] - 0.9 * values[-2])
    return np.array(values)


def test_an_oscillation_is_continued_step_by_step(small, series, monkeypatch):
    """The forecast applies y = 1.8 y' - 0.9 y'' again and again; a late decoder does not."""
    random = np.random.default_rng(0)
    starts = random.normal(size=(12, 2))
    whole = np.array([recurrence(*start, 46) for start in starts])
    frame = pd.concat([series(k, values[:40]) for k, values in enumerate(whole)])
    model = small(steps=400, season_length=1, training={"patience": None}).fit(frame)
    size = np.abs(whole[:, 34:]).max(1, keepdims=True)

    def miss():
        found = model.predict(h=6).LSTM.to_numpy().reshape(12, 6)
        return float(np.median(np.abs(found - whole[:, 40:]) / size))

    in_time = miss()
    now = LocalFeatures.now

    def late(self, history):
        recent = torch.cat([history.recent[:, :1], history.recent[:, :-1]], 1)
        pace = history.pace._replace(anchor=recent[:, -1])
        return now(self, history._replace(recent=recent, pace=pace))

    monkeypatch.setattr(LocalFeatures, "now", late)
    assert in_time < 0.1
    assert miss() > 3 * in_time


@pytest.mark.parametrize(("stretch", "shift"), [(4.0, 0.0), (0.125, 0.0), (3.0, 0.0)])
def test_another_unit_changes_the_unit_of_the_forecast_alone(small, walks, stretch, shift):
    frame = walks()
    one = small().fit(frame).predict(h=5, level=[80])
    other = small().fit(frame.assign(y=stretch * frame.y)).predict(h=5, level=[80])
    np.testing.assert_allclose(
        other.iloc[:, 2:].to_numpy(), stretch * one.iloc[:, 2:].to_numpy(), rtol=1e-3, atol=1e-3
    )


def test_another_level_changes_the_level_of_the_forecast_alone(small, walks):
    frame = walks(holes=False)
    one = small().fit(frame).predict(h=5)
    other = small().fit(frame.assign(y=frame.y + 5)).predict(h=5)
    np.testing.assert_allclose(other.LSTM - 5, one.LSTM, atol=0.1)


def test_forecasts_of_a_series_do_not_depend_on_its_neighbours(fitted, walks, reading):
    frame = walks()
    whole = fitted.predict(h=4).set_index("unique_id").LSTM
    alone = reading(fitted, frame[frame.unique_id == "s2"]).predict(h=4)
    np.testing.assert_allclose(alone.LSTM, whole["s2"], rtol=1e-6)


# ---------------------------------------------------------------------- seasons


def test_the_season_of_the_clock_is_used(small, series):
    days = pd.date_range("2024-01-01", periods=70)
    model = small().fit(series("a", np.tile([0.0, 1, 2, 3, 4, 9, 9], 10), days))
    assert model.season_lengths_ == (7,)


def test_the_season_is_found_where_the_clock_tells_none(small, series):
    random = np.random.default_rng(0)
    season = np.tile([0.0, 5, 1, 7, 2], 24)
    frame = pd.concat([series(k, season + 0.3 * random.normal(size=120)) for k in range(4)])
    model = small(steps=150).fit(frame)
    assert model.season_lengths_ == (5,)
    found = model.predict(h=10).LSTM.to_numpy().reshape(4, 10)
    np.testing.assert_allclose(found, np.tile([0.0, 5, 1, 7, 2], (4, 2)), atol=1.2)


@pytest.mark.parametrize(
    ("given", "used"),
    [(6, (6,)), ([12, 4], (4, 12)), (1, ()), (np.array([3, 9]), (3, 9))],
)
def test_given_seasons_are_used(small, walks, given, used):
    assert small(season_length=given).fit(walks(2)).season_lengths_ == used


def test_a_season_may_be_given_as_a_numpy_integer(small, walks):
    assert small(season_length=np.int64(6)).fit(walks(2)).season_lengths_ == (6,)


def test_a_season_longer_than_half_the_series_is_not_taken_from_the_clock(small, series):
    hours = pd.date_range("2024-01-01", periods=60, freq="h")
    model = small().fit(series("a", np.random.default_rng(0).normal(size=60), hours))
    assert model.season_lengths_ == (24,)  # not 168


# ---------------------------------------------------------------------- counts


@pytest.fixture(scope="module")
def counting(small, series):
    random = np.random.default_rng(0)
    parts = [series(k, random.poisson(rate, 80)) for k, rate in enumerate([3, 8, 20])]
    return small(steps=120, distribution="negative_binomial").fit(pd.concat(parts))


def test_simulated_counts_are_whole_and_not_negative(counting):
    drawn = counting.simulate(h=5, n=200).LSTM
    assert (drawn >= 0).all()
    assert (drawn == drawn.round()).all()


def test_forecast_counts_have_the_right_mean_and_no_negative_bound(counting):
    found = counting.predict(h=5, level=[95])
    assert (found["LSTM-lo-95"] >= 0).all()
    means = found.groupby("unique_id").LSTM.mean()
    np.testing.assert_allclose(means, [3, 8, 20], rtol=0.5)


def test_intervals_of_rare_counts_are_no_wider_than_what_was_ever_seen(small, series):
    """Where half of a sampled interval has no width, a miss must not blow up all others."""
    random = np.random.default_rng(0)
    frame = pd.concat([series(k, random.poisson([0.05, 5][k % 2], 80)) for k in range(10)])
    model = small(steps=60, distribution="negative_binomial").fit(frame)
    found = model.predict(h=3, level=[50, 80, 95]).iloc[:, 2:].to_numpy()
    assert np.isfinite(found).all()
    assert found.max() < 1000


def test_intervals_of_a_series_that_starts_to_move_are_finite(small, series):
    frame = pd.concat([series("quiet", [2.0] * 60), series("moving", [2.0] * 50 + [3.0, 1.0] * 5)])
    found = small().fit(frame).predict(h=3, level=[80, 95]).iloc[:, 2:].to_numpy()
    assert np.abs(found).max() < 1000


# ---------------------------------------------------------------------- cross-validation


def test_cross_validation_has_a_row_for_every_series_cutoff_and_step(small, walks):
    frame = walks(2, holes=False)
    found = small().cross_validation(frame, h=3, n_windows=2, level=[80])
    assert list(found.columns) == [
        "unique_id",
        "ds",
        "cutoff",
        "y",
        "LSTM",
        "LSTM-lo-80",
        "LSTM-hi-80",
    ]
    assert found.cutoff.tolist() == [53] * 3 + [56] * 3 + [58] * 3 + [61] * 3
    assert (found.ds - found.cutoff).tolist() == [1, 2, 3] * 4
    joined = found.merge(frame, on=["unique_id", "ds"])
    np.testing.assert_array_equal(joined.y_x, joined.y_y)


@pytest.mark.parametrize("refit", [True, False])
def test_what_comes_after_a_cutoff_changes_no_forecast_of_it(small, walks, refit):
    frame = walks(2, holes=False)
    given = {"h": 4, "n_windows": 3, "step_size": 2, "level": [80], "refit": refit}
    found = small(steps=10).cross_validation(frame, **given)
    for back in (8, 6, 4):
        length = frame.groupby("unique_id").ds.transform("size")
        later = frame.ds >= length - back
        changed = frame.assign(y=frame.y.where(~later, 1e4 * frame.y + 7))
        other = small(steps=10).cross_validation(changed, **given)
        known = found.cutoff < found.unique_id.map({"s0": 60, "s1": 65}) - back
        assert known.sum() in (8, 16, 24)
        for name in ("LSTM", "LSTM-lo-80", "LSTM-hi-80"):
            np.testing.assert_array_equal(other[name][known], found[name][known])
        if back > 4:
            assert not np.array_equal(other.LSTM[~known], found.LSTM[~known])


def test_with_refit_each_window_equals_fit_and_predict_on_what_was_known(small, walks):
    frame = walks(2)
    found = small().cross_validation(frame, h=4, n_windows=2, level=[80], refit=True)
    length = frame.groupby("unique_id").ds.transform("size")
    for window, back in enumerate((8, 4)):
        known = frame[frame.ds < length - back]
        alone = small(horizon=4).fit(known).predict(h=4, level=[80])
        part = found.groupby("unique_id").nth(range(4 * window, 4 * window + 4))
        for name in ("LSTM", "LSTM-lo-80", "LSTM-hi-80"):
            np.testing.assert_array_equal(part[name], alone[name])


def test_without_refit_the_network_of_the_first_window_reads_on(small, walks, reading):
    frame = walks(2)
    found = small().cross_validation(frame, h=4, n_windows=2)
    length = frame.groupby("unique_id").ds.transform("size")
    model = small(horizon=4).fit(frame[frame.ds < length - 8])
    second = reading(model, frame[frame.ds < length - 4]).predict(h=4)
    part = found.groupby("unique_id").nth(range(4, 8))
    np.testing.assert_allclose(part.LSTM, second.LSTM, rtol=1e-6)


def test_cross_validation_leaves_the_model_as_it_was(fitted, walks):
    model = deepcopy(fitted)
    before = model.predict(h=3)
    model.cross_validation(walks(2), h=2)
    pd.testing.assert_frame_equal(model.predict(h=3), before, check_exact=True)


def test_a_model_need_not_be_fitted_for_cross_validation(small, walks):
    model = small()
    model.cross_validation(walks(2), h=2)
    with pytest.raises(recurra.errors.NotFittedError):
        model.predict(h=1)


def test_a_series_that_begins_after_the_first_cutoff_is_named(small, walks):
    frame = walks(2, holes=False)
    frame.loc[(frame.unique_id == "s1") & (frame.ds < 60), "y"] = np.nan
    with pytest.raises(recurra.errors.DataError, match="'s1'"):
        small().cross_validation(frame, h=4, n_windows=2)


# ---------------------------------------------------------------------- defaults


def test_options_reach_the_network(small, walks):
    model = small(layer="gru", hidden_size=5, num_layers=2).fit(walks(1))
    assert (model.network_.layer.hidden_size, model.network_.layer.num_layers) == (5, 2)
    assert type(model.network_.layer) is recurra.layers.GRU
    assert len(model.log_.loss) == model.training.steps


@pytest.mark.parametrize(
    ("number", "given", "used"), [(59, None, 0.2), (60, None, 0.0), (59, 0.0, 0.0), (60, 0.1, 0.1)]
)
def test_few_series_are_trained_with_dropout_unless_it_is_given(small, walks, number, given, used):
    frame = pd.concat([walks(1, steps=16, holes=False).assign(unique_id=k) for k in range(number)])
    assert small(steps=1, dropout=given).fit(frame).network_.dropout.p == used


def test_the_context_is_the_length_of_a_training_window(small, walks, monkeypatch):
    seen = set()
    from recurra.models import ForecastNetwork

    learn = ForecastNetwork.loss_and_gradients

    def spy(self, batch, state=None):
        seen.add(tuple(batch.target.shape))
        return learn(self, batch, state)

    monkeypatch.setattr(ForecastNetwork, "loss_and_gradients", spy)
    small(context=13).fit(walks(2))
    assert seen == {(16, 13)}


def test_truncated_training_of_a_forecaster_learns(small, walks):
    model = small(steps=60, training={"truncation": 8, "patience": None}).fit(walks())
    assert np.mean(model.log_.loss[-10:]) < np.mean(model.log_.loss[:10])


def test_training_stops_on_the_held_back_ends(small, walks):
    model = small(steps=500, training={"check_every": 5, "patience": 2}).fit(walks())
    assert len(model.log_.loss) < 500
    steps, losses = zip(*model.log_.validation, strict=True)
    assert model.log_.best_step == steps[int(np.argmin(losses))]


def test_ends_held_back_that_were_never_observed_do_not_stop_the_training(small, series):
    values = np.random.default_rng(0).normal(size=60).cumsum()
    values[40:] = np.nan
    frame = pd.concat([series("a", values), series("b", values[::1] * 2)])
    model = small(steps=100, training={"check_every": 5, "patience": 2}).fit(frame)
    assert len(model.log_.loss) == 100


def test_the_default_training_is_shared_and_cannot_be_changed():
    assert Forecaster().training is Forecaster().training
    assert isinstance(Forecaster().training, Training)


# ---------------------------------------------------------------------- whatever computes it


@pytest.mark.parametrize("layer", ["lstm", "gru", "rnn"])
def test_each_backend_forecasts_the_same(small, walks, reading, layer):
    frame, fitted, read = walks(), {}, {}
    for name in BACKENDS[:2]:
        with backend(name):
            model = small(layer=layer, seed=0).fit(frame)
            fitted[name] = model.predict(7, level=80).iloc[:, 2:].to_numpy()
    for name in BACKENDS[:2]:
        with backend(name):
            read[name] = reading(model, frame).predict(7, level=80).iloc[:, 2:].to_numpy()
    scale = np.abs(fitted[BACKENDS[0]]).max()
    for found in (fitted, read):
        np.testing.assert_allclose(*found.values(), rtol=0, atol=1e-6 * scale)


# ------------------------------------------------------------------------- who looks on


def test_a_callback_sees_each_step_and_may_end_the_training():
    frame = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": [0.0, 1.0, 2.0, 3.0] * 15})
    model = Forecaster(hidden_size=4, training=Training(steps=9, progress=False))
    seen = []

    def third(moment):
        seen.append(moment.step)
        return moment.step == 3

    model.fit(frame, callbacks=[third])
    assert seen == [1, 2, 3]
    assert len(model.log_.loss) == 3
    model.cross_validation(frame, h=4, n_windows=2, callbacks=[third])
    assert seen == [1, 2, 3, 1, 2, 3], "one training, before the first origin"
