"""Tagger: a label for each word, or for each step of measurements."""

import gzip
import os
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone

import recurra as rc
from recurra import Tagger
from recurra.data import (
    ParquetRecords,
    Scale,
    SequenceDataset,
    Spell,
    Vocabulary,
    from_arrays,
    from_tokens,
)
from recurra.errors import DataError, DataWarning, NotFittedError, OptionError
from recurra.estimators.records.tagger_baseline import most_frequent
from recurra.estimators.records.tagger_inputs import read_steps
from recurra.models import RecordBatch

pytestmark = pytest.mark.filterwarnings("ignore:.*unknown and w.*:recurra.errors.DataWarning")

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[3] / "../shared/data"))
NAN = float("nan")
ENDINGS = {"er": "NOUN", "ed": "VERB", "y": "ADJ"}


def training(steps=30, **more):
    usual = {"learning_rate": 1e-2, "warmup": 5, "check_every": 20, "progress": False}
    return rc.Training(steps, 16, **(usual | more))


def tagger(steps=30, **options):
    options = {"hidden_size": 12, "training": training(steps), "dropout": 0.1} | options
    return Tagger(**options)


def sentences(number=80, seed=0):
    """Invented words whose ending tells the label; "that" is told by what comes after it."""
    random = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(number):
        words, labels = [], []
        for _ in range(random.integers(1, 6)):
            stem = "".join(random.choice([*"bdgklmnprst"], 2)) + random.choice([*"aeiou"])
            ending = random.choice([*ENDINGS])
            if random.random() < 0.4:
                words.append("that")
                labels.append("DET" if ending == "er" else "PRON")
            words.append(stem + ending)
            labels.append(ENDINGS[ending])
        X.append(words)
        y.append(labels)
    return X, y


def parity(number=120, longest=8, seed=0):
    random = np.random.default_rng(seed)
    X = [random.integers(0, 2, random.integers(1, longest)) for _ in range(number)]
    return [x[:, None].astype(float) for x in X], [np.cumsum(x) % 2 for x in X]


def holes(number=30, seed=0):
    """Two channels with holes on irregular clocks; each step says which was larger."""
    random = np.random.default_rng(seed)
    X, y, times = [], [], []
    for _ in range(number):
        steps = int(random.integers(2, 9))
        record = random.normal(size=(steps, 2))
        y.append(np.where(record[:, 0] > record[:, 1], "first", "second"))
        record[random.random(record.shape) < 0.2] = NAN
        X.append(record)
        times.append(np.cumsum(random.uniform(0.5, 3.0, steps)))
    return X, y, times


@pytest.fixture(scope="module")
def words():
    """A tagger of words, and sentences it has not seen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        model = tagger(200).fit(*sentences())
    return model, *sentences(30, seed=1)


@pytest.fixture(scope="module")
def forward():
    """A tagger of words that reads forward only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return tagger(30, bidirectional=False).fit(*sentences(40))


# ---------------------------------------------------------------------- words


def test_words_never_seen_are_labelled_by_their_letters(words):
    model, X, y = words
    known = {word for sentence in sentences()[0] for word in sentence}
    assert sum(word not in known for sentence in X for word in sentence) > 40
    assert model.score(X, y) > 0.93


def test_a_label_may_depend_on_the_word_after(words):
    model, *_ = words
    assert model.network_.plan.bidirectional
    first, second = model.predict([["that", "baker"], ["that", "baked"]])
    assert (first[0], second[0]) == ("DET", "PRON")


def test_each_record_gets_as_many_labels_as_it_has_words(words):
    model, X, _ = words
    asked = [[], *X, []]
    labels, chances = model.predict(asked), model.predict_proba(asked)
    assert [len(each) for each in labels] == [len(sentence) for sentence in asked]
    assert [each.shape for each in chances] == [(len(sentence), 5) for sentence in asked]
    assert all(np.allclose(each.sum(1), 1) for each in chances)
    assert (model.classes_[chances[3].argmax(1)] == labels[3]).all()


