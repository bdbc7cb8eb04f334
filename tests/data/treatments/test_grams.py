"""Codes of n-grams and beginnings beside the codes of tokens."""

import json

import numpy as np
import pytest

from recurra.data import Grams, Preprocessor, Vocabulary, from_text, from_tokens, nest
from recurra.data.treatments.grams import tokens_of
from recurra.data.treatments.memory import RecordMemory
from recurra.errors import DataWarning, OptionError

SAID = [["So", "it", "goes"], ["so", "it", "is"], ["it", "is", "so"]]


def coded(grams, train, new=None):
    learned = grams.learn(train)
    return grams.apply(train if new is None else new, learned).stream


def shown(stream, name):
    """The labels of a channel, with what is between their tokens."""
    labels = stream.categories[name]
    column = stream.values[:, stream.channel(name)]
    return [labels[k] if labels[k] is None else labels[k].replace("\x1f", "|") for k in column]


def test_an_n_gram_ends_at_its_step_and_starts_anew_in_each_record():
    stream = coded(Grams(longest=3), from_tokens(SAID))
    assert shown(stream, "token:2") == [
        "|so", "so|it", None, "|so", "so|it", "it|is", None, "it|is", None,
    ]  # fmt: skip
    assert shown(stream, "token:3")[:2] == ["|so", "|so|it"]


def test_tokens_are_coded_as_a_vocabulary_does():
    data = from_tokens(SAID)
    one, other = coded(Grams(longest=2), data), coded(Vocabulary(), data)
    assert np.array_equal(one.values[:, :1], other.values)
    assert one.categories["token"] == other.categories["token"]


def test_beginnings_are_those_of_whole_words_too():
    train = from_tokens([["charming", "charm", "Charmed", "is"]])
    stream = coded(Grams(longest=1, beginnings=(5,), fewest=1), train)
    assert shown(stream, "token:begins5") == ["charm", "charm", "charm", "is"]


def test_a_word_never_seen_is_known_by_how_it_begins():
    train, new = from_tokens([["charming", "charm"]]), from_tokens([["charms"]])
    with pytest.warns(DataWarning, match="1 values of 'token' are unknown"):
        stream = coded(Grams(beginnings=(4,)), train, new)
    assert shown(stream, "token") == [None]
    assert shown(stream, "token:begins4") == ["char"]


def test_what_is_rare_and_what_is_too_much_is_unknown():
    stream = coded(Grams(longest=2, most=1), from_tokens(SAID))
    assert stream.categories["token:2"] == (None, "\x1fso")
    assert "token:2" in coded(Grams(longest=2, fewest=9), from_tokens(SAID)).channels


def test_an_empty_record_has_no_n_grams():
    stream = coded(Grams(longest=2), from_tokens([[], ["a", "b"], [], ["a", "b"], []]))
    assert shown(stream, "token:2") == ["|a", "a|b", "|a", "a|b"]


def test_numbers_may_be_tokens():
    stream = coded(Grams(longest=2), from_tokens([[0, 2, 0, 2]], 3))
    assert shown(stream, "token:2") == [None, "0|2", None, "0|2"]


def test_sentences_of_documents_are_read_inside():
    data = nest(from_text(["so it goes", "so it is"], unit="word"), ["a", "a"])
    made = Preprocessor([Grams(longest=2)]).fit_transform(data)
    assert "token:2" in made.stream.inner.channels


def test_what_was_learned_can_be_saved():
    data = from_tokens(SAID)
    made = Preprocessor([Grams(longest=2, beginnings=(1, 2))]).fit(data)
    header = json.loads(json.dumps(made.header()))
    again = Preprocessor.from_saved(header, made.arrays())
    assert again.treatments == made.treatments
    assert np.array_equal(again.transform(data).stream.values, made.transform(data).stream.values)


def test_tokens_that_come_one_by_one_get_the_same_codes_in_constant_memory():
    train = from_tokens(SAID)
    made = Preprocessor([Grams(longest=3, beginnings=(2,))]).fit(train)
    sentence = ["so", "it", "is", "so", "it", "goes"]
    whole = made.transform(from_tokens([sentence])).stream.values
    memory = RecordMemory(made)
    steps = [memory.read(from_tokens([[word]])).stream.values[-1] for word in sentence]
    assert np.array_equal(np.stack(steps), whole)
    assert memory.kept["text"].rows == 2
    assert len(memory.kept["text"].categories["token"]) <= 2


@pytest.mark.parametrize(
    "wrong", [{"longest": 0}, {"fewest": 0}, {"most": 0}, {"beginnings": 4}, {"beginnings": (0,)}]
)
def test_sizes_that_are_none_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Grams(**wrong)


def test_the_name_of_a_channel_says_how_many_tokens_make_a_code():
    assert list(map(tokens_of, ("token:12", "token", "12", "a:begins4"))) == [12, 1, 1, 1]
