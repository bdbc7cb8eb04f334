import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

import recurra as rc
from recurra import runtime
from recurra.artifact import read_model, write_model
from recurra.errors import FileError
from recurra.layers import GRU, LSTM, RNN, Jordan
from recurra.runtime.plan import read_plan

STEP = """
import sys
import numpy as np
import recurra.runtime
stack = recurra.runtime.load(sys.argv[1])
stepper = stack.stepper()
x = np.ones((1, stack.input_size))
y = stepper.step(x)
assert np.isfinite(y).all()
stack.run(x[None])
strangers = {"torch", "pandas", "sklearn", "scipy", "narwhals", "tqdm"} & set(sys.modules)
assert not strangers, strangers
"""


def test_a_stack_is_loaded_and_stepped_without_torch(tmp_path):
    LSTM(3, 4, num_layers=2).save(tmp_path / "m")
    GRU(3, 4, layer_norm=True).save(tmp_path / "n")
    for name in "mn":
        subprocess.run([sys.executable, "-c", STEP, tmp_path / name], check=True)


def test_the_stack_of_a_forecaster_is_loaded(tmp_path):
    frame = pd.DataFrame(
        {
            "unique_id": "a",
            "ds": pd.date_range("2024-01-01", periods=60),
            "y": np.sin(np.arange(60.0)) + 5,
        }
    )
    training = rc.Training(steps=2)
    model = rc.Forecaster(layer="gru", hidden_size=8, num_layers=2, training=training).fit(frame)
    model.save(tmp_path / "m")
    stack = runtime.load(tmp_path / "m")
    layer = model._engine.network.layer
    x = torch.randn(2, 5, stack.input_size)
    expected, after = layer(x)
    output, state = stack.run(x.numpy())
    np.testing.assert_allclose(output, expected.detach(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(state, after.detach(), rtol=0, atol=1e-6)
    subprocess.run([sys.executable, "-c", STEP, tmp_path / "m"], check=True)


@pytest.mark.parametrize("place", [0.05, 0.3, 0.6, 0.95])
def test_a_damaged_file_is_refused(tmp_path, place):
    GRU(3, 4).save(tmp_path / "m")
    content = bytearray((tmp_path / "m").read_bytes())
    content[int(place * len(content))] ^= 4
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(FileError):
        runtime.load(tmp_path / "m")


def test_a_bidirectional_layer_is_refused_with_advice(tmp_path):
    GRU(3, 4, bidirectional=True).save(tmp_path / "m")
    with pytest.raises(FileError, match=r"a bidirectional GRU, .* Use recurra.layers.load, or tra"):
        runtime.load(tmp_path / "m")


def test_a_type_that_the_runtime_lacks_is_refused_with_advice(tmp_path):
    GRU(3, 4, dtype=torch.float16).save(tmp_path / "m")
    with pytest.raises(FileError, match=r"float16, but the runtime .* Use layer.float\(\) before"):
        runtime.load(tmp_path / "m")


def changed(tmp_path, change):
    GRU(3, 4).save(tmp_path / "m")
    header, arrays = read_model(tmp_path / "m")
    change(header, arrays)
    write_model(tmp_path / "m", header, arrays)
    return tmp_path / "m"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda h, a: a.pop("bias_ih_l0"),
            r"holds bias_ih_l0 with shape None, but its GRU has \(1",
        ),
        (lambda h, a: a.update(more=a["bias_ih_l0"]), "holds more with shape"),
        (lambda h, a: a.update(weight_hh_l0=np.ones((12, 3), np.float32)), r"with shape \(12, 3\)"),
        (lambda h, a: a.update(bias_ih_l0=np.ones(12)), "weights of float32 and float64"),
        (
            lambda h, a: h["arguments"].update(hidden_size=2**62),
            r"with shape \(12, 3\), but its GRU",
        ),
        (lambda h, a: h["arguments"].update(hidden_size=-4), "hidden_size=-4: no size"),
        (
            lambda h, a: h["arguments"].update(num_layers=1.0),
            "num_layers is 1.0, but it must be an int",
        ),
        (lambda h, a: h["arguments"].update(sparsity=3), "has sparsity=3, which this version does"),
        (
            lambda h, a: h["arguments"].update(nonlinearity="sin"),
            "activation='sin', which is not k",
        ),
        (lambda h, a: h["arguments"].pop("input_size"), "lacks what a layer needs: .*input_size"),
        (lambda h, a: h.update(layer="TCN"), "holds a layer 'TCN', but the runtime knows RNN, "),
        (lambda h, a: h.pop("layer"), "holds no layer and no Forecaster. Give the path that"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path, change, words):
    with pytest.raises(FileError, match=words):
        runtime.load(changed(tmp_path, change))


@pytest.mark.parametrize("layer", [RNN(3, 4), LSTM(3, 4), GRU(3, 4), Jordan(3, 4)], ids=str)
def test_every_argument_of_every_layer_is_known(layer):
    plan = read_plan(type(layer).__name__, layer.arguments())
    assert plan.shapes(0) == layer.shapes(3)
    assert plan.state_sizes == layer.state_sizes
    assert plan.letters == layer.letters


def test_the_room_is_one_import_away():
    assert rc.runtime.load is runtime.load
