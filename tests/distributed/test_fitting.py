"""One training by several workers of Ray."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

import recurra as rc
from recurra.errors import OptionError, TrainingError
from recurra.training import Checkpoints

pytest.importorskip("ray", reason="Ray is not installed: pip install 'recurra[ray]'")
from recurra.distributed import fit_on_ray

TRAINING = rc.Training(steps=12, batch_size=13, progress=False)


ONE_STEP = rc.Training(
    steps=1, batch_size=13, optimizer="sgd", learning_rate=1.0, warmup=0, schedule="constant",
    clip_norm=None, progress=False,
)  # fmt: skip


def ragged(count=41):
    random = np.random.default_rng(0)
    X = [random.normal(size=(length, 3)) for length in random.integers(1, 20, count)]
    return X, [int(x.mean() > 0) for x in X]


def regressor(training=TRAINING):
    return rc.Regressor(
        hidden_size=6, front=None, dropout=0, input_dropout=0, validation=0, training=training
    )


def weights_of(model):
    return np.concatenate([each.numpy().ravel() for each in model.network_.state_dict().values()])


class Death:
    """Kills its process after so many steps, once."""

    def __init__(self, folder):
        self.mark = Path(folder, "died")

    def __call__(self, moment):
        if moment.step == 8 and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(autouse=True, scope="module")
def started(ray_of_two_cores):
    return ray_of_two_cores


def test_without_workers_it_is_fit(tmp_path):
    X, y = ragged()
    found = fit_on_ray(regressor(), X, y, workers=0, checkpoint=tmp_path)
    assert weights_of(found).tobytes() == weights_of(regressor().fit(X, y)).tobytes()


def test_what_is_wrong_is_told(tmp_path):
    X, y = ragged()
    with pytest.raises(TrainingError, match=r"could not learn.*DataError"):
        fit_on_ray(regressor(), X, y[:-1], workers=0, checkpoint=tmp_path)


def test_two_workers_find_the_gradient_that_one_process_finds(tmp_path):
    X, y = ragged()  # the step is the gradient, of 7 and of 6 records
    found = fit_on_ray(regressor(ONE_STEP), X, y, checkpoint=tmp_path)
    alone = regressor(ONE_STEP).fit(X, y)
    np.testing.assert_allclose(weights_of(found), weights_of(alone), rtol=0, atol=1e-6)


def test_two_workers_of_which_one_is_killed_learn_what_one_process_does(tmp_path):
    X, y = ragged()
    kept = Checkpoints(tmp_path / "kept", steps=3)
    found = fit_on_ray(regressor(), X, y, checkpoint=kept, callbacks=[Death(tmp_path)])
    assert (tmp_path / "died").exists()
    alone = regressor().fit(X, y)
    np.testing.assert_allclose(weights_of(found), weights_of(alone), rtol=0, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"workers": -1}, {"workers": 1.5}, {"failures": -1}])
def test_impossible_values_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        fit_on_ray(regressor(), *ragged(), **wrong)
