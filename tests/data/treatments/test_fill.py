"""Filled holes, against pandas and by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments import Fill, Preprocessor
from recurra.errors import DataError, DataWarning, OptionError

nan = float("nan")


def filled(fill: Fill, X, **more) -> list[list[float]]:
    data = from_arrays(X, **more)
    after = fill.apply(data, fill.learn(data)).stream
    return [after.at(i).values[:, 0].tolist() for i in range(len(after))]


def gappy(rows: int = 400, seed: int = 0) -> tuple[pd.Series, np.ndarray]:
    """Draw records of unequal length, with holes at both ends, and uneven times."""
    chance = np.random.default_rng(seed)
    offsets = np.concatenate([[0, 0, 1], np.sort(chance.choice(rows, 11, replace=False)), [rows]])
    values = np.where(chance.random(rows) < 0.6, nan, chance.normal(size=rows))
    times = np.cumsum(chance.choice([0.5, 1.0, 7.0], rows))
    return pd.Series(values, index=times), offsets.astype(np.int64)


def by_pandas(series: pd.Series, offsets: np.ndarray, fill) -> np.ndarray:
    pairs = pairwise(offsets)
    return np.concatenate([fill(series.iloc[a:b]).to_numpy() for a, b in pairs if b > a])


ORACLES = {
    "forward": (Fill("forward"), lambda s: s.ffill()),
    "forward, at most 2": (Fill("forward", limit=2), lambda s: s.ffill(limit=2)),
    "backward": (Fill("backward"), lambda s: s.bfill()),
    "backward, at most 2": (Fill("backward", limit=2), lambda s: s.bfill(limit=2)),
    "linear": (Fill("linear"), lambda s: s.interpolate("linear", limit_area="inside")),
    "linear, at most 1": (
        Fill("linear", limit=1),
        lambda s: s.interpolate("linear", limit_area="inside", limit=1),
    ),
    "time": (Fill("time"), lambda s: s.interpolate("index", limit_area="inside")),
    "nearest": (
        Fill("nearest", then=("mean",)),
        lambda s: (
            s.interpolate("nearest").ffill().bfill() if s.notna().sum() > 1 else s.ffill().bfill()
        ),
    ),
}


@pytest.mark.parametrize(("fill", "oracle"), ORACLES.values(), ids=ORACLES.keys())
@pytest.mark.parametrize("seed", range(3))
def test_holes_are_filled_as_pandas_does_record_by_record(fill, oracle, seed):
    series, offsets = gappy(seed=seed)
    values = series.to_numpy()[:, None]
    stream = Stream(
        values,
        offsets,
        ("x",),
        observed=~np.isnan(values),
        times=series.index.to_numpy(),
        clock="number",
    )
    data = SequenceDataset(tuple(range(len(stream))), {"x": stream})
    found = fill.apply(data, fill.learn(data)).stream.values[:, 0]
    wanted = by_pandas(series, offsets, oracle)
    assert np.allclose(found, np.where(np.isnan(wanted), np.nanmean(values), wanted), 1e-12)
    assert np.isnan(wanted).any() or "nearest" in fill.method or fill.limit is None


def test_nothing_crosses_from_one_record_into_another():
    assert filled(Fill("forward"), [[1.0, nan], [nan, 3.0], [nan]]) == [[1, 1], [2, 3], [2]]
    assert filled(Fill("backward"), [[1.0, nan], [nan, 3.0]]) == [[1, 2], [3, 3]]


def test_time_is_measured_in_time_and_linear_in_steps():
    times = [np.array(["2024-01-01T00", "2024-01-01T01", "2024-01-01T04"], "M8[h]")]
    assert filled(Fill("time"), [[0.0, nan, 4.0]], times=times) == [[0, 1, 4]]
    assert filled(Fill("linear"), [[0.0, nan, 4.0]], times=times) == [[0, 2, 4]]
    assert filled(Fill("nearest"), [[0.0, nan, 4.0]], times=times) == [[0, 0, 4]]


def test_a_line_between_two_values_of_the_same_time_starts_with_the_first():
    assert filled(Fill("time"), [[1.0, nan, 5.0]], times=[[2.0, 2.0, 2.0]]) == [[1, 1, 5]]


def test_past_the_limit_the_next_method_takes_over():
    fill = Fill("forward", limit=1, then=("backward", "constant"), value=-1.0)
    assert filled(fill, [[1.0, nan, nan, nan]]) == [[1, 1, -1, -1]]
    assert filled(fill, [[1.0, nan, nan, 7.0]]) == [[1, 1, 7, 7]]


def test_levels_come_from_what_was_observed_in_training():
    X = [[1.0, 2.0, nan], [9.0, nan]]
    assert filled(Fill("mean"), X) == [[1, 2, 4], [9, 4]]
    assert filled(Fill("median"), X) == [[1, 2, 2], [9, 2]]
    assert filled(Fill("constant", value=5), X) == [[1, 2, 5], [9, 5]]
    fill = Fill("mean")
    learned = fill.learn(from_arrays(X))
    assert fill.apply(from_arrays([[nan, 100.0]]), learned).stream.values[0, 0] == 4


def test_a_channel_never_observed_becomes_zero_with_a_note():
    X = [[[1.0, nan], [2.0, nan]]]
    data = from_arrays(X, channels=["pulse", "lactate"])
    made = Preprocessor([Fill("forward")])
    with pytest.warns(DataWarning, match="'lactate'"):
        made.fit(data)
    after = made.transform(data)
    assert after.stream.values[:, 1].tolist() == [0, 0]
    assert any("'lactate'" in note for note in after.notes)
    later = made.transform(from_arrays([[[1.0, nan], [2.0, 8.0]]], channels=["pulse", "lactate"]))
    assert later.stream.values[:, 1].tolist() == [0, 8]


def test_data_in_which_nothing_was_observed_are_refused():
    with pytest.raises(DataError, match="Nothing was observed") as caught:
        Fill("mean").learn(from_arrays([[[nan, nan]], [[nan, nan]]], observed=[[[False] * 2]] * 2))
    assert caught.value.code == "all_missing"


def test_whole_numbers_with_holes_become_floats_and_float32_stays():
    for dtype, wanted in ((np.int64, np.float64), (np.float32, np.float32)):
        stream = Stream(
            np.array([[4], [0]], dtype),
            np.array([0, 2]),
            ("x",),
            observed=np.array([[True], [False]]),
        )
        data = SequenceDataset(("a",), {"x": stream})
        fill = Fill("constant", value=0.5)
        after = fill.apply(data, fill.learn(data)).stream.values
        assert after.dtype == wanted
        assert after.ravel().tolist() == [4, 0.5]


def test_channels_are_found_by_name_whatever_their_order():
    fill = Fill("mean")
    learned = fill.learn(from_arrays([[[1.0, 10.0], [nan, nan]]], channels=["a", "b"]))
    turned = from_arrays([[[5.0, nan, nan], [5.0, nan, 3.0]]], channels=["new", "b", "a"])
    after = fill.apply(turned, learned).stream.values
    assert after[0, 1:].tolist() == [10, 1]
    assert np.isfinite(after).all()
    with pytest.raises(DataError, match=r"channel 'b'.*There are: 'a', 'x'") as caught:
        fill.apply(from_arrays([[[5.0, 3.0]]], channels=["a", "x"]), learned)
    assert caught.value.code == "missing_channel"


def test_only_methods_that_do_not_look_ahead_are_causal():
    assert [
        m
        for m in ("forward", "mean", "seasonal", "knn")
        if not Fill(m, period=2 if m == "seasonal" else None).causal
    ] == []
    assert not any(Fill(m).causal for m in ("backward", "nearest", "linear", "time"))
    assert not Fill("forward", then=("backward", "mean")).causal
    assert Fill("mean", then="median").causal


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "foward"}, "Did you mean 'forward'"),
        ({"method": "forward", "then": "backward"}, "may leave holes"),
        ({"method": "forward", "limit": 0}, "limit=0"),
        ({"method": "forward", "limit": 2.5}, "whole number"),
        ({"then": 5}, "then=5"),
        ({"method": "constant", "value": "a"}, "value='a'"),
        ({"method": "mean", "limit": 2}, "limit=2"),
        ({"method": "constant", "value": nan}, "finite"),
        ({"method": "seasonal"}, "need a period"),
        ({"method": "seasonal", "period": "our"}, "'hour'"),
        ({"method": "seasonal", "period": 1}, "from 2 on"),
        ({"method": "mean", "period": 7}, "is for 'seasonal'"),
        ({"method": "knn", "neighbours": 0}, "neighbours=0"),
        ({"method": "forward", "channels": "x"}, "one name"),
    ],
)
def test_wrong_options_say_what_is_expected(options, said):
    with pytest.raises(OptionError, match=said):
        Fill(**options)


def test_categories_are_not_filled():
    stream = Stream(
        np.array([[0.0], [nan]]),
        np.array([0, 2]),
        ("sky",),
        observed=np.array([[True], [False]]),
        categories={"sky": ("grey",)},
    )
    data = SequenceDataset(("a",), {"x": stream})
    with pytest.raises(OptionError, match=r"'sky' holds categories.*Use Encode"):
        Fill("mean", channels=["sky"]).learn(data)
    fill = Fill("mean")
    assert np.isnan(fill.apply(data, fill.learn(data)).stream.values[1, 0])


def test_options_that_are_not_the_usual_ones_are_shown():
    assert repr(Fill("time", limit=3)) == "Fill(method='time', limit=3)"
