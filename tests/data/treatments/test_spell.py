"""Words in small letters, and their letters beside them."""

import unicodedata

import numpy as np
import pytest

from recurra.data import Preprocessor, SequenceDataset, from_arrays, from_tokens
from recurra.data.batching import pad_records
from recurra.data.treatments import Spell, Vocabulary
from recurra.errors import DataError, OptionError


def spelt(records, **options):
    data, spell = from_tokens(records), Spell(**options)
    return spell.apply(data, spell.learn(data)).streams


def words_of(stream):
    """Spell the words of a stream out again, record by record."""
    labels = np.array(stream.inner.categories["letter"], object)
    letters = ["".join(labels[stream.inner.at(k).values.ravel()]) for k in range(stream.rows)]
    return [letters[a:b] for a, b in zip(stream.offsets, stream.offsets[1:], strict=False)]


def test_each_word_is_spelt_as_it_was_and_written_small():
    records = [["The", "cat", "the"], [], ["McX", "I"]]
    streams = spelt(records)
    assert list(streams) == ["text", "text:letters"]
    assert words_of(streams["text:letters"]) == records
    small = np.array(streams["text"].categories["token"], object)[streams["text"].values.ravel()]
    assert small.tolist() == ["the", "cat", "the", "mcx", "i"]


def test_a_word_without_letters_is_a_record_of_none():
    assert words_of(spelt([["", "ab"], [""]])["text:letters"]) == [["", "ab"], [""]]


def test_of_long_words_the_beginning_and_the_end_are_spelt():
    streams = spelt([["a" * 20 + "b" * 20, "short"]], longest=7)
    assert words_of(streams["text:letters"]) == [["aaaabbb", "short"]]


def test_two_ways_to_write_a_letter_are_one_word():
    one, two = unicodedata.normalize("NFC", "été"), unicodedata.normalize("NFD", "été")
    assert spelt([[one, two]])["text"].values.ravel().tolist() == [0, 0]


def test_half_of_a_surrogate_pair_is_a_letter_like_others():
    assert words_of(spelt([["a\ud800", "b"]])["text:letters"]) == [["a\ud800", "b"]]


def test_single_letters_are_no_words_and_keep_their_capitals():
    streams = spelt([["a", "A", "c"]])
    assert list(streams) == ["text"]
    assert streams["text"].categories["token"] == ("A", "a", "c")


def test_numbers_that_stand_for_tokens_are_no_words():
    data = from_tokens([[0, 1]], vocabulary=2)
    assert Spell().learn(data) == {"streams": []}


def test_what_was_a_word_in_training_is_one_later():
    train, later = from_tokens([["ab", "c"]]), from_tokens([["c"]])
    made = Preprocessor([Spell(), Vocabulary()]).fit(train)
    assert list(made.transform(later).streams) == ["text", "text:letters"]


def test_the_letters_go_with_their_records_into_a_batch():
    data = from_tokens([["The", "cat"], ["I"], []])
    spell = Spell()
    treated = spell.apply(data, spell.learn(data))
    batch = pad_records(treated.take([2, 1, 0]), [0, 1, 2]).streams["text:letters"]
    assert batch.lengths.tolist() == [0, 1, 2]
    assert batch.inner.lengths.tolist() == [1, 3, 3]


def test_a_step_without_a_word_has_no_letters():
    stream = from_tokens([["ab", "cd"]]).stream
    hidden = SequenceDataset(
        (0,), {"text": type(stream)(**{**vars(stream), "observed": np.array([[True], [False]])})}
    )
    spell = Spell()
    assert words_of(spell.apply(hidden, spell.learn(hidden)).streams["text:letters"]) == [
        ["ab", ""]
    ]


def test_streams_that_do_not_suit_are_refused():
    with pytest.raises(OptionError, match="no stream 'words'"):
        Spell("words").learn(from_tokens([["ab"]]))
    with pytest.raises(OptionError, match="a stream of tokens, but 'x' is of values"):
        Spell("x").learn(from_arrays([[1.0]]))
    with pytest.raises(OptionError, match="longest=1"):
        Spell(longest=1)
    data = from_tokens([["ab"]])
    with pytest.raises(DataError, match="no stream 'text', but the training part had it"):
        Spell().apply(from_arrays([[1.0]]), Spell().learn(data))
