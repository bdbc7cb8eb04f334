"""Numbers to be learnt, brought to unit size and back."""

import numpy as np
import pytest

from recurra.data.reading.arrays import from_arrays
from recurra.data.treatments import TargetScale
from recurra.data.treatments.scaling import SCALE_METHODS
from recurra.errors import DataWarning, OptionError, ShapeError

nan = float("nan")


def regression(y) -> object:
    return from_arrays([[1.0]] * len(y), y)


@pytest.mark.parametrize("method", SCALE_METHODS)
def test_predictions_come_back_output_by_output(method):
    y = np.random.default_rng(0).gamma(2, size=(50, 2)) * [1, 1000]
    data = regression(y)
    scale = TargetScale(method)
    learned = scale.learn(data)
    after = scale.apply(data, learned).target.values
    assert np.abs(after).max() < 20
    assert np.allclose(scale.undo(after, learned), y)
    assert np.allclose(scale.undo(after.reshape(5, 10, 2), learned), y.reshape(5, 10, 2))


def test_unknown_targets_stay_unknown_and_teach_nothing():
    data = regression([[1.0], [nan], [3.0]])
    scale = TargetScale("minmax")
    after = scale.apply(data, scale.learn(data)).target
    assert after.values.ravel().tolist()[::2] == [0, 1]
    assert after.observed.ravel().tolist() == [True, False, True]


def test_classes_are_left_alone_and_cannot_be_named():
    data = from_arrays([[1.0], [2.0]], {"sort": ["a", "b"], "size": [1.0, 3.0]})
    scale = TargetScale()
    learned = scale.learn(data)
    after = scale.apply(data, learned)
    assert after.targets["sort"] is data.targets["sort"]
    assert after.targets["size"].values.ravel().tolist() == [-1, 1]
    with pytest.raises(OptionError, match=r"'sort'.*There are: 'size'"):
        TargetScale(target="sort").learn(data)


def test_data_without_targets_pass_through():
    scale = TargetScale()
    learned = scale.learn(regression([[1.0], [3.0]]))
    data = from_arrays([[1.0]])
    assert scale.apply(data, learned).targets == {}


def test_a_target_without_a_spread_is_told():
    scale = TargetScale()
    with pytest.warns(DataWarning, match="Target 'y' has no spread"):
        learned = scale.learn(regression([[5.5], [5.5]]))
    assert scale.undo(np.array([[0.0], [1.0]]), learned).tolist() == [[5.5], [6.5]]


def test_predictions_of_another_shape_are_refused():
    scale = TargetScale()
    learned = scale.learn(regression([[1.0, 2.0], [3.0, 5.0]]))
    with pytest.raises(ShapeError, match=r"shape \(3,\), but target 'y' has 2 outputs"):
        scale.undo(np.zeros(3), learned)
    with pytest.raises(OptionError, match="no scaled target 'z'"):
        scale.undo(np.zeros(2), learned, "z")
    with pytest.raises(OptionError, match="There is no method"):
        TargetScale("none")
