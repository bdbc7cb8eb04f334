"""What changes no bit: threads, neighbours, the order of records, padding, going step by step.

The gradients of the weights are sums over records, so their last bits do depend on which records
there are and in which order; all else is each record's own.
"""

from dataclasses import replace

import numpy as np
import pytest

from recurra.native import engine, missing

pytestmark = pytest.mark.skipif(engine is None, reason=missing)

CELLS = ["elman", "lstm", "gru"]
DTYPES = ["float32", "float64"]
OF_RECORDS = {"y": 1, "hn": 1, "cn": 1, "dx": 1, "dh0": 1, "dc0": 1}  # name: axis of records
BATCHES = {
    "one record": [95],
    "few, equally long": [35] * 3,
    "few, ragged": [40, 0, 21, 40],
    "many, ragged": [(7 * n) % 4 for n in range(110)],
    "one long, many short": [50] + [1] * 50,
}


@pytest.mark.parametrize("lengths", BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", CELLS)
def test_no_number_of_threads_changes_a_bit(cell, dtype, lengths, isa, draw_wide, solve, same_bits):
    case = draw_wide(cell, lengths, dtype=dtype, ways=(0, 1))
    alone = solve(case, 1)
    for threads in (2, 3, 8):
        same_bits(solve(case, threads), alone)


@pytest.mark.parametrize("cell", CELLS)
def test_threads_share_the_packing_of_wide_weights(cell, isa, draw, solve, same_bits):
    case = draw(cell, [3, 2, 0, 3], 301, 303, ways=(0, 1))
    same_bits(solve(case, 8), solve(case, 1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", CELLS)
def test_neighbours_and_their_order_change_no_bit(cell, dtype, isa, draw, solve):
    lengths = [(5 * n) % 9 for n in range(53)]
    case = draw(cell, lengths, 3, 18, dtype=dtype, ways=(0, 1), steps=9)
    together = solve(case, 2)
    order = np.random.default_rng(1).permutation(len(lengths)).tolist()
    chosen = [order, order[:2], order[7:12], *([record] for record in range(12))]
    for records in chosen:
        found = solve(case.of_records(records))
        for name, axis in OF_RECORDS.items():
            if name in found:
                expected = np.take(together[name], records, axis)
                assert found[name].tobytes() == expected.tobytes(), f"{name} of {records} differs"


@pytest.mark.parametrize("cell", CELLS)
def test_no_amount_of_padding_changes_a_bit(cell, isa, draw, solve):
    short, long = (draw(cell, [4, 0, 2], 3, 18, ways=(0, 1), steps=n) for n in (4, 11))
    ours, theirs = solve(long), solve(short)
    for name, one in theirs.items():
        cut = ours[name][: len(one)] if name in ("y", "dx") else ours[name]
        assert cut.tobytes() == one.tobytes(), name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hidden", [1, 16, 35])
def test_step_by_step_is_the_whole_to_the_bit(cell, dtype, hidden, isa, draw, Call):
    case = draw(cell, [8] * 5, 3, hidden, dtype=dtype)
    whole = Call(case)
    whole.forward()
    found, states = [], case.states
    for t in range(8):
        step = Call(replace(case, x=case.x[t : t + 1], dy=case.dy[:1], states=states), saves=False)
        step.forward()
        found.append(step.rooms["y"].array)
        states = np.array([step.rooms[name].array for name in ("hn", "cn") if name in step.rooms])
    assert np.concatenate(found).tobytes() == whole.rooms["y"].array.tobytes()
    for state, name in zip(states, ("hn", "cn"), strict=False):
        assert state.tobytes() == whole.rooms[name].array.tobytes()


@pytest.mark.parametrize("cell", CELLS)
def test_reading_backwards_is_reading_what_is_turned(cell, isa, draw, solve):
    lengths = [5, 0, 3]
    case = draw(cell, lengths, 3, 18, ways=(1,))
    turned = replace(case, x=case.x.copy(), dy=case.dy.copy(), ways=(0,))
    for array in (turned.x, turned.dy):
        for record, length in enumerate(lengths):
            array[:length, record] = array[:length, record][::-1].copy()
    ours, theirs = solve(case), solve(turned)
    for name in OF_RECORDS.keys() & ours.keys():
        expected = theirs[name].copy()
        if name in ("y", "dx"):
            for record, length in enumerate(lengths):
                expected[:length, record] = expected[:length, record][::-1].copy()
        assert ours[name].tobytes() == expected.tobytes(), name


@pytest.mark.parametrize("cell", CELLS)
def test_packing_before_and_saving_nothing_change_no_bit(cell, isa, draw, Call):
    case = draw(cell, [6, 0, 2, 6], 3, 35, ways=(0, 1))
    outputs = []
    for options in ({}, {"packed": True}, {"saves": False}, {"packed": True, "saves": False}):
        call = Call(case, **options)
        call.forward()
        call.check()
        outputs.append({name: call.rooms[name].array.tobytes() for name in ("y", "hn")})
    assert outputs == outputs[:1] * 4


@pytest.mark.parametrize("cell", CELLS)
def test_a_null_state_and_null_biases_are_zeros(cell, isa, draw, Call):
    case = draw(cell, [6, 0, 2, 6], 3, 35)
    weights = {k: v * 0 if "b_" in k else v for k, v in case.weights.items()}
    zeros = replace(case, states=case.states * 0, weights=weights)
    names = {"y", "hn", "cn", "dx", "dh0", "dc0", "dw_ih", "dw_hh"}
    found = []
    for call in (Call(zeros), Call(zeros, without=("h0", "c0", "b_ih", "b_hh", "db_ih", "db_hh"))):
        call.forward()
        call.backward()
        found.append({name: one for name, one in call.results().items() if name in names})
    for name, one in found[0].items():
        np.testing.assert_array_equal(found[1][name], one)
