"""A language model, a token at a time."""

import copy

import numpy as np
import pytest

from recurra import Training
from recurra.errors import DataError
from recurra.estimators import LanguageModel
from recurra.estimators.language.language_data import END


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    options = Training(steps=20, batch_size=4)
    return LanguageModel(hidden_size=16, training=options).fit("abba abab " * 60)


def test_it_begins_with_a_document(model):
    assert np.array_equal(model.stream().probabilities, model.predict_proba(""))


def test_reading_a_text_is_stepping_through_its_letters(model):
    one, two = model.stream(), model.stream()
    for letter in "abba ":
        chances = one.step(letter)
    assert abs(two.read("abba ") - chances).max() < 1e-6
    assert np.array_equal(two.read(""), two.probabilities)


def test_the_end_begins_another_document(model):
    chances = model.stream("ab").step(END)
    assert chances.sum() == pytest.approx(1)


def test_what_is_unknown_is_read_as_such(model):
    session = model.stream("ab")
    assert np.array_equal(session.step("?"), model.stream("ab").step(None))


def test_a_copy_tries_what_might_come_next(model):
    session = model.stream("ab")
    before = session.probabilities
    copy.deepcopy(session).step("b")
    assert np.array_equal(session.probabilities, before)


def test_a_token_of_another_kind_is_refused_where_there_is_no_unknown():
    options = Training(steps=2, batch_size=4)
    model = LanguageModel(unit="byte", hidden_size=8, training=options).fit("abba " * 60)
    with pytest.raises(DataError, match="knows no unknown"):
        model.stream().step("a")
    assert np.array_equal(model.stream().step(ord("a")), model.stream("a").probabilities)
