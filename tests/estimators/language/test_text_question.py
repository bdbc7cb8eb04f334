"""Why a token comes next: what is asked of a language model, and what the answer rests on."""

import numpy as np
import pytest
import torch

from recurra import LanguageModel, Training
from recurra.errors import DataError, OptionError
from recurra.estimators.language.text_question import ask, named
from recurra.explaining import explain

QUICK = Training(steps=30, batch_size=8, learning_rate=1e-2, truncation=20, progress=False)
LONG = Training(steps=900, batch_size=16, learning_rate=1e-2, truncation=30, progress=False)
SMALL = {"hidden_size": 16, "embedding_size": 8, "validation": 0.0}
VERSE = "the cat sat on the mat, and the dog sat on the cat. " * 12


@pytest.fixture(scope="module")
def model():
    return LanguageModel(**SMALL, training=QUICK).fit(VERSE)


@pytest.fixture(scope="module", params=["word", "byte", "subword"])
def other(request):
    if request.param == "subword":
        pytest.importorskip("tokenizers")
    return LanguageModel(**SMALL, unit=request.param, training=QUICK).fit([VERSE, "été"])


def answered(question):
    with torch.no_grad():
        return float(question.answer({n: r.values[None] for n, r in question.reads.items()}))


# ------------------------------------------------------------------ what is asked


def test_the_answer_is_the_log_odds_that_the_model_gives(model):
    for target in ("s", "t", "\0"):
        share = model.predict_proba("the cat ")[model.vocabulary_.index(target)]
        assert answered(ask(model, "the cat ", target)) == pytest.approx(
            np.log(share / (1 - share)), abs=1e-5
        )


def test_a_text_has_the_log_probability_that_the_model_gives_it(model):
    said = model.log_likelihoods(["the cat sat on"])[0]
    assert answered(ask(model, "the cat ", "sat on")) == pytest.approx(said[8:14].sum(), abs=1e-5)


def test_units_of_every_kind_are_asked_for_alike(other):
    share = other.predict_proba("the cat sat on")
    code = int(share.argmax())
    question = ask(other, "the cat sat on", other.vocabulary_[code])
    assert answered(question) == pytest.approx(np.log(share[code] / (1 - share[code])), abs=1e-5)
    names = question.reads["text"].steps
    assert "".join(names).replace(" ", "") == "thecatsaton"


def test_by_default_the_most_probable_token_is_asked_for(model):
    best = model.vocabulary_[int(model.predict_proba("the ca").argmax())]
    why = model.explain("the ca", checks=False)
    assert why.asked == f"log odds of {best!r} next"
    assert why.reads["text"].steps == tuple("the ca")
    assert why.reads["text"].channels == ("token",)


def test_the_end_of_a_document_can_be_asked_for(model):
    why = model.explain("the cat.", target="\0", checks=False)
    assert why.asked == "log odds of the end of the document next"


def test_many_changed_texts_are_answered_as_each_alone(model):
    question = ask(model, "on the mat", "at")
    values = torch.randn(5, 10, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together = question.answer({"text": values})
        alone = torch.cat([question.answer({"text": each[None]}) for each in values])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_the_scores_add_up_to_the_change_of_the_answer(model):
    for target in (None, "sat"):
        why = model.explain("the dog and the cat ", target=target)
        assert why.checks.completeness < 0.01
        assert why.by_step().sum() == pytest.approx(why.answer - why.baseline, rel=0.02)


def test_an_unknown_letter_is_called_what_it_is(model):
    with pytest.warns(match="unknown"):
        why = model.explain("the ça", checks=False)
    assert why.reads["text"].steps == tuple("the ça")


def test_pieces_of_letters_are_called_by_their_bytes():
    assert named(0xC3, "byte") == "<C3>"
    assert named("Ã", "subword") == "<C3>"
    assert named("Ã©", "subword") == "é"


# ------------------------------------------------------------------ what was planted


def calls(chance, count):
    """One letter of a to d among others, which comes back after the question mark."""
    found = []
    for _ in range(count):
        rest = [*chance.choice([*"efgh"], chance.integers(4, 10))]
        place, letter = int(chance.integers(0, len(rest) + 1)), str(chance.choice([*"abcd"]))
        rest.insert(place, letter)
        found.append(("".join(rest) + "?", letter, place))
    return found


def test_a_letter_that_is_called_back_is_found():
    chance = np.random.default_rng(0)
    docs = [text + letter for text, letter, _ in calls(chance, 600)]
    options = {"input_dropout": 0.2, "dropout": 0.2, "weight_dropout": 0.0}
    model = LanguageModel(
        hidden_size=32, embedding_size=16, validation=0.0, training=LONG, **options
    ).fit(docs)
    right = unlearned = 0
    for text, letter, place in calls(chance, 40):
        why = model.explain(text, target=letter, method="occlusion", checks=False)
        right += {part.place for part in why.top(2)} == {place, len(text) - 1}
        random = explain(model._question(text, letter).randomised(0), "occlusion", checks=False)
        unlearned += {part.place for part in random.top(2)} == {place, len(text) - 1}
    assert right >= 38
    assert unlearned < 12


# ------------------------------------------------------------------ wrong inputs


@pytest.mark.parametrize(
    ("text", "how", "error", "said"),
    [
        ("", {}, DataError, "There is no text"),
        (["the", "cat"], {}, OptionError, "X holds 2 records"),
        ("the", {"target": "ö"}, DataError, "never learned.*'ö'"),
        ("the", {"target": ""}, OptionError, "what may come next"),
        ("the", {"target": 3}, OptionError, "what may come next"),
        ("the", {"step": 3}, OptionError, "step= is nothing"),
        ("the", {"method": "attention"}, OptionError, "does not attend"),
    ],
)
def test_what_cannot_be_asked_is_refused(model, text, how, error, said):
    with pytest.raises(error, match=said):
        model.explain(text, **how)


def test_a_text_without_words_is_refused():
    model = LanguageModel(**SMALL, unit="word", training=QUICK).fit(VERSE)
    with pytest.raises(DataError):
        model.explain("   ")
