"""The engine writes what it was asked for, all of it, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.native import ISAS, engine, instruction_sets, missing, using

pytestmark = pytest.mark.skipif(engine is None, reason=missing)

USABLE = [name for name, said in instruction_sets().items() if said == "can be used"]
EXAMPLES = 150 if hasattr(engine, "planted_overrun") else 300
CELLS = ["elman", "lstm", "gru"]
SIZES = st.one_of(st.integers(1, 9), st.sampled_from([15, 16, 17, 31, 33, 63, 64, 65]))


@st.composite
def kinds(draw):
    """What a case is drawn from."""
    steps = draw(st.integers(0, 9))
    length = st.one_of(st.integers(0, steps), st.sampled_from([0, steps]))
    most = draw(st.sampled_from([3, 8, 60]))
    return {
        "cell": draw(st.sampled_from(CELLS)),
        "lengths": draw(st.lists(length, max_size=most)),
        "inputs": draw(SIZES),
        "hidden": draw(SIZES),
        "steps": steps,
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "ways": draw(st.sampled_from([(0,), (1,), (0, 1)])),
        "activation": draw(st.sampled_from(["tanh", "relu", "sigmoid"])),
        "state": draw(st.booleans()),
        "bias": draw(st.booleans()),
    }


def test_any_shape_is_filled_and_nothing_beside_it(draw, solve, poison_kept_memory):
    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
    @given(
        kinds(), st.sampled_from([0, 1, 5]), st.sampled_from([1, 2, 3, 8]), st.sampled_from(USABLE)
    )
    def holds(kind, gap, threads, isa):
        case = draw(**kind)
        poison_kept_memory()
        with using(isa):
            found = solve(case, threads, gap=gap)
        padding = np.arange(kind["steps"])[:, None] >= np.array(kind["lengths"], int)
        assert not found["y"][padding].any()
        assert not found["dx"][padding].any()

    holds()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS)
def test_gaps_between_rows_change_no_bit(cell, dtype, isa, draw, solve, same_bits):
    for hidden in (1, 15, 33):
        case = draw(cell, [6, 0, 2, 6, 3], 5, hidden, steps=7, dtype=dtype, ways=(0, 1))
        same_bits(solve(case, gap=7), solve(case))


@pytest.mark.parametrize("cell", CELLS)
def test_each_gradient_can_be_had_alone(cell, isa, draw, Call):
    case = draw(cell, [4, 0, 2], 3, 17)
    everything = gradients_of(Call(case))
    weights = {name for name in everything if name[:2] in ("dw", "db")}
    for wanted in ({"dx"}, {"dh0"}, {"dc0"} & everything.keys(), weights):
        found = gradients_of(Call(case, without=everything.keys() - wanted))
        assert found == {name: everything[name] for name in wanted}


@pytest.mark.parametrize("cell", CELLS)
def test_no_gradient_coming_back_is_one_of_zero(cell, isa, draw, Call):
    case = draw(cell, [4, 0, 2], 3, 17)
    zero = replace(case, dy=np.zeros_like(case.dy), dstates=np.zeros_like(case.dstates))
    for names in (("dy",), ("dhn",), ("dcn",), ("dy", "dhn"), ("dhn", "dcn")):
        given = {"dy": zero.dy if "dy" in names else case.dy, "dstates": case.dstates.copy()}
        for part, name in zip(given["dstates"], ("dhn", "dcn"), strict=False):
            part[...] = 0 if name in names else part
        expected = gradients_of(Call(replace(case, **given)))
        assert gradients_of(Call(case, without=names)) == expected


def gradients_of(call):
    """The bytes of what a call gives going back."""
    call.forward()
    call.backward()
    call.check()
    return {name: one.tobytes() for name, one in call.results().items() if name[0] == "d"}


def test_the_guards_see_a_number_written_too_far(draw, Call):
    case = draw("gru", [4, 4], 3, 5)
    call = Call(case)
    call.runs[0][22] += 3  # steps further apart than there is room for
    call.forward()
    with pytest.raises(AssertionError, match="something is written beside y"):
        call.check()


def test_the_guards_see_an_input_written_to(draw, Call):
    call = Call(draw("gru", [4, 4], 3, 5))
    call.forward()
    call._given["w_hh"][0, 3, 3] += 1
    with pytest.raises(AssertionError, match="w_hh is written to"):
        call.check()


def test_every_instruction_set_that_can_be_used_is(isa):
    assert ISAS[engine.isa()] == isa
