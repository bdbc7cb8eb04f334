import pickle

import numpy as np
import pytest
import torch

from recurra.errors import OptionError, ShapeError
from recurra.native import ISAS, instruction_sets, using


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def close(ours, theirs, tolerance):
    for one, other in zip(parts(ours), parts(theirs), strict=True):
        np.testing.assert_allclose(one, other.detach().numpy(), rtol=0, atol=tolerance)


def test_whole_records_give_what_the_layer_gives(pair):
    x = pair.input(4, 7)
    output, state = pair.stack.run(x.numpy())
    expected, after = pair.layer(x)
    close(output, expected, pair.tolerance)
    close(state, after, pair.tolerance)
    assert output.dtype == pair.stack.dtype


def test_ragged_records_give_what_the_layer_gives_and_padding_is_not_felt(pair):
    x, lengths = pair.input(4, 7), [7, 2, 0, 5]
    expected, after = pair.layer(x, lengths=lengths)
    padded = x if pair.layer.batch_first else x.transpose(0, 1)
    for row, length in enumerate(lengths):
        padded[row, length:] = float("nan")
    output, state = pair.stack.run(x.numpy(), lengths=lengths)
    close(output, expected, pair.tolerance)
    close(state, after, pair.tolerance)


def test_a_record_can_be_cut_and_its_state_carried(pair):
    x = pair.input(2, 6)
    time = 1 if pair.layer.batch_first else 0
    first, second = (part.numpy() for part in x.split([4, 2], time))
    _, state = pair.stack.run(first)
    output, state = pair.stack.run(second, state)
    expected, after = pair.layer(x)
    close(output, expected.narrow(time, 4, 2), pair.tolerance)
    close(state, after, pair.tolerance)


def test_one_step_gives_what_the_layers_step_gives(pair):
    x = pair.input(3, 2)
    time = 1 if pair.layer.batch_first else 0
    state, after = pair.stack.initial_state(3), pair.layer.initial_state(3)
    close(state, after, 0)
    for x_t in x.unbind(time):
        y, state = pair.stack.step(x_t.numpy(), state)
        expected, after = pair.layer.step(x_t, after)
        close(y, expected, pair.tolerance)
        close(state, after, pair.tolerance)


def test_no_records_and_no_steps_are_no_error(pair):
    output, state = pair.stack.run(pair.input(0, 5).numpy())
    assert output.size == 0
    output, state = pair.stack.run(pair.input(2, 0).numpy())
    close(state, pair.layer.initial_state(2), 0)


def test_an_input_of_the_other_type_and_of_any_layout_is_read(saved):
    pair = saved("two GRUs")
    x = pair.input(4, 6)
    expected, _ = pair.layer(x)
    turned = np.asarray(x.numpy(), np.float64, order="F")
    close(pair.stack.run(turned)[0], expected, 2 * pair.tolerance)
    close(pair.stack.run(turned.tolist())[0], expected, 2 * pair.tolerance)
    backwards, _ = pair.layer(x.flip(1))
    close(pair.stack.run(x.numpy()[:, ::-1])[0], backwards, pair.tolerance)


def test_threads_change_no_bit(saved):
    stack, x = saved("three LSTMs").stack, saved("three LSTMs").input(100, 5).numpy()
    lengths = np.arange(100) % 6
    one, two = (stack.run(x, lengths=lengths, threads=n)[0] for n in (1, 2))
    assert np.array_equal(one, two)


@pytest.mark.parametrize("isa", ISAS)
def test_every_instruction_set_gives_the_same(saved, isa, engine):
    if instruction_sets()[isa] != "can be used":
        pytest.skip(f"{isa} is {instruction_sets()[isa]}")
    pair = saved("LSTM")
    x = pair.input(2, 3)
    before = pair.stack.stepper(2)
    with using(isa):
        close(pair.stack.run(x.numpy())[0], pair.layer(x)[0], pair.tolerance)
        within = pair.stack.stepper(2)
    for stepper in (before, within):  # each keeps the one it was made with
        y = [stepper.step(x_t) for x_t in np.ascontiguousarray(x.numpy().swapaxes(0, 1))][-1]
        close(y, pair.layer(x)[0][:, -1], pair.tolerance)


def test_a_stack_says_what_runs_it(saved, engine):
    stack = saved("LSTM").stack
    assert stack.backend == engine
    assert repr(stack).startswith(f"<LSTM(3, 17) in {stack.dtype}, {engine}: ")
    assert saved("LSTM with peepholes").stack.backend == "numpy"
    if engine == "native":
        words = "the engine does not know zoneout and layer_norm and heads"
        assert saved("GRU with everything").stack.reason == words


def test_a_stack_goes_to_another_process(saved):
    pair = saved("two GRUs")
    x = pair.input(2, 3).numpy()
    pair.stack.run(x)
    again = pickle.loads(pickle.dumps(pair.stack))
    assert np.array_equal(again.run(x)[0], pair.stack.run(x)[0])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s: s.run(np.ones((9, 3))), "x has shape (9, 3), but LSTM reads (batch, time, 3)."),
        (lambda s: s.run(np.ones((9, 3))), "Use x[None, :] if it is a single record."),
        (lambda s: s.run(np.ones((2, 9, 4))), "Choose its 3 inputs and give them in the last axi"),
        (lambda s: s.run(np.ones((2, 9, 3), int)), "x is int64, but LSTM reads float32 or float64"),
        (lambda s: s.step(np.ones(3)), "x_t has shape (3,), but LSTM reads (batch, 3). Use x_t[No"),
        (lambda s: s.run(np.ones((2, 9, 3)), lengths=[9]), "lengths has shape (1,) for 2 records."),
        (lambda s: s.run(np.ones((2, 9, 3)), lengths=[9, 10]), "lengths[1] is 10, but the time ax"),
        (lambda s: s.run(np.ones((2, 9, 3)), lengths=[-1, 9]), "lengths[0] is -1, but the time ax"),
        (lambda s: s.run(np.ones((2, 9, 3)), lengths=[1.5, 9]), "lengths are float64, but a lengt"),
        (lambda s: s.run(np.ones((2, 9, 3)), np.ones((1, 2, 17))), "The state holds 1 arrays, but"),
        (
            lambda s: s.run(np.ones((2, 9, 3)), (np.ones((1, 2, 17)), np.ones((1, 1, 17)))),
            "of shape (1, 1, 17), but LSTM needs float32 of shape (1, 2, 17): (layers, batch, si",
        ),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32], ids=str)
def test_a_wrong_input_is_refused_with_advice(saved, call, words):
    with pytest.raises(ShapeError) as caught:
        call(saved("LSTM").stack)
    assert words in str(caught.value)


def test_counts_are_checked(saved):
    stack = saved("LSTM").stack
    with pytest.raises(OptionError, match="batch is 0, but must be an integer, 1 or more"):
        stack.stepper(batch=0)
    with pytest.raises(OptionError, match="threads is 0, but"):
        stack.run(np.ones((1, 1, 3)), threads=0)
