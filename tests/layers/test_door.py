"""What comes in wrong gets one error: where, what was expected, what to do."""

import re

import numpy as np
import pytest
import torch

from recurra.errors import OptionError, ShapeError
from recurra.layers import GRU, LSTM, RNN, Jordan

LAYER = LSTM(3, 4, batch_first=True)
X = torch.ones(2, 5, 3)


def raises(kind: type[Exception], words: str):
    return pytest.raises(kind, match=re.escape(words))


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([5, -1], "lengths[1] is -1, but a record has 0 steps or more."),
        (torch.tensor([6, 1]), "lengths[0] is 6, but the time axis holds 5 steps."),
        ([5, 4.7], "lengths[1] is 4.7, but a length is an integer."),
        (torch.tensor([4.0, 4.7]), "lengths[0] is 4.0, but a length is an integer."),
        ([True, False], "lengths[0] is True, but a length is an integer."),
        (torch.tensor([True, False]), "lengths[0] is True, but a length is an integer."),
        ([5], "There are 1 lengths for 2 records. Give one length a record"),
        (torch.ones(2, 5).long(), "lengths has shape (2, 5), but is one integer a record"),
        (5, "lengths is 5, but is one integer a record. Use [5] * 2 if all are as long."),
        ([5, 10**9], "lengths[1] is 1000000000, but the time axis holds 5 steps."),
    ],
    ids=str,
)
def test_wrong_lengths_are_named_by_row_and_value(lengths, words):
    with raises(ShapeError, words):
        LAYER(X, lengths=lengths)
    with raises(ShapeError, words):
        LAYER.choice(X, lengths=lengths)


@pytest.mark.parametrize("lengths", [[5, 2], (5, 2), np.array([5, 2]), torch.tensor([5, 2]).int()])
def test_lengths_come_as_list_array_or_tensor(lengths):
    output, _ = LAYER(X, lengths=lengths)
    assert output[1, 1].any()
    assert not output[1, 2:].any()


def test_all_records_may_be_one_step_long_in_both_directions():
    output, h = GRU(3, 4, bidirectional=True, batch_first=True)(X, lengths=[1, 1])
    assert output.shape == (2, 5, 8)
    torch.testing.assert_close(output[:, 0], torch.cat([h[0], h[1]], dim=-1))


@pytest.mark.parametrize("batch_first", [True, False])
def test_two_axes_with_lengths_get_both_readings(batch_first):
    layer = GRU(3, 4, batch_first=batch_first)
    axes, axis, records = ("(batch, time, 3)", 0, 9) if batch_first else ("(time, batch, 3)", 1, 3)
    words = (
        f"x has shape (9, 3), but GRU reads {axes}. Use x.unsqueeze({axis}) if it is one record "
        f"of 9 steps, x.unsqueeze(-1) if it is {records} records with one input."
    )
    with raises(ShapeError, words):
        layer(torch.ones(9, 3), lengths=[9])


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.ones(9, 1), "x has shape (9, 1), but LSTM reads (batch, time, 3). Use x.unsq"),
        (torch.ones(3), "x has shape (3,), but LSTM reads (batch, time, 3), or (time, 3)"),
        (torch.ones(2, 5, 7), "Build it with input_size=7, or choose the 3 inputs of x."),
        (torch.ones(2, 3, 5), "Use x.transpose(1, 2) if the inputs stand in the middle."),
        (X.double(), "x is torch.float64, but the weights of LSTM are torch.float32. "),
        (X.double(), "Use x.to(torch.float32), or layer.to(torch.float64)."),
        (X.long(), "x is torch.int64, but the weights of LSTM are torch.float32. Use x.to("),
        (X.to("meta"), "x is on meta, but the weights of LSTM are on cpu."),
        ([[1.0]], "x is a list, but LSTM reads a tensor."),
    ],
    ids=str,
)
def test_a_wrong_input_is_told_what_to_do(x, words):
    with raises(ShapeError, words):
        LAYER(x)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (torch.zeros(1, 2, 4), "The state holds 1 tensors, but LSTM carries h and c."),
        (
            (torch.zeros(1, 2, 4), torch.zeros(2, 1, 4)),
            "The state c has shape (2, 1, 4), but LSTM needs (1, 2, 4) here: "
            "(layers·directions, batch, size), whatever batch_first.",
        ),
        ((torch.zeros(1, 2, 4), torch.zeros(1, 2, 4).double()), "The state c is torch.float64"),
    ],
    ids=str,
)
def test_a_wrong_state_is_told_what_to_do(state, words):
    with raises(ShapeError, words):
        LAYER(X, state)


def test_a_packed_sequence_brings_its_own_lengths():
    packed = torch.nn.utils.rnn.pack_sequence([torch.ones(2, 3)])
    with raises(ShapeError, "A PackedSequence holds its own lengths. Leave lengths= away."):
        LAYER(packed, lengths=[2])


def test_a_layer_that_reads_both_ways_cannot_step():
    with raises(OptionError, "A bidirectional GRU cannot step: its way back begins at the end."):
        GRU(3, 4, bidirectional=True).step(torch.ones(2, 3))


def test_a_step_reads_one_step():
    with raises(ShapeError, "x_t has shape (2, 5, 3), but LSTM.step reads (batch, 3)."):
        LAYER.step(X)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: RNN(3, 4, nonlinearity="tahn"), "There is no nonlinearity 'tahn'. Did you mean"),
        (lambda: Jordan(3, 4, output_nonlinearity="exp"), "There is no nonlinearity 'exp'. There"),
        (lambda: GRU(3, 4, initialisation="ortogonal"), "Did you mean 'orthogonal'?"),
        (lambda: GRU(0, 4), "input_size is 0, but must be an integer, 1 or more."),
        (lambda: GRU(3, 4.0), "hidden_size is 4.0, but must be an integer, 1 or more."),
        (lambda: GRU(3, 4, num_layers=0), "num_layers is 0, but must be 1 or more."),
        (lambda: GRU(3, 4, dropout=1.5), "dropout is 1.5, but is a probability from 0 to 1."),
        (lambda: LSTM(3, 4, proj_size=4), "proj_size is 4, but must be below hidden_size=4"),
        (lambda: LSTM(3, 4, bias=False, forget_bias=1.0), "forget_bias needs bias=True."),
        (lambda: Jordan(3, 4, output_size=0), "output_size is 0, but must be an integer, 1 or"),
    ],
)
def test_a_wrong_option_is_refused_when_the_layer_is_built(build, words):
    with raises(OptionError, words):
        build()
