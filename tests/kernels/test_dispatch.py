"""Which backend runs, why, and how to force one."""

import re
import threading

import pytest
import torch

from recurra.errors import OptionError
from recurra.kernels import Choice, Stack, backend, choose, native, run
from recurra.testing import draw_weights

X = torch.ones(5, 2, 3)
BEST = "native" if native.engine else "aten"


@pytest.mark.parametrize(
    ("stack", "lengths", "expected"),
    [
        (Stack("lstm"), None, "aten: torch's own kernel: all records are equally long"),
        (Stack("gru"), [5, 5], "aten: torch's own kernel: all records are equally long"),
        (Stack("gru"), [3, 3], "aten: torch's own kernel: all records are equally long"),
        (Stack("elman"), [5, 1], "aten: torch's own kernel, packed: the records differ in length"),
        (Stack("lstm"), [0, 0], "reference: torch's kernels refuse a batch without a single"),
        (Stack("jordan"), [5, 1], "reference: torch has no Jordan kernel; the definition"),
        (Stack("elman", activation="sigmoid"), None, "reference: torch has no Elman kernel with"),
    ],
)
def test_without_the_engine_a_choice_says_why(stack, lengths, expected, monkeypatch):
    monkeypatch.setattr(native, "engine", None)
    monkeypatch.setattr(native, "missing", "no engine")
    expected = expected.replace(": ", ": no engine; ", 1)
    counts = None if lengths is None else torch.tensor(lengths)
    assert str(choose(stack, X, counts)).startswith(expected)


@pytest.mark.skipif(native.engine is None, reason="the native engine was not built")
@pytest.mark.parametrize(
    ("stack", "x", "expected"),
    [
        (Stack("lstm"), X, "native: the compiled engine ("),
        (Stack("elman", activation="sigmoid"), X.double(), "native: the compiled engine ("),
        (Stack("gru"), X.half(), "aten: the native engine has no torch.float16; torch's own"),
        (Stack("jordan"), X, "reference: the native engine has no jordan cell; torch has no"),
    ],
)
def test_with_the_engine_a_choice_says_why(stack, x, expected):
    assert str(choose(stack, x)).startswith(expected)


def test_a_backend_is_forced_inside_the_block_only():
    assert choose(Stack("lstm"), X).backend == BEST
    with backend("reference"):
        assert choose(Stack("lstm"), X) == Choice("reference", "forced by backend('reference')")
        with backend("aten"):
            assert choose(Stack("lstm"), X).backend == "aten"
        assert choose(Stack("lstm"), X).backend == "reference"
    assert choose(Stack("lstm"), X).backend == BEST


def test_a_backend_is_no_longer_forced_after_an_error():
    with pytest.raises(KeyError), backend("reference"):
        raise KeyError
    assert choose(Stack("lstm"), X).backend == BEST


def test_another_thread_is_not_forced():
    seen = []
    with backend("reference"):
        thread = threading.Thread(target=lambda: seen.append(choose(Stack("gru"), X).backend))
        thread.start()
        thread.join()
    assert seen == [BEST]


def test_a_forced_backend_that_cannot_run_says_why():
    words = "The forced backend 'aten' cannot run this input: torch has no Jordan kernel. Leave"
    weights = draw_weights(1, 3, 4, output_map=True, dtype=torch.float32)
    with backend("aten"), pytest.raises(OptionError, match=re.escape(words)):
        choose(Stack("jordan"), X)
    with backend("aten"), pytest.raises(OptionError, match=re.escape(words)):
        run(Stack("jordan"), X, (torch.zeros(1, 2, 4),), [weights])


def test_an_unknown_backend_gets_the_names_there_are():
    words = "There is no backend 'atem'. Did you mean 'aten'? There are: 'native', 'aten', "
    with pytest.raises(OptionError, match=re.escape(words)), backend("atem"):
        pass


@pytest.mark.parametrize("name", [BEST, "aten", "reference"])
@pytest.mark.parametrize("lengths", [[3, 1], [3, 3]])
def test_the_output_is_filled_up_to_the_time_axis(name, lengths):
    weights = draw_weights(3, 3, 4, dtype=torch.float32)
    with backend(name):
        output, _ = run(Stack("gru"), X, (torch.zeros(1, 2, 4),), [weights], torch.tensor(lengths))
    assert output.shape == (5, 2, 4)
    assert not output[3:].any()
    assert output[2, 0].any()


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Stack("lsmt"), "There is no cell 'lsmt'. Did you mean 'lstm'?"),
        (lambda: Stack("elman", activation="thanh"), "There is no activation 'thanh'."),
        (lambda: Stack("gru", num_layers=1.5), "num_layers is 1.5, but must be an integer."),
    ],
)
def test_a_wrong_plan_is_refused(build, words):
    with pytest.raises(OptionError, match=re.escape(words)):
        build()
