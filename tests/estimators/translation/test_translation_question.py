"""Why an answer: what is asked of sequence to sequence, and what of the source it rests on."""

import numpy as np
import pytest
import torch

from recurra import Training
from recurra.errors import DataError, OptionError
from recurra.estimators.translation.sequence_to_sequence import SequenceToSequence
from recurra.estimators.translation.translation_question import ask
from recurra.explaining import explain

LETTERS = [*"abcdefgh"]


def learned(attention="dot", layer="gru", steps=400):
    chance = np.random.default_rng(1)
    X = ["".join(chance.choice(LETTERS, chance.integers(3, 7))) for _ in range(400)]
    training = Training(steps=steps, batch_size=32, learning_rate=1e-2, progress=False)
    sizes = {"hidden_size": 24, "validation": 0.0}
    return SequenceToSequence(layer, attention=attention, **sizes, training=training).fit(X, X)


@pytest.fixture(scope="module")
def model():
    """A network that copies: letter k of the source decides symbol k of the answer."""
    return learned()


@pytest.fixture(scope="module", params=[("dot", "lstm"), ("additive", "gru")])
def quick(request):
    return learned(*request.param, steps=3)


@pytest.fixture(scope="module")
def measured():
    chance = np.random.default_rng(0)
    X = [chance.normal(size=(chance.integers(2, 6), 3)) for _ in range(20)]
    y = [["up" if row[0] > 0 else "down" for row in each] for each in X]
    training = Training(steps=3, batch_size=8, progress=False)
    return SequenceToSequence(hidden_size=8, validation=0.0, training=training).fit(X, y), X, y


def answered(question):
    with torch.no_grad():
        return float(question.answer({n: r.values[None] for n, r in question.reads.items()}))


# ------------------------------------------------------------------ what is asked


def test_the_answer_is_the_log_probability_that_the_model_gives(quick):
    share = float(quick.predict_proba(["abca"])[0])
    assert answered(ask(quick, ["abca"], None, None, {})) == pytest.approx(np.log(share), abs=1e-5)
    for target in ("bad", ""):
        share = float(quick.predict_proba(["abca"], [target])[0])
        found = answered(ask(quick, ["abca"], target, None, {}))
        assert found == pytest.approx(np.log(share), abs=1e-5)


def test_symbols_and_the_end_together_make_the_answer(quick):
    odds = [answered(ask(quick, ["abca"], "bad", step, {})) for step in range(4)]
    parts = -np.log1p(np.exp(-np.array(odds)))  # the log probabilities
    share = float(quick.predict_proba(["abca"], ["bad"])[0])
    assert parts.sum() == pytest.approx(np.log(share), abs=1e-5)
    assert ask(quick, ["abca"], "bad", -1, {}).asked == "log odds of the end at step 3 of 'bad'"


def test_measurements_are_asked_about_by_channel(measured):
    model, X, y = measured
    why = model.explain(X[:1], target=y[0], step=1)
    (read,) = why.reads.values()
    assert read.channels == ("x0", "x1", "x2")
    np.testing.assert_allclose(read.shown, X[0], rtol=1e-6)
    assert why.checks.completeness < 0.01
    share = float(model.predict_proba(X[:1], [y[0]])[0])
    whole = model.explain(X[:1], target=y[0], checks=False)
    assert whole.answer == pytest.approx(np.log(share), abs=1e-5)


def test_many_changed_sources_are_answered_as_each_alone(quick):
    question = ask(quick, ["abcd"], "dad", None, {})
    ((name, read),) = question.reads.items()
    values = torch.randn(5, *read.values.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together = question.answer({name: values})
        alone = torch.cat([question.answer({name: each[None]}) for each in values])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_the_scores_add_up_to_the_change_of_the_answer(model):
    for how in ({}, {"step": 2}, {"target": "hag"}):
        assert model.explain(["fade"], **how).checks.completeness < 0.01


# ------------------------------------------------------------------ attention


def test_attention_is_what_the_model_attends_to(quick):
    why = quick.explain(["abcd"], target="bad", method="attention", checks=False)
    assert why.alignment.symbols == ("b", "a", "d")
    np.testing.assert_allclose(why.alignment.weights, quick.attend(["abcd"], ["bad"])[0], atol=1e-6)
    np.testing.assert_allclose(why.by_step(), why.alignment.weights.mean(0), atol=1e-6)
    one = quick.explain(["abcd"], target="bad", step=1, method="attention", checks=False)
    np.testing.assert_allclose(one.by_step(), why.alignment.weights[1], atol=1e-6)
    assert one.alignment.symbols == ("a",)


def test_attention_of_several_symbols_is_said_and_drawn(model):
    why = model.explain(["bead"], method="attention", checks=False)
    lines = str(why).splitlines()
    assert "what each of 4 symbols attended to most" in lines
    assert lines[-4].startswith("  b ← b  #0")
    pytest.importorskip("matplotlib")
    figure = why.plot()
    figure.draw_without_rendering()
    (axis,) = figure.axes
    assert axis.images[0].get_array().shape == (4, 4, 4)
    assert [each.get_text() for each in axis.get_yticklabels()] == [*"bead"]
    assert [each.get_text() for each in axis.get_xticklabels()] == [*"bead"]


# ------------------------------------------------------------------ what was planted


@pytest.mark.parametrize("method", ["integrated gradients", "occlusion", "attention"])
def test_the_letter_that_decides_a_symbol_is_found(model, method):
    chance = np.random.default_rng(4)
    right = asked = unlearned = 0
    while asked < 40:
        text = "".join(chance.permutation(LETTERS)[:5])
        if model.predict([text]) != [text]:
            continue
        for step in range(5):
            asked += 1
            why = model.explain([text], step=step, method=method, checks=False)
            right += why.top(1)[0].place == step
            random = ask(model, [text], None, step, {}).randomised(asked)
            unlearned += explain(random, method, checks=False).top(1)[0].place == step
    assert right >= 0.95 * asked
    assert unlearned < 0.6 * asked


# ------------------------------------------------------------------ wrong inputs


@pytest.mark.parametrize(
    ("X", "how", "error", "said"),
    [
        (["ab", "ba"], {}, OptionError, "X holds 2 records"),
        ("ab", {}, OptionError, "one text"),
        ([""], {}, DataError, "nothing to explain"),
        (["ab"], {"target": "xyz"}, DataError, "never learned.*'xyz'"),
        (["ab"], {"target": "ab", "step": 3}, OptionError, "0 to 2"),
        (["ab"], {"target": 3}, DataError, "list of labels"),
        (["ab"], {"times": [1, 2]}, OptionError, "goes with measurements"),
        (["ab"], {"method": "attention", "by": "channel"}, OptionError, "by='step'"),
    ],
)
def test_what_cannot_be_asked_is_refused(quick, X, how, error, said):
    with pytest.raises(error, match=said):
        quick.explain(X, **how)
