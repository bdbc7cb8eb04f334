import copy
import pickle
import sys
import threading
import weakref

import numpy as np
import pytest
import torch

from recurra.errors import ShapeError


def in_time(pair, x):
    """The steps of an input, each an array (batch, inputs) of its own."""
    return np.ascontiguousarray(x.transpose(0, 1) if pair.layer.batch_first else x)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


@pytest.mark.parametrize("batch", [1, 5, 100])
def test_step_by_step_gives_what_whole_records_give(pair, batch):
    x = pair.input(batch, 6)
    stepper = pair.stack.stepper(batch)
    outputs = np.stack([stepper.step(x_t) for x_t in in_time(pair, x)])
    expected, after = pair.layer(x)
    expected = expected.transpose(0, 1) if pair.layer.batch_first else expected
    np.testing.assert_allclose(outputs, expected.detach(), rtol=0, atol=pair.tolerance)
    for ours, theirs in zip(parts(stepper.state), parts(after), strict=True):
        np.testing.assert_allclose(ours, theirs.detach(), rtol=0, atol=pair.tolerance)
    assert outputs.dtype == pair.stack.dtype


def test_a_state_can_be_taken_set_and_reset(pair):
    steps = in_time(pair, pair.input(2, 6))
    stepper = pair.stack.stepper(2)
    first = [stepper.step(x_t).copy() for x_t in steps[:3]]
    state = stepper.state
    second = [stepper.step(x_t).copy() for x_t in steps[3:]]
    stepper.state = state
    assert np.array_equal(second, [stepper.step(x_t) for x_t in steps[3:]])
    stepper.reset()
    assert np.array_equal(first, [stepper.step(x_t) for x_t in steps[:3]])
    for one, other in zip(parts(stepper.state), parts(state), strict=True):
        assert np.array_equal(one, other)


def test_a_state_that_was_taken_does_not_change(saved):
    stepper = saved("LSTM").stack.stepper()
    h, c = stepper.state
    stepper.step(np.ones(3))
    assert not h.any()
    assert not c.any()


def test_outputs_that_are_kept_do_not_change(saved):
    pair = saved("two GRUs")
    steps = in_time(pair, pair.input(1, 50))
    stepper = pair.stack.stepper()
    arrays, views, copies = [], [], []
    for k, x_t in enumerate(steps):
        y = stepper.step(x_t)
        copies.append(y.copy())
        arrays.append(y if k % 3 == 0 else None)
        views.append(y[0, 1:] if k % 3 == 1 else memoryview(y) if k % 3 == 2 else None)
    del y
    for array, view, expected in zip(arrays, views, copies, strict=True):
        if array is not None:
            assert np.array_equal(array, expected)
        elif isinstance(view, memoryview):
            assert np.array_equal(np.asarray(view), expected)
        else:
            assert np.array_equal(view, expected[0, 1:])


