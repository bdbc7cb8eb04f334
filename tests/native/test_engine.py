"""The binding: instruction sets, what it refuses, and a machine without the engine."""

import re
import subprocess
import sys

import pytest

from recurra import native
from recurra.errors import OptionError
from recurra.native import ISAS, engine, instruction_set, instruction_sets, missing, using

built = pytest.mark.skipif(engine is None, reason=missing)


def test_every_instruction_set_has_a_word():
    assert list(instruction_sets()) == list(ISAS)
    words = {"can be used", "not built", "not on this processor"}
    assert set(instruction_sets().values()) <= words


@built
def test_the_plainest_instruction_set_can_always_be_used():
    assert instruction_sets()["baseline"] == "can be used"


@built
def test_the_best_instruction_set_is_in_use():
    usable = [name for name, said in instruction_sets().items() if said == "can be used"]
    real = [name for name in usable if not name.endswith("emulated")]
    assert instruction_set() == real[-1]


@built
def test_an_instruction_set_is_forced_inside_the_block_only(isa):
    before = instruction_set()
    with using("baseline"):
        assert instruction_set() == "baseline"
        with using(isa):
            assert instruction_set() == isa
        assert instruction_set() == "baseline"
    assert instruction_set() == before
    with pytest.raises(KeyError), using("baseline"):
        raise KeyError
    assert instruction_set() == before


def test_an_unknown_instruction_set_gets_the_names_there_are():
    words = "There is no instruction set 'avx51'. Did you mean 'avx512'?"
    with pytest.raises(OptionError, match=re.escape(words)), using("avx51"):
        pass


def test_an_instruction_set_that_cannot_be_used_says_why(monkeypatch):
    monkeypatch.setattr(native, "engine", None)
    words = "The instruction set 'avx2' is not built."
    with pytest.raises(OptionError, match=re.escape(words)), using("avx2"):
        pass
    assert instruction_set() is None


@built
@pytest.mark.parametrize(
    "call",
    [
        lambda: engine.forward(),
        lambda: engine.forward(1),
        lambda: engine.forward(1, [0] * 27),
        lambda: engine.forward(1, (0,) * (engine.MEMBERS + 1)),
        lambda: engine.forward(1, ("a",)),
        lambda: engine.forward("1", (0,) * 27),
        lambda: engine.backward(1, (), (), ()),
        lambda: engine.saved_size([]),
        lambda: engine.block("a"),
        lambda: type(engine.block(1))(),
    ],
)
def test_what_is_no_run_is_refused(call):
    with pytest.raises(TypeError):
        call()


@built
def test_a_number_too_large_for_a_run_is_refused():
    with pytest.raises(OverflowError):
        engine.forward(1, (1 << 70,))


@built
def test_a_call_about_nothing_does_nothing():
    nothing = (1, 0, 4, *(0,) * 23)
    engine.forward(3, nothing)
    engine.backward(3, nothing)
    assert engine.saved_size(nothing) == 0


def test_without_the_engine_all_else_is_there():
    code = """
import sys
sys.modules["recurra.native._engine"] = None
from recurra import native
assert native.engine is None and "the native engine is not there" in native.missing
assert native.instruction_set() is None and set(native.instruction_sets().values()) == {"not built"}
import torch
from recurra.layers import GRU
layer, x = GRU(3, 4), torch.ones(5, 2, 3)
choice = layer.choice(x)
assert choice.backend == "aten" and "the native engine is not there" in choice.reason, choice
layer(x, lengths=[5, 2])[0].sum().backward()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
