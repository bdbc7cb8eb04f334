"""Pieces of words as a treatment."""

import json

import numpy as np
import pytest

from recurra.data import Preprocessor, from_text, from_tokens
from recurra.data.treatments import Subwords
from recurra.errors import DataError, OptionError

pytest.importorskip("tokenizers")

DATA = from_text(["low lower lowest low", "slow", "北京 low"])


def test_each_record_alone_is_treated_as_among_others():
    pieces = Subwords(270)
    learned = pieces.learn(DATA)
    together = pieces.apply(DATA, learned)
    for k in range(len(DATA)):
        alone = pieces.apply(DATA.take([k]), learned).stream
        assert np.array_equal(alone.values, together.take([k]).stream.values)
        assert alone.categories == together.stream.categories


def test_what_was_learned_can_be_saved_and_gives_the_same():
    fitted = Preprocessor([Subwords(270)])
    treated = fitted.fit_transform(DATA)
    again = Preprocessor.from_saved(json.loads(json.dumps(fitted.header())), fitted.arrays())
    assert np.array_equal(again.transform(DATA).stream.values, treated.stream.values)


def test_what_the_training_part_had_not_is_parted_into_bytes():
    pieces = Subwords(270)
    learned = pieces.learn(DATA.take([0]))
    assert pieces.apply(from_text(["京"]), learned).stream.lengths.tolist() == [3]


def test_words_are_refused_and_so_is_a_size_without_room_for_bytes():
    with pytest.raises(DataError, match="from_text"):
        Subwords().learn(from_tokens([["two", "words"]]))
    with pytest.raises(OptionError, match="from 256 on"):
        Subwords(100)
    with pytest.raises(OptionError, match="'text'"):
        Subwords(stream="txt").learn(DATA)
