"""How a text is read, cut, and laid out."""

from itertools import islice

import numpy as np
import pytest

from recurra.data import from_text, from_tokens
from recurra.data.treatments import Vocabulary
from recurra.errors import DataError, DataWarning, OptionError
from recurra.estimators.language.language_data import (
    END,
    count_letters,
    documents,
    endless_end,
    endless_rows,
    flat_rows_of,
    last_part,
    part_end,
    read_documents,
)


def coded(text, unit="char"):
    read = read_documents(text, unit)
    treated = Vocabulary().apply(read, Vocabulary().learn(read))
    vocabulary = (*treated.stream.categories["token"], END)
    return documents(treated, vocabulary), vocabulary


def test_a_document_stands_between_two_ends():
    (first, second), vocabulary = coded(["ab", "b"])
    assert [vocabulary[k] for k in first] == [END, "a", "b", END]
    assert [vocabulary[k] for k in second] == [END, "b", END]


def test_texts_files_and_data_sets_are_read_alike(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text("so it goes\nso", encoding="utf-8")
    text = "so it goes\nso"
    for source in (path, [path], [text], from_text([text])):
        read = read_documents(source, "char").stream
        assert np.array_equal(read.values, read_documents(text, "char").stream.values)
    assert len(read_documents([text, "and so on"], "char")) == 2


def test_a_line_end_is_a_word_and_a_chinese_character_is_one():
    tokens = read_documents("so it\ngoes, 北京", "word").stream
    words = tokens.categories["token"]
    read = [words[k] for k in tokens.values[:, 0]]
    assert read == ["so", "it", "\n", "goes", ",", "北", "京"]


def test_empty_documents_are_left_out_and_told():
    with pytest.warns(DataWarning, match="1 document is empty and was left out, of 3"):
        read = read_documents(["a", "", "b"], "char")
    assert len(read) == 2
    assert "1 document is empty" in read.notes[0]


@pytest.mark.parametrize("nothing", ["", [], ["", ""]])
def test_nothing_at_all_is_refused(nothing):
    with pytest.raises(DataError, match="There is no text"):
        read_documents(nothing, "char")


def test_tokens_that_are_not_what_was_said_are_refused():
    words = from_tokens([["two", "words"]])
    with pytest.raises(OptionError, match="'two' is no letter"):
        read_documents(words, "char")
    with pytest.raises(OptionError, match="not the numbers from 0 to 255"):
        read_documents(words, "byte")
    with pytest.raises(DataError, match="hold a zero"):
        read_documents(from_tokens([["a", END]]), "word")


def test_the_end_of_the_text_is_held_back_whole():
    text = ["a" * 500, "b" * 700, "c" * 20]
    kept, held = part_end(read_documents(text, "char"), 0.1)
    assert kept.stream.lengths.tolist() == [500, 598]
    assert held.stream.lengths.tolist() == [102, 20]
    assert kept.ids == (0, 1)
    assert held.ids == (1, 2)
    assert kept.stream.rows + held.stream.rows == 1220


def test_little_is_not_held_back_and_never_more_than_fifty_thousand():
    assert part_end(read_documents("a" * 900, "char"), 0.1)[1] is None
    assert part_end(read_documents("a" * 900, "char"), 0.0)[1] is None
    assert part_end(read_documents("a" * 600_000, "char"), 0.1)[1].stream.rows == 50_000


def test_the_last_part_is_as_long_as_can_be_scored_quickly():
    short, long = (read_documents("a" * n, "char") for n in (300, 70_000))
    assert last_part(short) is short
    assert last_part(long).stream.rows == 50_000


def test_the_end_has_as_much_of_the_rest_beside_it():
    end, rest = [np.array([9, 1, 1, 1, 9])], [np.array([9, *[2] * 50, 9])]
    for batch in islice(endless_end(end, rest, 2, seed=0), 5):
        assert batch.codes.shape == batch.targets.shape == (4, 2)
        assert set(batch.codes[:2].ravel().tolist()) <= {9, 1}
        assert set(batch.codes[2:].ravel().tolist()) <= {9, 2}


def test_each_batch_lays_out_the_whole_text_without_a_gap():
    text = [np.array([9, *range(8), 9]), np.array([9, 8, 9])]  # 11 tokens in a ring
    for batch in islice(endless_rows(text, 3, seed=0), 20):
        assert batch.codes.shape == (3, 4)
        ring = [9, *range(8), 9, 8]
        follows = {(ring[k], ring[(k + 1) % 11]) for k in range(11)}
        read, next_ = batch.codes.ravel().tolist(), batch.targets.ravel().tolist()
        assert set(zip(read, next_, strict=True)) <= follows


def test_over_some_rounds_every_token_is_read_about_as_often():
    text = [np.array([50, *np.arange(50), 50])]
    read = [batch.codes.ravel() for batch in islice(endless_rows(text, 4, seed=1), 200)]
    counts = np.bincount(np.concatenate(read), minlength=51)
    assert counts.min() > 0.5 * counts.mean()


def test_rows_begin_with_a_document_where_documents_are_short():
    text = [np.array([0, 1, 2, 3, 0])] * 40
    batch = next(endless_rows(text, 4, seed=0))
    assert (batch.codes[:, 0] == 0).all()


def test_each_round_cuts_elsewhere_and_the_same_seed_cuts_alike():
    text = [np.array([50, *np.arange(50), 50])]
    first, second = islice(endless_rows(text, 4, seed=1), 2)
    assert not np.array_equal(first.codes, second.codes)
    assert np.array_equal(first.codes, next(endless_rows(text, 4, seed=1)).codes)


def test_a_quick_look_counts_every_token_once():
    text = [np.array([7, *np.arange(1500) % 7, 7]), np.array([7, 1, 7])]
    batch = flat_rows_of(text)
    assert int((batch.targets >= 0).sum()) == 1501 + 2


def test_letters_are_counted_whatever_the_tokens():
    text = "don't go, 北京 é"
    for unit in ("char", "byte", "subword"):
        assert count_letters(read_documents(text, unit), unit) == len(text)
    assert count_letters(read_documents("so it  goes", "word"), "word") == len("so it goes")
