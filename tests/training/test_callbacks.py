"""Callbacks that write a training down for others to show."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from recurra import Classifier
from recurra.errors import FileError, MissingExtraError, OptionError
from recurra.training import MLflow, TensorBoard, Training, train
from recurra.training.checkpoints import Checkpoints

OPTIONS = Training(steps=12, warmup=3, check_every=5, patience=None, progress=False)


class Squares(nn.Linear):
    """One number that is to become 0."""

    def __init__(self):
        super().__init__(1, 1, bias=False)

    def loss(self, batch, _state):
        return self(batch).square().sum(), torch.tensor(len(batch)), None


def learn(*callbacks, checkpoints=None):
    def batches():
        while True:
            yield torch.ones(4, 1)

    torch.manual_seed(0)
    validate = lambda: 0.25  # noqa: E731
    return train(Squares(), batches(), OPTIONS, validate, callbacks, checkpoints=checkpoints)


def stop_at(step):
    def stop(moment):
        if moment.step == step:
            raise KeyboardInterrupt

    return stop


def test_a_moment_says_how_and_how_fast_it_is_trained():
    moments = []
    learn(moments.append)
    assert [each.rate for each in moments] == [OPTIONS.rate_at(k) for k in range(12)]
    seconds = [each.seconds for each in moments]
    assert seconds == sorted(seconds)
    assert moments[0].options == OPTIONS


def test_a_callback_that_is_a_context_manager_is_left_however_the_training_ends():
    class Watching:
        def __init__(self):
            self.told = []

        def __enter__(self):
            self.told.append("in")

        def __call__(self, moment):
            self.told.append(moment.step)
            if moment.step == 3:
                raise RuntimeError("no more")

        def __exit__(self, kind, *_):
            self.told.append(kind)

    watching = Watching()
    with pytest.raises(RuntimeError):
        learn(watching)
    assert watching.told == ["in", 1, 2, 3, RuntimeError]


# ---------------------------------------------------------------------- TensorBoard


@pytest.fixture
def events():
    """Give a function that reads what TensorBoard would show of a folder."""
    module = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

    def read(folder):
        found = module.EventAccumulator(str(folder))
        found.Reload()
        names = found.Tags()["scalars"]
        return {name: [(each.step, each.value) for each in found.Scalars(name)] for name in names}

    return read


def test_tensorboard_shows_losses_rates_and_seconds(tmp_path, events):
    log = learn(TensorBoard(tmp_path / "runs"))
    found = events(tmp_path / "runs")
    assert found["loss/training"] == [(k + 1, pytest.approx(v)) for k, v in enumerate(log.loss)]
    assert found["loss/validation"] == [(step, 0.25) for step, _ in log.validation]
    rates = [(k + 1, pytest.approx(OPTIONS.rate_at(k), rel=1e-5)) for k in range(12)]
    assert found["learning_rate"] == rates
    assert len(found["seconds_per_step"]) == 11


def test_tensorboard_forgets_the_steps_that_a_kill_has_undone(tmp_path, events):
    place = Checkpoints(tmp_path / "kept", steps=5, seconds=99)
    for step in (9, 7):  # steps 6 to 9 are done twice
        with pytest.raises(KeyboardInterrupt):
            learn(TensorBoard(tmp_path / "runs"), stop_at(step), checkpoints=place)
    log = learn(TensorBoard(tmp_path / "runs"), checkpoints=place)
    found = events(tmp_path / "runs")
    assert found["loss/training"] == [(k + 1, pytest.approx(v)) for k, v in enumerate(log.loss)]


def test_a_folder_that_cannot_be_made_is_said_before_the_first_step(tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "file").write_text("")
    steps = []
    with pytest.raises(FileError, match="Nothing can be written"):
        learn(steps.append, TensorBoard(tmp_path / "file" / "runs"))
    assert not steps


# ---------------------------------------------------------------------- MLflow


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    """Give MLflow's client of a data base, and its address."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    module = pytest.importorskip("mlflow")
    place = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/runs.db"
    return place, module.MlflowClient(place)


def runs(client, name):
    experiment = client.get_experiment_by_name(name)
    return client.search_runs([experiment.experiment_id])


def test_mlflow_keeps_metrics_and_parameters_of_a_run(mlflow, tmp_path, monkeypatch):
    place, client = mlflow
    monkeypatch.chdir(tmp_path)
    log = learn(MLflow("wards", run="first", tracking_uri=place))
    (run,) = runs(client, "wards")
    assert (run.info.run_name, run.info.status) == ("first", "FINISHED")
    assert run.data.params["learning_rate"] == "0.01"
    assert run.data.params["parameters"] == "1"
    history = client.get_metric_history(run.info.run_id, "loss/training")
    assert [(each.step, each.value) for each in history] == [*enumerate(log.loss, 1)]
    assert client.get_metric_history(run.info.run_id, "loss/validation")[0].value == 0.25
    assert not [*tmp_path.iterdir()]


def test_mlflow_is_told_how_a_training_ended(mlflow):
    place, client = mlflow

    def fail(_moment):
        raise ValueError

    watching = MLflow("stopped", tracking_uri=place)
    with pytest.raises(KeyboardInterrupt):
        learn(watching, stop_at(4))
    with pytest.raises(ValueError):  # noqa: PT011
        learn(watching, fail)
    assert sorted(each.info.status for each in runs(client, "stopped")) == ["FAILED", "KILLED"]


def test_mlflow_does_not_write_into_the_working_directory_unasked(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(OptionError, match="tracking_uri="):
        learn(MLflow("wards"))
    assert not [*tmp_path.iterdir()]


# ---------------------------------------------------------------------- both


def test_an_estimator_takes_them(tmp_path, events):
    X = [np.random.default_rng(k).normal(k % 2, 1, (5, 1)) for k in range(20)]
    model = Classifier(hidden_size=4, validation=0, training=OPTIONS)
    model.fit(X, [0, 1] * 10, callbacks=[TensorBoard(tmp_path)])
    assert len(events(tmp_path)["loss/training"]) == 12


@pytest.mark.parametrize(
    ("make", "module", "extra"),
    [(TensorBoard, "torch.utils.tensorboard", "tensorboard"), (MLflow, "mlflow", "mlflow")],
)
def test_what_is_missing_is_said_before_the_first_step(make, module, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    steps = []
    with pytest.raises(MissingExtraError, match=rf"recurra\[{extra}\]"):
        learn(steps.append, make("runs"))
    assert not steps


@pytest.mark.parametrize("make", [lambda: TensorBoard(3), lambda: MLflow(3), lambda: MLflow("")])
def test_impossible_places_are_refused(make):
    with pytest.raises(OptionError, match=r"folder is a int|experiment is"):
        make()


def test_neither_is_loaded_unasked():
    command = "import sys, recurra.training; print({'mlflow', 'tensorboard'} & {*sys.modules})"
    said = subprocess.run(
        [sys.executable, "-c", command], check=True, stdout=-1, text=True, env=dict(os.environ)
    )
    assert said.stdout.strip() == "set()"
