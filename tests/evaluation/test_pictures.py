"""Pictures say what is in the tables, and nothing else."""

from __future__ import annotations

import datetime
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from recurra.data import Columns
from recurra.errors import DataError, OptionError
from recurra.evaluation import plot_forecast

pytest.importorskip("matplotlib")

STAMPS = {
    "integer": list(range(44)),
    "date": [datetime.date(2024, 1, 1) + datetime.timedelta(days) for days in range(44)],
    "timestamp": list(pd.date_range("2024-01-01", periods=44, freq="h")),
    "zoned": list(pd.date_range("2024-03-30", periods=44, freq="h", tz="Europe/Berlin")),
}


def tables(kind: str = "integer", series: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make 40 steps of history and 4 of forecasts."""
    stamps = STAMPS[kind]
    names = [f"shop {one}" for one in range(series)]
    past = [
        pd.DataFrame({"unique_id": one, "ds": stamps[:40], "y": np.arange(40.0)}) for one in names
    ]
    middle = np.array([40.0, 41, 42, 43])
    bounds = {
        f"LSTM-{side}-{level}": middle + sign * level / 10
        for level in (80, 95)
        for side, sign in (("lo", -1), ("hi", 1))
    }
    coming = [
        pd.DataFrame({"unique_id": one, "ds": stamps[40:], "LSTM": middle} | bounds)
        for one in names
    ]
    return pd.concat(past, ignore_index=True), pd.concat(coming, ignore_index=True)


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("kind", STAMPS)
def test_history_and_forecast_join_at_the_last_observation(kind):
    figure = plot_forecast(*tables(kind))
    history, _, forecast = figure.axes[0].lines
    assert history.get_ydata().tolist() == list(range(16, 40))
    assert forecast.get_ydata().tolist() == [39, 40, 41, 42, 43]
    steps = np.diff(forecast.get_xdata())
    assert (steps == steps[0]).all()
    assert history.get_xdata()[-1] == forecast.get_xdata()[0]


def test_zoned_stamps_are_drawn_on_the_clock_of_the_wall():
    history = plot_forecast(*tables("zoned")).axes[0].lines[0]
    assert history.get_xdata()[0] == np.datetime64("2024-03-30T16")
    assert history.get_xdata()[-1] == np.datetime64("2024-03-31T16")  # an hour was skipped


@pytest.mark.parametrize("library", [pl.from_pandas, pa.Table.from_pandas])
def test_tables_of_any_library_give_the_same_picture(library):
    history, forecast = tables("timestamp")
    ours = plot_forecast(history, forecast).axes[0].lines[2]
    theirs = plot_forecast(library(history), library(forecast)).axes[0].lines[2]
    assert ours.get_xydata().tolist() == theirs.get_xydata().tolist()


def test_model_and_levels_are_named_beside_their_ends():
    figure = plot_forecast(*tables())
    assert texts(figure) == ["LSTM", "80 %", "95 %"]
    assert len(figure.axes[0].collections) == 2
    assert figure.axes[0].get_legend() is None


def test_names_that_would_cover_each_other_are_moved_apart():
    history, forecast = tables()
    forecast = forecast.assign(GRU=forecast["LSTM"], Naive=forecast["LSTM"] + 0.01)
    figure = plot_forecast(history, forecast)
    figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in figure.axes[0].texts), key=lambda b: b.y0)
    assert len(boxes) == 3
    assert all(below.y1 <= above.y0 + 1 for below, above in pairwise(boxes))


def test_several_models_have_a_colour_each():
    history, forecast = tables()
    figure = plot_forecast(history, forecast.assign(GRU=1.0, Naive=2.0))
    colors = {line.get_color() for line in figure.axes[0].lines[2:]}
    assert len(colors) == 3
    assert figure.get_suptitle() == "shop 0: y, and what LSTM, GRU and Naive foretell"


def test_a_line_breaks_where_nothing_was_observed_and_a_lonely_value_is_a_dot():
    history, forecast = tables()
    history.loc[[20, 22], "y"] = np.nan
    line, dots, _ = plot_forecast(history, forecast).axes[0].lines
    assert np.isnan(line.get_ydata()[[4, 6]]).all()
    assert dots.get_ydata().tolist() == [21.0]


def test_a_forecast_after_a_missing_value_starts_on_its_own():
    history, forecast = tables()
    history.loc[39, "y"] = np.nan
    assert plot_forecast(history, forecast).axes[0].lines[2].get_ydata().tolist() == [
        40,
        41,
        42,
        43,
    ]


def test_eight_of_many_series_are_drawn_and_the_rest_counted():
    figure = plot_forecast(*tables(series=11))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [f"shop {i}" for i in range(8)]
    assert figure.get_supxlabel() == "8 of 11 series; the other 3 are not drawn."


def test_the_series_asked_for_are_drawn_in_that_order():
    figure = plot_forecast(*tables(series=11), ids=["shop 9", "shop 2", "shop 4", "shop 1"])
    names = [axes.get_title(loc="left") for axes in figure.axes]
    assert names == ["shop 9", "shop 2", "shop 4", "shop 1"]
    assert figure.get_supxlabel() == ""


def test_windows_of_a_cross_validation_are_drawn_over_what_happened():
    history, forecast = tables()
    past = forecast.assign(ds=[30, 31, 34, 35], cutoff=[29, 29, 33, 33], y=[30.0, 31, 34, 35])
    history_line, _, first, second = plot_forecast(history, past).axes[0].lines
    assert history_line.get_xdata()[-1] == 39
    assert first.get_xdata().tolist() == [29, 30, 31]
    assert second.get_xdata().tolist() == [33, 34, 35]


def test_last_says_how_much_of_the_history_is_shown():
    assert len(plot_forecast(*tables(), last=5).axes[0].lines[0].get_ydata()) == 5
    with pytest.raises(OptionError, match="last=0, but it must be an int of at least 1"):
        plot_forecast(*tables(), last=0)


def test_large_numbers_have_separators_and_small_ones_no_noise():
    history, forecast = tables()
    axes = plot_forecast(history.assign(y=history["y"] * 1e5), forecast).axes[0]
    write = axes.yaxis.get_major_formatter()
    assert [write(1_500_000.0, 0), write(0.1 + 0.2, 0), write(-2500.0, 0)] == [
        "1,500,000",
        "0.3",
        "-2,500",
    ]


def test_values_that_are_never_negative_keep_the_axis_so():
    assert plot_forecast(*tables(), last=40).axes[0].get_ylim()[0] == 0


def test_other_column_names_are_read_and_said():
    history, forecast = tables()
    names = {"unique_id": "shop", "ds": "day", "y": "sales"}
    columns = Columns(id="shop", time="day", target="sales", future=["not read"])
    figure = plot_forecast(
        history.rename(columns=names), forecast.rename(columns=names), columns=columns
    )
    assert figure.get_suptitle() == "shop 0: sales, and what LSTM foretells"
    titled = plot_forecast(history, forecast, title="Sales")
    assert titled.get_suptitle() == "Sales"


def test_a_series_that_is_not_there_is_refused_with_the_near_name():
    with pytest.raises(OptionError, match=r"no series 'shop 22' to draw\. Did you mean 'shop 2'"):
        plot_forecast(*tables(series=3), ids=["shop 22"])
    with pytest.raises(OptionError, match="must name a series"):
        plot_forecast(*tables(), ids=[])


def test_tables_without_a_common_series_are_refused():
    history, forecast = tables()
    with pytest.raises(DataError, match="No series of the history has a forecast"):
        plot_forecast(history, forecast.assign(unique_id="other"))


def test_drawing_leaves_pyplot_alone():
    code = (
        "import sys; sys.path.insert(0, 'tests/evaluation'); import test_pictures as t;"
        "t.plot_forecast(*t.tables()).savefig(sys.stdout.buffer, format='svg');"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"<svg" in done.stdout