def test_empty_sentences_alone_have_answers_of_no_steps(words):
    model, *_ = words
    assert [each.tolist() for each in model.predict([[], []])] == [[], []]
    assert model.predict_proba([[]])[0].shape == (0, 5)


def test_capitals_are_letters_and_no_other_words(words):
    model, *_ = words
    treated = model.preprocessor_.transform(from_tokens([["THAT", "that"]]))
    codes = treated.streams["text"].values.ravel()
    assert codes[0] == codes[1] > 0
    one, two = (treated.streams["text:letters"].inner.at(k).values.ravel() for k in (0, 1))
    assert one.tolist() != two.tolist()


def test_rare_words_are_learned_as_unknown_ones(words):
    model, *_ = words
    encoder = model.network_.encoders[0]
    (labels,) = (
        model.preprocessor_.transform(from_tokens([["that"]])).streams["text"].categories.values()
    )
    X, _ = sentences()
    kept = sum(word == "that" for sentence in X for word in sentence)
    assert 0.7 * kept < encoder.counts[labels.index("that")] <= kept
    assert encoder.counts[1:].min() >= 2


def test_a_word_may_be_empty_or_very_long(words):
    model, *_ = words
    assert [len(each) for each in model.predict([["", "a" * 5000], [""]])] == [2, 1]


def test_words_that_came_as_arrays_are_read_as_lists(words):
    model, X, _ = words
    arrays = [np.array(sentence) for sentence in X]
    assert all((a == b).all() for a, b in zip(model.predict(arrays), model.predict(X), strict=True))


def test_nothing_is_told_of_words_that_are_read_by_their_letters(words):
    model, *_ = words
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        model.predict([["Zyxed"]])


def test_single_letters_are_tokens_with_their_capitals():
    X, y = [["a", "C", "G"], ["t", "A"]] * 8, [[0, 1, 1], [0, 1]] * 8
    model = tagger(60).fit(X, y)
    assert list(model.network_.plan.inputs) == ["text"]
    assert model.score(X, y) == 1.0


def test_words_and_measurements_are_read_side_by_side():
    X, _ = sentences(30)
    random = np.random.default_rng(0)
    beside = [random.normal(size=(len(x), 2)) for x in X]
    labels = [np.where(b[:, 0] > 0, "up", "down") for b in beside]
    model = tagger(80).fit({"word": X, "gauge": beside}, labels)
    assert set(model.network_.plan.inputs) == {"word", "word:letters", "gauge"}
    assert model.score({"gauge": beside, "word": X}, labels) > 0.9


# ---------------------------------------------------------------------- measurements


def test_it_learns_the_parity_of_bits():
    model = tagger(500, hidden_size=16, dropout=0.0, validation=0.0).fit(*parity())
    assert not model.network_.plan.bidirectional
    assert model.classes_.tolist() == [0, 1]
    assert model.score(*parity(40, seed=1)) > 0.98


@pytest.mark.parametrize("layer", ["gru", "grud"])
def test_holes_and_uneven_times_are_read(layer):
    X, y, times = holes()
    model = tagger(100, layer=layer).fit(X, y, times=times)
    assert model.score(X, y, times=times) > 0.8
    assert [len(each) for each in model.predict(X[:2], times=times[:2])] == [len(x) for x in X[:2]]


def test_several_streams_share_their_steps():
    X, y, _ = holes()
    parts = {"a": [x[:, :1] for x in X], "b": [x[:, 1:] for x in X]}
    model = tagger(20, join="gated").fit(parts, y)
    assert model.network_.plan.join == "gated"
    short = {"a": parts["a"], "b": [x[: 1 + (k != 4) * 99] for k, x in enumerate(parts["b"])]}
    with pytest.raises(DataError, match=r"'b' has 1 steps, but \d+ are tagged in 'a' \(series 4"):
        model.predict(short)


