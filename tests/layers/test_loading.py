import numpy as np
import pytest
import torch
from torch.nn.utils import parametrizations

from recurra import layers
from recurra.artifact import write_model
from recurra.errors import FileError, OptionError
from recurra.layers import GRU, LSTM


def test_a_saved_layer_comes_back_to_the_bit(make, tmp_path):
    layer = make()
    layer.save(tmp_path / "m")
    before = torch.get_rng_state()
    again = layers.load(tmp_path / "m")
    assert torch.equal(before, torch.get_rng_state())
    assert repr(again) == repr(layer)
    assert again.arguments() == layer.arguments()
    assert again.stack == layer.stack
    expected = layer.state_dict()
    assert list(again.state_dict()) == list(expected)
    assert all(torch.equal(one, expected[name]) for name, one in again.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
def test_the_type_of_the_weights_is_kept(dtype, tmp_path):
    GRU(3, 4, dtype=dtype).save(tmp_path / "m")
    assert layers.load(tmp_path / "m").weight_ih_l0.dtype == dtype


def test_weights_are_saved_as_they_act(tmp_path):
    layer = parametrizations.weight_norm(GRU(3, 4), "weight_hh_l0")
    layer.save(tmp_path / "m")
    x = torch.randn(5, 2, 3)
    assert torch.equal(layers.load(tmp_path / "m")(x)[0], layer(x)[0])


def test_a_type_that_no_file_holds_is_refused_with_advice(tmp_path):
    with pytest.raises(
        OptionError, match=r"weight_ih_l0 is torch.bfloat16, .* Use layer.float\(\)"
    ):
        GRU(3, 4, dtype=torch.bfloat16).save(tmp_path / "m")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"layer": "TCN"}, "holds a 'TCN', but this version knows GRU, LSTM, RNN, Jordan"),
        ({"estimator": "Forecaster"}, r"holds a 'Forecaster', but .* Use recurra.load"),
        ({"layer": "GRU", "arguments": {"input_size": 3, "hidden_size": 4}}, "cannot build"),
        ({"layer": "GRU", "arguments": {"sparsity": 3}}, "Install the version that wrote it"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, header, words):
    write_model(tmp_path / "m", header, {"a": np.ones(1, np.float32)})
    with pytest.raises(FileError, match=words):
        layers.load(tmp_path / "m")


def test_a_damaged_file_is_refused(tmp_path):
    LSTM(3, 4).save(tmp_path / "m")
    (tmp_path / "m").write_bytes((tmp_path / "m").read_bytes()[:-3])
    with pytest.raises(FileError, match="damaged"):
        layers.load(tmp_path / "m")


def test_flags_may_be_given_as_numbers(tmp_path):
    GRU(3, 4, bidirectional=1).save(tmp_path / "m")
    assert layers.load(tmp_path / "m").bidirectional
