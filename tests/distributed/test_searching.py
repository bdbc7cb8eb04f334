"""A search whose trials run in tasks of Ray."""

import numpy as np
import pytest

import recurra as rc
from recurra.errors import OptionError
from recurra.tuning import HeldOut, Whole

pytest.importorskip("ray", reason="Ray is not installed: pip install 'recurra[ray]'")
from recurra.distributed import tune_on_ray

MODEL = rc.Regressor(hidden_size=4, training=rc.Training(steps=5, progress=False))
RANDOM = np.random.default_rng(0)
X = [RANDOM.normal(size=(5, 1)) for _ in range(30)]
Y = [float(x.mean()) for x in X]


def test_the_trials_are_finished_and_the_best_is_fitted(tmp_path, ray_of_two_cores):
    found = tune_on_ray(
        MODEL, X, Y, storage=tmp_path / "study", trials=3, space={"hidden_size": Whole(2, 8)},
        by=HeldOut(0.3),
    )  # fmt: skip
    assert found.trials.state.tolist() == ["finished"] * 3
    assert found.model.predict(X[:2]).shape == (2,)


def test_a_wrong_metric_is_told_as_ever(tmp_path, ray_of_two_cores):
    with pytest.raises(OptionError, match="metric"):
        tune_on_ray(MODEL, X, Y, storage=tmp_path / "study", trials=1, metric="charm")


def test_a_study_that_tasks_cannot_share_is_refused():
    with pytest.raises(OptionError, match="Give a file, or a database's URL"):
        tune_on_ray(MODEL, X, Y, storage=None, trials=1)


@pytest.mark.parametrize("workers", [0, 1.5, "2", True])
def test_what_is_no_number_of_workers_is_refused(tmp_path, workers):
    with pytest.raises(OptionError, match="an int of at least 1"):
        tune_on_ray(MODEL, X, Y, storage=tmp_path / "study", workers=workers, trials=1)