def test_static_covariates_are_read_at_every_step():
    random = np.random.default_rng(0)
    flip = random.integers(0, 2, 40)
    X = [random.normal(size=5) for _ in flip]
    y = [(x > 0) ^ bool(f) for x, f in zip(X, flip, strict=True)]
    static = flip[:, None].astype(float)
    model = tagger(150).fit(X, y, static=static)
    assert model.classes_.tolist() == [False, True]
    assert model.score(X, y, static=static) > 0.95


# ---------------------------------------------------------------------- labels


def test_labels_may_be_series_or_tensors(words):
    model, X, y = words
    assert model.score(X, [pd.Series(each) for each in y]) == model.score(X, y)
    numbers = [[1.0, 5.0], [2.0]] * 4
    assert tagger(5).fit(numbers, [torch.tensor([0, 1]), torch.tensor([0])] * 4).classes_.size == 2


@pytest.mark.parametrize("unknown", [None, NAN])
def test_labels_that_are_unknown_count_in_no_loss(unknown):
    X, y = [["ab", "cd", "ef"]] * 10, [["x", unknown, "z"]] * 10
    model = tagger(5).fit(X, y)
    treated = model.preprocessor_.transform(read_steps(X, y))
    assert model.network_.loss(RecordBatch.of(rc.data.pad_records(treated, [0, 1])))[1] == 4
    assert model.classes_.tolist() == ["x", "z"]


def test_steps_of_unknown_labels_have_no_gradient():
    X, y = [["ab", "cd", "ef"], ["gh"]] * 5, [["x", None, "z"], ["z"]] * 5
    model = tagger(5).fit(X, y)
    network, treated = model.network_, model.preprocessor_.transform(read_steps(X, y))
    batch = RecordBatch.of(rc.data.pad_records(treated, [0]))
    scores = network.emissions(batch).detach().requires_grad_()
    network.emissions = lambda _: scores
    network.loss(batch)[0].backward()
    assert [bool(each.any()) for each in scores.grad[0]] == [True, False, True]


def test_scores_leave_out_unknown_labels(words):
    model, *_ = words
    said = model.predict([["that", "baker"]])[0].tolist()
    assert model.score([["that", "baker"]], [[said[0], None]]) == 1.0
    other = next(each for each in model.classes_ if each != said[1])
    assert model.score([["that", "baker"]], [[said[0], other]]) == 0.5
    assert np.isnan(model.score([["that"]], [[None]]))
    assert model.score([["that"], ["that"]], [[said[0]], [other]], sample_weight=[3.0, 0.0]) in (
        0,
        1,
    )


def test_records_without_steps_or_labels_are_left_out_and_told():
    X, y = [["ab", "cd"], [], ["ef", "gh"]] * 4, [["x", "z"], [], [None, None]] * 4
    with pytest.warns(DataWarning) as told:
        model = tagger(5).fit(X, y)
    said = [str(each.message) for each in told]
    assert any("4 records have no steps: left out" in each for each in said)
    assert any("4 of 8 records have no known target" in each for each in said)
    assert model.report().records == 4


def test_whole_numbers_are_labels_and_fractions_are_none():
    X = [[0.0, 1.0], [1.0]] * 5
    assert tagger(5).fit(X, [[0.0, 1.0], [NAN]] * 5).classes_.tolist() == [0, 1]
    with pytest.raises(DataError, match=r"holds fractions .series 1, row 0, value 0.5"):
        tagger(5).fit(X, [[0.0, 1.0], [0.5]] * 5)


@pytest.mark.parametrize("ask", ["score", "partial_fit", "span_f1"])
def test_a_label_never_seen_is_refused_by_name_with_its_record_and_step(ask):
    model = tagger(5).fit([["ab", "cd"]] * 4, [["B-X", "O"]] * 4)
    with pytest.raises(DataError, match=r"never seen .*series 1, row 1, value 'B-Y'"):
        getattr(model, ask)([["ab"], ["ab", "cd"]], [["O"], ["O", "B-Y"]])


def test_one_label_alone_is_nothing_to_learn():
    with pytest.raises(DataError, match=r"Every step has the same label .value 'x'"):
        tagger().fit([["ab"]] * 3, [["x"], [None], ["x"]])


