"""Known data, known numbers: what metrics and baselines must reproduce before any model is judged.

M4: the organisers' table of scores by frequency. M3: the table of Makridakis and Hibon (2000).
ETTh1: Zeng et al. (2023), arXiv:2205.13504, row Repeat. The rest was computed elsewhere.
"""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recurra import metrics
from recurra.estimators.forecasting.baselines import Naive, Naive2, SeasonalNaive
from recurra.evaluation import compare

pytestmark = pytest.mark.data

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "../shared/data"))


def path_of(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not in {DATA}: set RECURRA_DATA to the folder of the data sets")
    return path


def read_m4(path):
    """Series of one file of M4: a row each, padded with blanks on the right."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as lines:
        rows = csv.reader(lines)
        next(rows)
        return {row[0]: np.array([float(cell) for cell in row[1:] if cell]) for row in rows}


@pytest.fixture(scope="module")
def m4():
    return {
        "hourly": (
            read_m4(path_of("fc_m4_hourly/Hourly-train.csv")),
            read_m4(path_of("fc_m4_hourly/Hourly-test.csv")),
        ),
        "weekly": (
            read_m4(path_of("fc_m4_weekly/Weekly-train.csv.gz")),
            read_m4(path_of("fc_m4_weekly/Weekly-test.csv")),
        ),
    }


@pytest.fixture(scope="module")
def m3():
    """Train and test of every series, by period."""
    train = pd.read_csv(path_of("fc_m3/train.csv"))
    test = pd.read_csv(path_of("fc_m3/test.csv")).set_index("id")["xx"]
    by_period = {}
    for row in train.itertuples():
        pair = (np.array(row.x.split(), float), np.array(test[row.id].split(), float))
        by_period.setdefault(row.period, []).append(pair)
    return by_period


def mean_scores(pairs, model, season_length):
    """Mean sMAPE and MASE over series, as the competitions count."""
    smapes, mases = [], []
    for train, test in pairs:
        foretold = model.forecast(train, len(test))
        smapes.append(metrics.smape(test, foretold))
        mases.append(metrics.mase(test, foretold, train, season_length))
    return np.mean(smapes), np.mean(mases)


@pytest.mark.parametrize(
    ("frequency", "model", "season_length", "smape", "mase"),
    [
        ("hourly", SeasonalNaive(24), 24, 13.912, 1.193),
        ("hourly", Naive2(24), 24, 18.383, 2.395),
        ("hourly", Naive(), 24, 43.003, 11.608),
        ("weekly", SeasonalNaive(1), 1, 9.161, 2.777),
        ("weekly", Naive2(1), 1, 9.161, 2.777),
        ("weekly", Naive(), 1, 9.161, 2.777),
    ],
)
def test_m4_scores_are_those_of_the_official_table(
    m4, frequency, model, season_length, smape, mase
):
    train, test = m4[frequency]
    pairs = [(train[name], test[name]) for name in train]
    assert len(pairs) == {"hourly": 414, "weekly": 359}[frequency]
    assert mean_scores(pairs, model, season_length) == pytest.approx((smape, mase), abs=5e-4)


def test_owa_of_seasonal_naive_on_m4_hourly_is_the_official_one(m4):
    train, test = m4["hourly"]
    pairs = [(train[name], test[name]) for name in train]
    ours = mean_scores(pairs, SeasonalNaive(24), 24)
    assert metrics.owa(*ours, *mean_scores(pairs, Naive2(24), 24)) == pytest.approx(
        0.6275, abs=1e-4
    )


def test_a_comparison_of_m4_hourly_has_the_official_row_of_seasonal_naive(m4):
    """The way through frames: 60 of the series with 24 hours' season, against the plain loop."""
    train, test = ({name: part[name] for name in list(part)[:60]} for part in m4["hourly"])
    past = long_frame(train, start=dict.fromkeys(train, 0))
    start = {name: len(values) for name, values in train.items()}
    frame = long_frame(test, start)
    frame["cutoff"] = frame["unique_id"].map(start) - 1
    frame["Zero"] = 0.0
    table = compare(frame, past, season_length=24).table
    expected = mean_scores([(train[n], test[n]) for n in train], SeasonalNaive(24), 24)
    assert table.loc["SeasonalNaive", ["sMAPE", "MASE"]].tolist() == pytest.approx(expected)
    assert table.loc["Zero", "sMAPE"] == 200


def long_frame(series, start):
    sizes = [len(values) for values in series.values()]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(list(series), sizes),
            "ds": np.concatenate([np.arange(len(v)) + start[n] for n, v in series.items()]),
            "y": np.concatenate(list(series.values())),
        }
    )


@pytest.mark.parametrize(
    ("period", "season_length", "smape", "mase"),
    [
        ("YEARLY", 1, 17.88, 3.172),
        ("QUARTERLY", 4, 11.07, 1.425),
        ("MONTHLY", 12, 17.23, 1.146),
        ("OTHER", 1, 6.30, 3.089),
    ],
)
def test_m3_seasonal_naive_scores_are_those_computed_elsewhere(
    m3, period, season_length, smape, mase
):
    scores = mean_scores(m3[period], SeasonalNaive(season_length), season_length)
    assert scores[0] == pytest.approx(smape, abs=5e-3)
    assert scores[1] == pytest.approx(mase, abs=5e-4)


@pytest.mark.parametrize(("period", "smape"), [("YEARLY", 17.88), ("OTHER", 6.30)])
def test_m3_naive2_without_seasons_scores_as_submitted(m3, period, smape):
    """The submitted seasonal ones rest on another seasonality test, and cannot be reproduced."""
    assert mean_scores(m3[period], Naive2(1), 1)[0] == pytest.approx(smape, abs=5e-3)


@pytest.mark.parametrize(
    ("h", "repeat", "seasonal"),
    [(24, 1.222, 0.424), (96, 1.294, 0.512), (720, 1.335, 0.655)],
)
def test_etth1_errors_are_those_of_the_long_term_forecasting_protocol(h, repeat, seasonal):
    """Every window of the test months, all 7 columns, in units of the training deviation."""
    values = pd.read_csv(path_of("fc_etth1/ETTh1.csv")).iloc[:, 1:].to_numpy()
    train, end = values[: 12 * 720], 20 * 720
    scaled = (values - train.mean(axis=0)) / train.std(axis=0)
    windows = np.lib.stride_tricks.sliding_window_view(scaled[16 * 720 : end], h, axis=0)
    origins = np.arange(len(windows)) + 16 * 720 - 1
    last = np.broadcast_to(scaled[origins][:, :, None], windows.shape)
    day = np.stack([scaled[origins - 23 + k % 24] for k in range(h)], axis=2)
    assert metrics.mse(windows, last) == pytest.approx(repeat, abs=6e-4)
    assert metrics.mse(windows, day) == pytest.approx(seasonal, abs=6e-4)


@pytest.mark.parametrize(("model", "rmse"), [(Naive(), 48.04), (SeasonalNaive(12), 41.85)])
def test_airline_one_step_errors_are_those_of_the_last_third(model, rmse):
    """Passengers a month, 1949 to 1960; trained on the first 67 %, one month ahead."""
    y = pd.read_csv(path_of("fc_classic/Airline.csv"))["Passengers"].to_numpy(float)
    origins = range(int(len(y) * 0.67), len(y))
    foretold = [model.forecast(y[:t], 1)[0] for t in origins]
    assert metrics.rmse(y[origins], foretold) == pytest.approx(rmse, abs=5e-3)
