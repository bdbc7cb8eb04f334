"""Categories and tokens, as the codes that were learned."""

import numpy as np
import pytest

from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments import Encode, Preprocessor, Scale, Vocabulary
from recurra.errors import DataError, DataWarning, OptionError


def labelled(labels: list, known: tuple | None = None, kind: str = "values") -> SequenceDataset:
    """Write labels as codes in the order they come, or in a known one; None is missing."""
    known = (
        tuple(dict.fromkeys(each for each in labels if each is not None))
        if known is None
        else known
    )
    codes = np.array([[-7 if each is None else known.index(each)] for each in labels], float)
    seen = np.array([[each is not None] for each in labels])
    offsets = np.array([0, len(labels)])
    stream = Stream(codes, offsets, ("sky",), kind=kind, observed=seen, categories={"sky": known})
    return SequenceDataset(("a",), {"x": stream})


def codes(treatment, train: list, later: list) -> list[int]:
    kind = "tokens" if isinstance(treatment, Vocabulary) else "values"
    learned = treatment.learn(labelled(train, kind=kind))
    return treatment.apply(labelled(later, kind=kind), learned).stream.values.ravel().tolist()


def test_labels_get_codes_from_one_whatever_order_they_came_in():
    assert codes(Encode(), ["b", "c", "a"], ["a", "b", "c"]) == [1, 2, 3]
    assert codes(Encode(), ["a", "b", "c"], ["c", "b", "a"]) == [3, 2, 1]


def test_labels_that_only_the_test_part_has_are_not_learned():
    whole = ("test only", "b", "a")
    learned = Encode().learn(labelled(["a", "b"], whole))
    assert learned["x/labels"] == {"sky": ["a", "b"]}


def test_what_was_never_seen_is_zero_and_counted():
    encode = Encode()
    learned = encode.learn(labelled(["a", "b"]))
    with pytest.warns(DataWarning, match="3 values of 'sky' are unknown.*2 different.*'hail'"):
        after = encode.apply(labelled(["a", "hail", "fog", "hail"]), learned)
    assert after.stream.values.ravel().tolist() == [1, 0, 0, 0]
    assert "3 values of 'sky'" in after.notes[0]
    assert after.stream.categories == {"sky": (None, "a", "b")}


def test_missing_is_zero_and_stays_unobserved_without_a_note():
    encode = Encode()
    data = labelled(["a", None, "b"])
    after = encode.apply(data, encode.learn(data))
    assert after.stream.values.ravel().tolist() == [1, 0, 2]
    assert np.array_equal(after.stream.mask, data.stream.mask)
    assert after.notes == ()


def test_nothing_is_made_equal():
    labels = ["", " ", "a", "A", "a ", "nan", "None"]
    assert sorted(codes(Encode(), labels, labels)) == [1, 2, 3, 4, 5, 6, 7]


def test_numbers_are_labels_in_their_order():
    assert codes(Encode(), [10, 9, 2], [2, 9, 10]) == [1, 2, 3]
    assert codes(Encode(), [np.int64(10), np.int64(9)], [9, 10]) == [1, 2]


def test_rare_labels_are_unknown():
    with pytest.warns(DataWarning, match="1 values of 'sky' are unknown"):
        assert codes(Encode(min_count=2), ["a", "b", "a"], ["a", "b"]) == [1, 0]


def test_encoding_twice_changes_nothing():
    data = labelled(["a", None, "b"])
    once = Preprocessor([Encode()]).fit_transform(data)
    twice = Preprocessor([Encode(), Encode()]).fit_transform(data)
    assert np.array_equal(once.stream.values, twice.stream.values)
    assert once.stream.categories == twice.stream.categories


def test_codes_are_not_scaled():
    after = Preprocessor([Encode(), Scale()]).fit_transform(labelled(["a", "b"]))
    assert after.stream.values.ravel().tolist() == [1, 2]


def test_the_commonest_tokens_come_first():
    words = ["the", "cat", "and", "the", "dog", "and", "the", "end"]
    assert codes(Vocabulary(), words, ["the", "and", "cat", "dog", "end"]) == [1, 2, 3, 4, 5]
    with pytest.warns(DataWarning, match="unknown"):
        assert codes(Vocabulary(max_size=2), words, ["and", "cat", "the"]) == [2, 0, 1]
    with pytest.warns(DataWarning, match="unknown"):
        assert codes(Vocabulary(min_count=2), words, ["and", "cat", "the"]) == [2, 0, 1]


def test_tokens_of_sentences_of_documents_are_encoded():
    words = labelled(list("banana"), kind="tokens").stream
    inner = Stream(**{**vars(words), "offsets": np.array([0, 2, 2, 6])})
    outer = Stream(
        np.zeros((3, 1)), np.array([0, 1, 3]), ("sentence",), kind="records", inner=inner
    )
    data = SequenceDataset(("one", "two"), {"text": outer})
    made = Preprocessor([Vocabulary()])
    after = made.fit_transform(data).stream
    assert after.inner.values.ravel().tolist() == [3, 1, 2, 1, 2, 1]
    assert after.inner.categories == {"sky": (None, "a", "n", "b")}
    with pytest.warns(DataWarning, match="1 values of 'sky' are unknown"):
        made.transform(
            data.with_streams(
                text=Stream(
                    np.zeros((1, 1)),
                    np.array([0, 1, 1]),
                    ("sentence",),
                    kind="records",
                    inner=labelled(["x", "a"], kind="tokens").stream,
                )
            )
        )


def test_small_codes_are_widened_where_there_are_more():
    known = tuple(range(256))
    stream = Stream(
        np.arange(256, dtype=np.uint8)[:, None],
        np.array([0, 256]),
        ("byte",),
        kind="tokens",
        categories={"byte": known},
    )
    data = SequenceDataset(("a",), {"x": stream})
    after = Preprocessor([Vocabulary()]).fit_transform(data).stream.values.ravel()
    assert after.tolist() == list(range(1, 257))


def test_a_code_without_a_label_is_refused_where_it_stands():
    data = labelled(["a", "b"])
    data.stream.values[1, 0] = 9
    with pytest.raises(DataError, match=r"There are 2 labels.*record at place 0") as caught:
        Encode().learn(data)
    error = caught.value
    assert (error.code, error.row, error.column, error.value) == ("code_range", 1, "sky", 9)


def test_a_label_that_is_neither_text_nor_number_is_refused():
    with pytest.raises(DataError, match="but this one is a tuple") as caught:
        Encode().learn(labelled([("a", 1)]))
    assert caught.value.code == "label_type"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Encode(min_count=0), "min_count=0"),
        (lambda: Vocabulary(max_size=0), "max_size=0"),
    ],
)
def test_wrong_options_say_what_is_expected(make, said):
    with pytest.raises(OptionError, match=said):
        make()