def test_another_number_of_labels_than_steps_is_refused():
    with pytest.raises(DataError, match=r"y has 1 values for a record of 2 steps .series 1"):
        tagger().fit([["ab"], ["ab", "cd"]], [["x"], ["z"]])


def test_answers_for_whole_records_are_refused():
    data = from_tokens([["ab", "cd"]] * 4, y=["x", "z"] * 2)
    with pytest.raises(OptionError, match="one label for each step, but y is one for each record"):
        tagger().fit(data)
    with pytest.raises(OptionError, match="y is a dict of 2"):
        tagger().fit([["ab"]], {"a": [["x"]], "b": [["z"]]})


# ---------------------------------------------------------------------- random field, spans


def alternating(number=40, seed=0):
    """Labels that alternate; nothing that is read says which comes first."""
    random = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(number):
        steps = int(random.integers(4, 8))
        X.append(np.zeros((steps, 1)))
        y.append((np.arange(steps) + random.integers(2)) % 2)
    return X, y


def test_a_random_field_says_labels_that_go_together():
    X, y = alternating()
    model = tagger(150, crf=True, dropout=0.0).fit(X, y)
    assert all((np.diff(each) != 0).all() for each in model.predict(X))
    chances = model.predict_proba(X)
    assert all(np.allclose(each.sum(1), 1) for each in chances)
    assert all(np.abs(each - 0.5).max() < 0.2 for each in chances)


def test_a_random_field_finds_spans_of_words():
    random, X, y = np.random.default_rng(0), [], []
    for _ in range(60):
        inside = int(random.integers(1, 4))
        before = int(random.integers(0, 3))
        X.append([*["so"] * before, "mister", *random.choice(["Tom", "Kim"], inside), "went"])
        y.append([*["O"] * (before + 1), "B-PER", *["I-PER"] * (inside - 1), "O"])
    model = tagger(150, crf=True).fit(X, y)
    assert model.spans([["so", "mister", "Kim", "Tom", "went"], []]) == [[(2, 4, "PER")], []]
    assert model.span_f1(X, y) > 0.95
    scores = {(each.model, each.measure): each.value for each in model.report().scores}
    assert scores["Tagger", "span F1"] > scores["the most frequent label of each word", "span F1"]


def test_labels_that_make_up_no_spans_have_none(words):
    model, X, y = words
    for ask in (lambda: model.spans(X), lambda: model.span_f1(X, y)):
        with pytest.raises(OptionError, match="labels O, B-kind and I-kind, not of 'ADJ', 'DET'"):
            ask()


# ---------------------------------------------------------------------- laws


