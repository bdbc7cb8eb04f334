"""From sequence to sequence: what is read, what is answered, what is refused."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from recurra import Training
from recurra.data import SequenceDataset, Stream, Target, from_arrays
from recurra.errors import DataError, DataWarning, NotFittedError, OptionError
from recurra.estimators.loading import load
from recurra.estimators.translation.sequence_to_sequence import SequenceToSequence

QUICK = Training(steps=200, batch_size=16, learning_rate=0.02, patience=None)
SHORT = Training(steps=80, batch_size=16, learning_rate=0.03, patience=None)
FEW = Training(steps=3, batch_size=16)


def make(**options: object) -> SequenceToSequence:
    given = {"hidden_size": 16, "validation": 0.0, "training": FEW, **options}
    return SequenceToSequence(**given)  # type: ignore[arg-type]


def reversals(count: int = 120, seed: int = 0) -> tuple[list[str], list[str]]:
    chance = np.random.default_rng(seed)
    X = ["".join(chance.choice([*"abc"], n)) for n in chance.integers(1, 6, count)]
    return X, [text[::-1] for text in X]


@pytest.fixture(scope="module")
def model() -> SequenceToSequence:
    X, y = reversals(300)
    return make(training=QUICK, validation=0.1).fit(X, y)


def test_short_texts_are_reversed_beyond_those_learned_from(model: SequenceToSequence) -> None:
    X, y = reversals(200, seed=1)
    assert model.score(X, y) > 0.85


def test_a_beam_finds_answers_as_probable_or_more(model: SequenceToSequence) -> None:
    X, _ = reversals(40, seed=2)
    wide = model.predict(X, beam=4, length_penalty=0.0)
    found, greedy = model.predict_proba(X, wide), model.predict_proba(X)
    assert (found > greedy - 1e-6).all()


def test_the_probability_is_that_of_the_answer_or_of_a_given_one(
    model: SequenceToSequence,
) -> None:
    X = ["abc", "cc"]
    said = model.predict(X)
    np.testing.assert_allclose(model.predict_proba(X), model.predict_proba(X, said))
    assert model.predict_proba(X, ["aaaaaa", said[1]])[0] < model.predict_proba(X)[0]
    assert model.predict_proba(X, ["axc", said[1]])[0] == 0.0


def test_attention_has_a_row_for_each_symbol_and_a_column_for_each_step(
    model: SequenceToSequence,
) -> None:
    X = ["abcab", "b", "cca"]
    tables = model.attend(X)
    said = model.predict(X)
    assert [table.shape for table in tables] == [
        (len(a), len(x)) for a, x in zip(said, X, strict=True)
    ]
    for table in tables:
        np.testing.assert_allclose(table.sum(1), 1, atol=1e-5)
    assert [t.shape for t in model.attend(X, ["ab", "", "cab"])] == [(2, 5), (0, 1), (3, 3)]
    with pytest.raises(DataError, match=r"not learned \(series 1\)"):
        model.attend(X, ["ab", "x", "cab"])


def test_streamed_symbols_are_those_of_predict(model: SequenceToSequence) -> None:
    X, _ = reversals(30, seed=3)
    assert ["".join(model.stream(text)) for text in X] == model.predict(X)
    coming = model.stream("abc")
    assert next(coming) == model.predict(["abc"])[0][0]
    with pytest.raises(DataError, match="The source is empty"):
        model.stream("")


def test_neighbours_change_nothing(model: SequenceToSequence) -> None:
    X, _ = reversals(30, seed=4)
    alone = np.concatenate([model.predict_proba([text]) for text in X])
    np.testing.assert_allclose(model.predict_proba(X), alone, rtol=1e-4, atol=1e-6)
    assert model.predict(X) == [model.predict([text])[0] for text in X]


def test_a_saved_model_answers_the_same_to_the_bit(
    model: SequenceToSequence, tmp_path: Path
) -> None:
    X, y = reversals(30, seed=5)
    model.save(tmp_path / "m.recurra")
    again = load(tmp_path / "m.recurra")
    assert isinstance(again, SequenceToSequence)
    assert again.predict(X) == model.predict(X)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.get_params()["hidden_size"] == 16
    assert str(again.report()) == str(model.report())
    a, b = (each.partial_fit(X, y).predict_proba(X) for each in (again, _again(model, tmp_path)))
    assert np.array_equal(a, b)


def _again(model: SequenceToSequence, folder: Path) -> SequenceToSequence:
    found = load(folder / "m.recurra")
    assert isinstance(found, SequenceToSequence)
    return found


def test_the_report_stands_beside_the_answer_of_the_nearest_source(
    model: SequenceToSequence,
) -> None:
    scores = {each.model: each.value for each in model.report().scores}
    assert set(scores) == {
        "SequenceToSequence",
        "most frequent answer",
        "answer of the nearest source",
    }
    assert model.report().held_back == 30
    assert scores["SequenceToSequence"] > scores["most frequent answer"]


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    X, y = reversals(40)
    a, b, c = (make(seed=seed, dropout=0.2).fit(X, y).predict_proba(X) for seed in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize(
    "options",
    [
        {"layer": "lstm", "num_layers": 2, "dropout": 0.1},
        {"attention": "additive", "input_feeding": False, "bidirectional": False},
        {"scheduled_sampling": 0.5, "label_smoothing": 0.1},
    ],
)
def test_every_option_learns_and_comes_back_from_a_file(
    options: dict,  # type: ignore[type-arg]
    tmp_path: Path,
) -> None:
    X, y = reversals(40)
    model = make(training=Training(steps=40, learning_rate=0.01), **options).fit(X, y)
    assert np.mean(model.log_.loss[-5:]) < np.mean(model.log_.loss[:5]) - 0.1
    model.save(tmp_path / "m.recurra")
    assert np.array_equal(load(tmp_path / "m.recurra").predict_proba(X), model.predict_proba(X))
    assert "".join(model.stream(X[0])) == model.predict(X[:1])[0]


def test_words_are_answered_with_words() -> None:
    X = ["the cat sat", "a dog ran", "the dog sat", "a cat ran"] * 8
    y = ["le chat", "un chien", "le chien", "un chat"] * 8
    model = make(unit="word", training=SHORT).fit(X, y)
    assert model.symbols_ == ("chat", "chien", "le", "un")
    assert model.predict(["the dog sat"]) == ["le chien"]


def test_lists_of_labels_are_answered_with_lists() -> None:
    X = [["the", "cat"], ["a", "dog", "ran"]] * 8
    model = make(training=SHORT).fit(X, [[7, 1], [3, 2, 2]] * 8)
    assert model.predict(X[:2]) == [[7, 1], [3, 2, 2]]
    assert model.score(X[:2], [[7, 1], [3, 2, 9]]) == 0.5


def test_measurements_are_answered_with_symbols() -> None:
    chance = np.random.default_rng(0)
    signs = [chance.choice([-1.0, 1.0], n) for n in chance.integers(1, 4, 60)]
    X = [np.repeat(each, 3)[:, None] + chance.normal(0, 0.1, (3 * len(each), 1)) for each in signs]
    y = ["".join("d" if one < 0 else "u" for one in each) for each in signs]
    model = make(training=SHORT).fit(X, y)
    assert model.score(X, y) > 0.9
    assert len([*model.stream(X[0])]) == len(signs[0])


def test_a_data_set_brings_its_answers() -> None:
    stream = Stream(np.arange(6.0)[:, None], np.array([0, 2, 4, 6]), ("x",))
    target = Target(
        np.array([[0], [1], [1], [0]]), "labels", ("no", "yes"), offsets=np.array([0, 1, 3, 4])
    )
    dataset = SequenceDataset(("a", "b", "c"), {"x": stream}, targets={"y": target})
    model = make().fit(dataset)
    assert model.symbols_ == ("no", "yes")
    assert all(isinstance(each, list) for each in model.predict(dataset))
    assert 0 <= model.score(dataset) <= 1


def test_an_answer_is_at_most_half_as_long_again_as_the_longest_learned_from() -> None:
    model = make().fit(["a", "bb", "abab"] * 8, ["xyx", "x", "yxyxy"] * 8)
    assert model.longest_ == 8
    with np.errstate(all="ignore"):
        model.network_.head.bias.data[-1] = -1e9  # it never wants to end
    assert [len(each) for each in model.predict(["a", "bb"])] == [8, 8]
    assert len([*model.stream("a")]) == 8


def test_an_empty_answer_is_an_answer() -> None:
    X, y = ["a", "b"] * 20, ["", "yes"] * 20
    model = make(training=SHORT).fit(X, y)
    assert model.predict(["a", "b"]) == ["", "yes"]
    assert model.attend(["a"])[0].shape == (0, 1)


def test_an_empty_source_is_refused_by_name() -> None:
    X, y = reversals(20)
    with pytest.raises(DataError, match=r"no steps.*\(series 3\)"):
        make().fit([*X[:3], "", *X[4:]], y)
    model = make().fit(X, y)
    with pytest.raises(DataError, match=r"The source is empty.*\(series 1\)"):
        model.predict(["ab", ""])


def test_an_unknown_symbol_of_a_source_is_told_of_and_read_as_nothing() -> None:
    X, y = reversals(20)
    model = make().fit(X, y)
    with pytest.warns(DataWarning, match="1 values of 'token' are unknown"):
        a = model.predict_proba(["axb"])
    with pytest.warns(DataWarning):
        b = model.predict_proba(["ayb"])
    assert np.array_equal(a, b)


def test_an_answer_with_an_unknown_symbol_is_never_right(model: SequenceToSequence) -> None:
    said = model.predict(["ab", "c"])
    assert model.score(["ab", "c"], [said[0], "é"]) == 0.5
    assert model.score(["ab", "c"], [said[0], "é"], sample_weight=[1, 3]) == 0.25


def test_a_symbol_never_learned_is_refused_where_weights_are_learned_further() -> None:
    X, y = reversals(20)
    model = make().fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(DataError, match=r"not learned.*series 1, row 1.*'z'"):
        model.partial_fit(["ab", "ba"], ["ba", "az"])
    assert np.array_equal(model.predict_proba(X), before)


def test_learning_goes_on_with_more_data() -> None:
    X, y = reversals(60)
    model = make()
    for _ in range(6):
        model.partial_fit(X, y)
    assert model.score(X, y) > make().partial_fit(X, y).score(X, y)


def test_records_without_an_answer_are_left_out_with_a_count() -> None:
    X, y = reversals(20)
    with pytest.warns(DataWarning, match="2 of 20 records have no known answer"):
        model = make().fit(X, [None, None, *y[2:]])
    assert any("no known answer" in note for note in model.notes_)


def test_weights_of_zero_leave_records_out() -> None:
    X, y = ["a"] * 40, ["x", "y"] * 20
    model = make(training=SHORT).fit(X, y, sample_weight=[1.0, 0.0] * 20)
    assert model.predict(["a"]) == ["x"]


def test_scikit_learn_clones_it_and_cross_validates() -> None:
    X, y = reversals(20)
    model = make(training=Training(steps=2), attention="additive")
    assert clone(model).get_params() == model.get_params()
    assert cross_val_score(model, X, y, cv=2).shape == (2,)


WRONG = {
    "a text alone": (("abc", "cba"), OptionError, "one text, but a list"),
    "one answer too few": ((["ab", "b"], ["ba"]), DataError, "2 records, but 1 answers"),
    "a label for each": ((["ab", "b"], [1, 2]), DataError, "Use Classifier"),
    "texts and lists": ((["ab", "b"], ["ba", [1]]), DataError, "all are texts"),
    "numbers": ((["ab", "b"], [[0.5], [1.5, 2.5]]), DataError, "numbers with fractions"),
    "no answers": ((["ab", "b"], None), DataError, "y is missing"),
    "all unknown": ((["ab", "b"], [None, None]), DataError, "Every answer is missing"),
    "all empty": ((["ab", "b"], ["", ""]), DataError, "Every answer is empty"),
    "one answer for all": ((["ab", "b"], "ba"), OptionError, "a list with an answer for each"),
    "no sources": (([], []), DataError, "no"),
    "infinite": (([[1.0, float("inf")], [2.0]], ["a", "b"]), DataError, "infinite"),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_wrong_data_is_refused_with_advice(case: str) -> None:
    data, kind, message = WRONG[case]
    with pytest.raises(kind, match=message):
        make().fit(*data)


def test_several_streams_are_refused() -> None:
    data = from_arrays({"a": [[1.0, 2.0]] * 12, "b": [[1.0, 2.0]] * 12})
    with pytest.raises(OptionError, match="One stream is answered with a sequence"):
        make().fit(data, ["x"] * 12)


@pytest.mark.parametrize(
    "option",
    [
        {"layer": "rnn"},
        {"attention": "soft"},
        {"unit": "byte"},
        {"hidden_size": 0},
        {"dropout": 1.0},
        {"label_smoothing": -0.1},
        {"scheduled_sampling": 2},
    ],
)
def test_an_impossible_option_is_refused_by_name(option: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(OptionError, match=next(iter(option))):
        make(**option).fit(["a"], ["b"])


def test_asking_before_fitting_is_refused() -> None:
    for ask in ("predict", "predict_proba", "attend", "stream"):
        with pytest.raises(NotFittedError):
            getattr(make(), ask)(["a"])
