"""Holes filled from the other channels of a step."""

import numpy as np
import pytest

from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments import Fill


def related(rows: int = 300, seed: int = 0) -> tuple[SequenceDataset, np.ndarray]:
    """Draw channels of which each tells the others, in units far apart."""
    chance = np.random.default_rng(seed)
    hidden = np.cumsum(chance.normal(size=rows))
    whole = np.column_stack([hidden, 1000 * hidden + 5, 0.01 * hidden + 3])
    seen = chance.random(whole.shape) < 0.7
    seen[:, 0] |= ~seen.any(1)
    stream = Stream(
        np.where(seen, whole, np.nan),
        np.array([0, rows // 2, rows]),
        ("a", "b", "c"),
        observed=seen,
    )
    return SequenceDataset(("p", "q"), {"x": stream}), whole


def error(fill: Fill, data: SequenceDataset, whole: np.ndarray) -> float:
    after = fill.apply(data, fill.learn(data)).stream.values
    return float((np.abs(after - whole) / whole.std(0)).mean())


@pytest.mark.parametrize("method", ["knn", "regression"])
def test_related_channels_tell_what_is_missing(method):
    data, whole = related()
    assert error(Fill(method), data, whole) < 0.2 * error(Fill("mean"), data, whole)


def test_the_unit_of_a_channel_changes_nothing():
    data, _ = related()
    other = SequenceDataset(
        data.ids,
        {"x": Stream(**{**vars(data.stream), "values": data.stream.values * [1, 1e-6, 1e4]})},
    )
    fill = Fill("knn")
    one, two = (fill.apply(each, fill.learn(each)).stream.values for each in (data, other))
    assert np.allclose(two, one * [1, 1e-6, 1e4])


def test_lags_tell_what_the_step_itself_does_not():
    rows = 200
    whole = np.sin(np.arange(rows) / 5)[:, None]
    seen = np.arange(rows)[:, None] % 4 != 3
    stream = Stream(np.where(seen, whole, np.nan), np.array([0, rows]), ("x",), observed=seen)
    data = SequenceDataset(("a",), {"x": stream})
    plain, lagged = (error(Fill("regression", lags=lags), data, whole) for lags in (0, 2))
    assert lagged < 0.1 * plain


def test_at_most_so_many_training_rows_are_kept_the_same_for_the_same_seed():
    data, _ = related()
    kept = [Fill("knn", rows=20, seed=seed).learn(data)["x/kept"] for seed in (1, 1, 2)]
    assert kept[0].shape == (20, 3)
    assert np.array_equal(kept[0], kept[1], equal_nan=True)
    assert not np.array_equal(kept[0], kept[2], equal_nan=True)
    assert len(Fill("knn").learn(data)["x/kept"]) == 300


def test_a_regression_stays_within_what_was_seen():
    data, _ = related()
    fill = Fill("regression")
    learned = fill.learn(data)
    seen = np.array([[True, False, False]])
    far = Stream(
        np.array([[1e6, np.nan, np.nan]]), np.array([0, 1]), ("a", "b", "c"), observed=seen
    )
    after = fill.apply(SequenceDataset(("z",), {"x": far}), learned).stream.values
    assert after[0, 1] <= np.nanmax(data.stream.values[:, 1]) * 1.0001


@pytest.mark.parametrize("method", ["knn", "regression"])
def test_a_step_of_which_nothing_is_known_is_left_to_the_next_method(method):
    data, _ = related()
    fill = Fill(method, then="constant", value=-777.0)
    seen = np.array([[False] * 3, [True, False, False]])
    stream = Stream(np.ones((2, 3)), np.array([0, 1, 2]), ("a", "b", "c"), observed=seen)
    after = fill.apply(SequenceDataset(("y", "z"), {"x": stream}), fill.learn(data)).stream.values
    assert after[0].tolist() == [-777.0] * 3
    assert (after[1] != -777.0).all()
