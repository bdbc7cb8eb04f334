import logging
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from recurra import Classifier, Forecaster, MultiTask, NextStep, Regressor, Training
from recurra.diagnosing import Doctor
from recurra.errors import OptionError, TrainingWarning
from recurra.layers import LSTM, RNN
from recurra.training import Moment


def data(seed=0, records=120, steps=20):
    random = np.random.default_rng(seed)
    X = random.normal(size=(records, steps, 2))
    return X, X[:, -3:, 0].mean(1)


def training(steps=60, **more):
    options = {"batch_size": 16, "learning_rate": 2e-3, "warmup": 0, "progress": False} | more
    return Training(steps, **options)


def fitted(doctor, layer="gru", change=None, **options):
    """Fit with a doctor, and a second callback that changes the network at the first step."""
    X, y = data()

    def ruin(moment):
        if change is not None and moment.step == 1:
            with torch.no_grad():
                change(moment.model)

    model = Regressor(layer, hidden_size=16, validation=0, training=training(**options))
    return model.fit(X, y, callbacks=[ruin, doctor])


def test_a_healthy_training_is_left_in_peace():
    doctor = Doctor(every=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingWarning)
        fitted(doctor)
    assert doctor.findings == []


@pytest.mark.parametrize(("task", "layer"), [(Regressor, "lstm"), (NextStep, "gru")])
def test_a_doctor_changes_no_bit_of_the_weights(task, layer):
    X, y = data()
    given = (X, y) if task is Regressor else ([*X],)
    made = [
        task(layer, hidden_size=8, dropout=0.2, training=training(20)).fit(*given, callbacks=some)
        for some in ([], [Doctor(every=3)])
    ]
    for one, other in zip(*(each.network_.parameters() for each in made), strict=True):
        assert torch.equal(one, other)


def test_a_rate_a_hundred_times_too_high_is_warned_of_with_advice():
    doctor = Doctor(every=5)
    with pytest.warns(TrainingWarning, match=r"step \d+: .*\(learning_rate="):
        fitted(doctor, learning_rate=0.5)
    assert "learning_rate" in [each.code for each in doctor.findings]


@pytest.mark.parametrize("before", [0, 500])
def test_a_loss_that_rises_above_where_it_began_is_warned_of_at_its_step(before):
    def told(step):
        loss = 1.0 - 0.01 * step if step < 30 else 0.7 + 0.1 * (step - 30)
        model = torch.nn.Linear(1, 1)
        return Moment(before + step, 600, loss, None, model, Training(), 0.1, 0.0)

    doctor = Doctor(every=10)
    for step in range(1, 31):
        doctor(told(step))
    assert not doctor.findings
    for step in range(31, 40):
        doctor(told(step))
    with pytest.warns(TrainingWarning, match=rf"step {before + 40}: The loss is .* at first"):
        doctor(told(40))
    assert [each.code for each in doctor.findings] == ["diverging"]


def shut(model):
    (layer,) = (each for each in model.modules() if isinstance(each, LSTM))
    layer.bias_ih_l0[16:32] = -8.0


def widen(model):
    for each in model.modules():
        if isinstance(each, LSTM):
            each.weight_ih_l0.mul_(100)
            each.weight_hh_l0.mul_(100)


def stretch(model):
    (layer,) = (each for each in model.modules() if isinstance(each, RNN))
    layer.stack = replace(layer.stack, activation="relu")
    layer.weight_hh_l0.copy_(2.0 * torch.linalg.qr(layer.weight_hh_l0)[0])


@pytest.mark.parametrize(
    ("code", "layer", "change"),
    [("forgetting", "lstm", shut), ("saturated", "lstm", widen), ("exploding", "rnn", stretch)],
)
def test_an_illness_that_begins_in_training_is_named_once(code, layer, change):
    doctor = Doctor(every=5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted(doctor, layer, change)
    codes = [each.code for each in doctor.findings]
    assert codes.count(code) == 1
    assert sum(each.category is TrainingWarning for each in caught) == len(codes)


def test_each_look_is_logged(caplog):
    with caplog.at_level(logging.INFO, "recurra.training"):
        fitted(Doctor(every=30))
    told = [each.message for each in caplog.records if "gradient" in each.message]
    assert [each.split(":")[0] for each in told] == ["step 30", "step 60"]
    assert "memory" in told[0]


def test_a_doctor_looks_at_every_kind_of_network():
    X, y = data(records=60)
    labels = np.where(y > 0, "up", "down").astype(object)
    doctor = Doctor(every=4)
    quick = training(8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Classifier(hidden_size=4, adversarial=1.0, training=quick)
        model.fit(X, labels, callbacks=[doctor])
        MultiTask(hidden_size=4, training=quick).fit(X, {"a": y, "b": labels}, callbacks=[doctor])
        frame = {"unique_id": ["a"] * 80, "ds": [*range(80)], "y": np.arange(80.0) % 7}
        import pandas as pd

        Forecaster(hidden_size=4, training=quick).fit(pd.DataFrame(frame), callbacks=[doctor])
    assert len(doctor._lengths) == 2


def test_a_doctor_forgets_the_training_before():
    doctor = Doctor(every=5)
    with pytest.warns(TrainingWarning):
        fitted(doctor, "lstm", shut)
    fitted(doctor)
    assert doctor.findings == []


@pytest.mark.parametrize("every", [0, -1, 1.5, "often"])
def test_an_impossible_number_of_steps_is_refused(every):
    with pytest.raises(OptionError, match="every"):
        Doctor(every=every)