@pytest.mark.parametrize("crf", [False, True])
def test_the_same_seed_gives_the_same_bits(crf):
    X, y = sentences(30)
    one, two = (tagger(10, crf=crf, seed=3).fit(X, y).predict_proba(X) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    other = tagger(10, crf=crf, seed=4).fit(X, y).predict_proba(X)
    assert not np.array_equal(one[0], other[0])


def test_neighbours_and_padding_change_nothing(words):
    model, X, _ = words
    together = model.predict_proba(X)
    for sentence, among in zip(X[:8], together, strict=False):
        (alone,) = model.predict_proba([sentence])
        assert np.abs(alone - among).max() < 1e-6


@pytest.mark.parametrize("options", [{}, {"crf": True}, {"bidirectional": False, "layer": "gru"}])
def test_what_is_saved_and_loaded_says_the_same_to_the_bit(tmp_path, options):
    X, y = sentences(30)
    model = tagger(10, **options).fit(X, y)
    model.save(tmp_path / "model.recurra")
    again = rc.load(tmp_path / "model.recurra")
    assert type(again) is Tagger
    assert again.get_params() == {**model.get_params(), "training": model.training}
    pairs = zip(again.predict_proba(X), model.predict_proba(X), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert str(again.report()) == str(model.report())
    assert torch.equal(again.network_.encoders[0].counts, model.network_.encoders[0].counts)


def test_a_stream_of_words_says_what_the_whole_sentence_says(forward):
    sentence = ["That", "unheardofer", "that", "", "baked"]
    session = forward.stream()
    steps = np.stack([session.step(word) for word in sentence])
    (whole,) = forward.predict_proba([sentence])
    assert np.abs(steps - whole).max() < 1e-6


@pytest.mark.parametrize("layer", ["lstm", "grud"])
def test_a_stream_of_measurements_says_what_the_whole_record_says(layer):
    X, y, times = holes()
    model = tagger(10, layer=layer).fit(X, y, times=times)
    session = model.stream()
    steps = np.stack([session.step(row, t) for row, t in zip(X[0], times[0], strict=True)])
    (whole,) = model.predict_proba(X[:1], times=times[:1])
    assert np.abs(steps - whole).max() < 1e-6


def test_streams_that_cannot_be_are_refused_with_advice(words):
    with pytest.raises(OptionError, match=r"reads backwards.*bidirectional=False"):
        words[0].stream()
    X, y = alternating(10)
    with pytest.raises(OptionError, match=r"crf=True.*crf=False"):
        tagger(5, crf=True).fit(X, y).stream()
    with pytest.raises(NotFittedError):
        tagger().stream()


def test_a_step_of_words_is_one_word(forward):
    for wrong in (3.0, ["that", "baker"], None):
        with pytest.raises(DataError, match="A step is one word"):
            forward.stream().step(wrong)


def test_tokens_may_be_numbers_of_a_vocabulary():
    X, y = [[0, 3, 1], [2, 0]] * 8, [["even", "odd", "odd"], ["even", "even"]] * 8
    data = from_tokens(X, vocabulary=4, y=y, target_for="step")
    model = tagger(60).fit(data)
    assert model.score(data) == 1.0
    chances = [model.stream().step(token) for token in range(4)]
    assert [model.classes_[each.argmax()] for each in chances] == ["even", "odd", "even", "odd"]


def test_learning_on_keeps_words_and_labels(words):
    _, X, y = words
    X, y = X[:20], y[:20]
    again = tagger(10).fit(X, y)
    before = again.predict_proba(X)[0]
    again.partial_fit(X, y)
    assert again.predict_proba(X)[0].shape == before.shape
    assert not np.array_equal(again.predict_proba(X)[0], before)


def test_validation_records_may_be_given(words):
    _, X, y = words
    model = tagger(10).fit(X, y, validation=(X[:5], y[:5]))
    assert (model.report().records, model.report().held_back) == (30, 5)


def test_a_data_set_may_bring_labels_or_get_them():
    X, y = sentences(20)
    whole = from_tokens(X, y=y, target_for="step")
    bare = from_tokens(X)
    one, two = tagger(5).fit(whole), tagger(5).fit(bare, y)
    assert np.array_equal(one.predict_proba(X)[0], two.predict_proba(bare)[0])
    assert one.score(whole) == two.score(bare, y)
    with pytest.raises(DataError, match="y is missing"):
        one.score(bare)


def test_files_larger_than_memory_are_learned_from_step_by_step(tmp_path):
    X, y, _ = holes(40)
    owner = np.repeat(np.arange(40), [len(x) for x in X])
    values = np.nan_to_num(np.concatenate(X))
    table = pd.DataFrame({"id": owner, "a": values[:, 0], "b": values[:, 1]})
    table.assign(y=np.concatenate(y)).to_parquet(tmp_path / "part.parquet", row_group_size=30)
    files = ParquetRecords(tmp_path, id="id", target="y", level="step")
    model = tagger(60).fit(files)
    whole = next(files.blocks(1000))
    assert len(model.predict(files)) == 40
    assert model.score(files) == pytest.approx(model.score(whole))
    assert model.score(files) > 0.8


def test_own_treatments_must_keep_the_steps():
    X, y, _ = holes()
    model = tagger(5, treatments=[Scale(), rc.data.Fill("mean")]).fit(X, y)
    assert repr(model.preprocessor_.treatments[0]) == "Scale()"
    X, y = sentences(20)
    own = tagger(5, treatments=[Spell(longest=4), Vocabulary()]).fit(X, y)
    assert own.network_.encoders[0].counts[1:].min() == 1


def test_it_is_cloned_like_any_estimator():
    model = tagger(crf=True, encoder_size=10)
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layer": "gated"}, "layer='gated'"),
        ({"bidirectional": "both"}, "bidirectional='both'"),
        ({"join": "late"}, "join='late'"),
        ({"crf": "yes"}, "crf='yes'"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"hidden_size": 0}, "hidden_size=0"),
        ({"layer": "grud", "num_layers": 2}, "reads once, forwards"),
        ({"layer": "grud"}, "reads measurements"),
        ({"validation": 1.5}, "validation=1.5"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(OptionError, match=said):
        tagger(**options).fit([["ab", "cd"]] * 4, [["x", "z"]] * 4)


def test_raw_signals_have_no_label_for_each_sample():
    data = from_arrays([np.zeros((50, 1))] * 4, [[0, 1] * 25] * 4, target_for="step")
    signal = replace(data.stream, kind="signal", rate=100.0)
    with pytest.raises(OptionError, match="is a signal"):
        tagger().fit(SequenceDataset(data.ids, {"x": signal}, targets=data.targets))


def test_texts_that_are_not_parted_into_words_are_refused():
    with pytest.raises(DataError, match="Part a text into tokens"):
        tagger().fit(["the cat", "a dog"], [["x"], ["z"]])


def test_further_arguments_that_words_do_not_have_are_refused():
    with pytest.raises(OptionError, match="ids, weights, groups can be told, but not 'times'"):
        tagger().fit([["ab"]], [["x"]], times=[[0.0]])


# ---------------------------------------------------------------------- the simple model


def test_the_simple_model_gives_each_word_its_commonest_label():
    kept = read_steps([["a", "b"], ["a", "a"]] * 5, [["x", "z"], ["z", "z"]] * 5)
    part = read_steps([["b", "a", "c"]], [["x", "x", "x"]])
    model, codes = most_frequent(kept, part)
    assert model == "the most frequent label of each word"
    assert [kept.target.classes[code] for code in codes] == ["z", "z", "z"]


def test_words_never_seen_get_the_label_of_words_that_come_late():
    X = [["a", "a", "a"]] * 8 + [["new"], ["other"]]
    y = [["x", "x", "x"]] * 8 + [["z"], ["z"]]
    codes = most_frequent(read_steps(X, y), read_steps([["unheard", "a"]]))[1]
    assert codes.tolist() == [1, 0]


def test_of_measurements_the_simple_model_says_the_commonest_label():
    kept = read_steps([[0.0, 1.0, 2.0]], [["x", "z", "z"]])
    model, codes = most_frequent(kept, read_steps([[5.0], []]))
    assert (model, codes.tolist()) == ("the most frequent label", [1])


@pytest.mark.data
def test_the_simple_model_tags_86_89_percent_of_english_web_treebank():
    folder = DATA / "tag_ud_ewt"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: set RECURRA_DATA")

    def part(name):
        with gzip.open(folder / f"{name}.tsv.gz", "rt", encoding="utf-8") as file:
            blocks = [b.splitlines() for b in file.read().split("\n\n") if b.strip()]
        rows = [[line.split("\t") for line in block] for block in blocks]
        return [[r[0] for r in b] for b in rows], [[r[1] for r in b] for b in rows]

    train, test = read_steps(*part("train")), read_steps(*part("test"))
    assert (len(train), train.stream.rows, test.stream.rows) == (12_544, 204_577, 25_094)
    codes = most_frequent(train, test)[1]
    said = np.array(train.target.classes)[codes]
    truth = np.array(test.target.classes)[test.target.values[:, 0]]
    assert round(100 * (said == truth).mean(), 2) == 86.89