@pytest.mark.parametrize("spoil", ["shape", "writeable", "dtype"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_output_that_its_holder_changed_is_not_used_again(saved, spoil):
    pair = saved("two GRUs")
    stepper, expected = pair.stack.stepper(), pair.stack.stepper()
    value = {"shape": (2, 2), "dtype": np.uint8}
    for x_t in in_time(pair, pair.input(1, 8)):
        y = stepper.step(x_t)
        assert np.array_equal(y, expected.step(x_t))
        if spoil == "writeable":
            y.flags.writeable = False
        else:
            setattr(y, spoil, value[spoil])
        del y


def test_an_output_can_be_the_next_input(saved):
    pair = saved("RNN")
    stepper = pair.stack.stepper()
    y, state = pair.stack.step(np.ones((1, 3)))
    again = stepper.step(np.ones((1, 3)))
    for _ in range(5):
        y, state = pair.stack.step(y[:, :3], state)
        again = stepper.step(np.ascontiguousarray(again[:, :3]))
        np.testing.assert_allclose(again, y, rtol=0, atol=pair.tolerance)


def test_both_types_one_record_without_its_axis_and_unaligned_numbers_are_read(saved):
    pair = saved("LSTM")
    x = pair.input(1, 1).numpy()[0].astype(np.float32)
    unaligned = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32)
    readonly = x.copy()
    readonly.flags.writeable = False
    inputs = (x, x[0], x.astype(np.float64), unaligned, readonly)
    outputs = [pair.stack.stepper().step(each) for each in inputs]
    assert all(np.array_equal(each, outputs[0]) for each in outputs)
    assert outputs[0].shape == (1, 17)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_copy_goes_its_own_way(pair, way):
    steps = in_time(pair, pair.input(2, 3))
    stepper = pair.stack.stepper(2)
    stepper.step(steps[0])
    twin = way(stepper)
    twin.step(steps[1])
    expected = pair.stack.stepper(2)
    expected.step(steps[0])
    assert np.array_equal(stepper.step(steps[2]), expected.step(steps[2]))
    twin.reset()
    assert np.array_equal(twin.step(steps[0]), way(pair.stack.stepper(2)).step(steps[0]))


@pytest.mark.parametrize(
    ("x_t", "words"),
    [
        (
            [[1.0] * 3] * 2,
            "x_t is a list, but the stepper reads an array of float32 or float64, sh",
        ),
        (None, "x_t is a NoneType, but the stepper reads"),
        (np.ones(3), "x_t has shape (3,), but the stepper reads an array of float32 or float64, s"),
        (np.ones((3, 3)), "Build it with stack.stepper(batch=…) for as many records as come toget"),
        (
            np.ones((3, 2)),
            "x_t has shape (3, 2), but the stepper reads an array of float32 or floa",
        ),
        (np.ones(6), "shape (2, 3). Use x_t.reshape(2, 3)."),
        (np.ones((2, 3, 1)), "Use x_t.reshape(2, 3)."),
        (
            np.ones((2, 3), int),
            "x_t is int64, but the stepper reads an array of float32 or float64",
        ),
        (np.ones((2, 3), ">f4"), "x_t is >f4, but"),
        (np.ones((2, 3), np.float16), "Use x_t.astype(np.float"),
        (np.ones((3, 2)).T, "x_t is not C-contiguous, but the stepper reads"),
        (np.ones((2, 6))[:, ::2], "Use np.ascontiguousarray(x_t)."),
        (torch.ones(2, 3), "x_t is a Tensor, but the stepper reads an array of float32 or float64"),
    ],
)
def test_a_wrong_input_is_refused_with_advice_and_leaves_the_state(saved, x_t, words):
    stepper = saved("LSTM").stack.stepper(2)
    stepper.step(np.ones((2, 3)))
    before = stepper.state
    with pytest.raises(ShapeError) as caught:
        stepper.step(x_t)
    assert words in str(caught.value)
    assert all(map(np.array_equal, before, stepper.state))


def test_a_wrong_state_is_refused(saved):
    stepper = saved("LSTM").stack.stepper(2)
    with pytest.raises(ShapeError, match="The state holds 1 arrays, but LSTM carries h and c"):
        stepper.state = np.zeros((1, 2, 17))


def test_steps_leave_no_memory_behind(saved):
    pair = saved("LSTM")
    x = pair.input(1, 1).numpy()[0]
    stepper = pair.stack.stepper()
    y = stepper.step(x)
    references = sys.getrefcount(x)
    for _ in range(100):
        y = stepper.step(x)
        with pytest.raises(ShapeError):
            stepper.step(x[:, :2])
    assert sys.getrefcount(x) == references
    assert y.base is None
    arrays = [weakref.ref(part) for part in (*stepper._state, y)]
    del stepper, y
    assert not any(array() is not None for array in arrays)


@pytest.mark.parametrize("dtype", [torch.float32], ids=str)
def test_threads_with_steppers_of_their_own_do_not_meet(saved):
    pair = saved("three LSTMs")
    steps = in_time(pair, pair.input(400, 20))  # large enough to let go of the interpreter
    answers = {}

    def go(name):
        stepper = pair.stack.stepper(400)
        answers[name] = [stepper.step(x_t) for x_t in steps]

    threads = [threading.Thread(target=go, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    go("alone")
    assert all(np.array_equal(answers[name], answers["alone"]) for name in range(3))
