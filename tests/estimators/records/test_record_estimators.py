"""Classifier and Regressor: records as they are, to one answer each."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

import recurra as rc
from recurra.data import (
    Fill,
    Indicators,
    ParquetRecords,
    Preprocessor,
    Scale,
    SequenceDataset,
    Stream,
    Target,
    from_arrays,
    from_tokens,
    nest,
    windows,
)
from recurra.errors import DataError, DataWarning, FileError, NotFittedError, OptionError
from recurra.estimators.learning.record_batches import endless_blocks

NAN = float("nan")


def training(steps=30):
    return rc.Training(steps, 16, learning_rate=1e-2, warmup=5, check_every=10, progress=False)


def classifier(steps=30, **options):
    options = {"hidden_size": 8, "training": training(steps), "dropout": 0.0} | options
    return rc.Classifier(**options)


def trends(number=60, seed=0):
    """Ragged records with holes that rise or fall."""
    random = np.random.default_rng(seed)
    slopes = random.choice([-1.0, 1.0], number)
    records = []
    for slope in slopes:
        steps = random.integers(3, 12)
        rising = slope * np.arange(steps) + random.normal(0, 0.3, steps)
        record = np.stack([rising, random.normal(size=steps)], 1)
        record[random.random(record.shape) < 0.3] = NAN
        records.append(record)
    return records, np.where(slopes > 0, "up", "down").tolist()


def ward(number=40, seed=0):
    """Two streams on clocks of their own, and static covariates."""
    random = np.random.default_rng(seed)

    def stream(channels, most, **more):
        counts = random.integers(0, most, number)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        times = np.concatenate([np.sort(random.uniform(0, 48, n)) for n in counts])
        values = random.normal(size=(offsets[-1], len(channels)))
        return Stream(values, offsets, channels, times=times, clock="number", **more)

    vitals = stream(("pulse", "warmth"), 9)
    drugs = stream(("drug",), 6, kind="tokens", categories={"drug": ("a", "b", "c")})
    drugs = replace(drugs, values=random.integers(0, 3, drugs.values.shape))
    static = Stream(random.normal(size=(number, 1)), np.arange(number + 1), ("age",))
    target = Target(random.integers(0, 2, (number, 1)), classes=("no", "yes"))
    return SequenceDataset(
        tuple(range(number)), {"vitals": vitals, "drugs": drugs}, static, {"risk": target}
    )


@pytest.fixture(scope="module")
def fitted():
    X, y = trends()
    return classifier(150).fit(X, y)


@pytest.fixture(scope="module")
def at_ward():
    return classifier(20, layer="gru").fit(ward())


def test_what_rises_and_what_falls_is_told_apart(fitted):
    X, y = trends(seed=1)
    assert fitted.score(X, y) > 0.9
    assert fitted.classes_.tolist() == ["down", "up"]
    assert np.allclose(fitted.predict_proba(X).sum(1), 1)


@pytest.mark.parametrize("layer", ["gru", "lstm", "rnn", "grud"])
def test_every_layer_learns(layer):
    X, y = trends()
    model = classifier(40, layer=layer, validation=0.0).fit(X, y)
    assert model.log_.loss[-1] < model.log_.loss[0]


def test_an_answer_does_not_depend_on_its_neighbours(fitted):
    X, _ = trends(seed=1)
    whole = fitted.predict_proba(X)
    alone = np.concatenate([fitted.predict_proba([each]) for each in X])
    assert np.abs(whole - alone).max() < 1e-6


def test_the_same_seed_gives_the_same_bits():
    X, y = trends(30)
    one, two = classifier().fit(X, y), classifier().fit(X, y)
    assert np.array_equal(one.predict_proba(X), two.predict_proba(X))
    assert not np.array_equal(one.predict_proba(X), classifier(seed=1).fit(X, y).predict_proba(X))


def test_a_saved_model_answers_to_the_bit(at_ward, tmp_path):
    path = tmp_path / "ward.recurra"
    at_ward.save(path)
    again = rc.load(path)
    data = ward(seed=3)
    assert np.array_equal(again.predict_proba(data), at_ward.predict_proba(data))
    assert again.classes_.tolist() == ["no", "yes"]
    assert repr(again.preprocessor_) == repr(at_ward.preprocessor_)


def test_treatments_of_the_user_are_saved_too(tmp_path):
    X, y = trends(30)
    chosen = [Scale("robust"), Fill("median"), Indicators()]
    model = classifier(treatments=chosen).fit(X, y)
    model.save(tmp_path / "model")
    assert rc.load(tmp_path / "model").treatments == tuple(chosen)


def test_shifting_one_clock_changes_nothing_where_streams_meet_late(at_ward):
    data = ward(seed=2)
    before = at_ward.predict_proba(data)
    drugs = data.streams["drugs"]
    later = data.with_streams(drugs=replace(drugs, times=drugs.times + 128.0))
    assert np.array_equal(at_ward.predict_proba(later), before)


def test_the_time_between_steps_is_read(at_ward):
    data = ward(seed=2)
    vitals = data.streams["vitals"]
    slower = data.with_streams(vitals=replace(vitals, times=vitals.times * 3))
    told, before = at_ward.predict_proba(slower), at_ward.predict_proba(data)
    several = vitals.lengths > 1
    assert np.abs(told - before)[several].max() > 1e-4
    assert np.abs(told - before)[~several].max() < 1e-7


def test_a_record_without_a_stream_is_answered(at_ward):
    data = ward(seed=2)
    assert (data.streams["vitals"].lengths == 0).any()
    assert np.isfinite(at_ward.predict_proba(data)).all()


def test_it_works_with_the_tools_of_scikit_learn():
    X, y = trends(40)
    assert cross_val_score(classifier(), X, y, cv=2).shape == (2,)
    search = GridSearchCV(classifier(), {"hidden_size": [4, 8]}, cv=2).fit(X, y)
    assert search.best_params_["hidden_size"] in (4, 8)
    assert clone(classifier(treatments=[Scale()])).treatments == [Scale()]


def test_nothing_that_is_learned_has_seen_what_was_held_back():
    X, y = trends(80)
    model = classifier(validation=0.25, refit=False).fit(X, y)
    data = from_arrays(X, y)
    _, held = model._parted(data)
    wild = [np.where(i in held.ids, 1e6, 1.0) * x for i, x in enumerate(X)]
    other = classifier(validation=0.25, refit=False).fit(wild, y)
    mine, theirs = model.preprocessor_.arrays(), other.preprocessor_.arrays()
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
    assert str(model.preprocessor_.header()) == str(other.preprocessor_.header())


def test_more_channels_without_names_are_refused():
    X, y = trends(20)
    model = classifier().fit(X, y)
    with pytest.raises(DataError, match="'x' has 3 channels, but the model learned from 2"):
        model.predict([np.zeros((4, 3))])


def test_groups_are_held_back_whole():
    X, y = trends(60)
    data = replace(from_arrays(X, y), groups=np.arange(60) // 3)
    kept, held = classifier(validation=0.5)._parted(data)
    assert held is not None
    assert not set(kept.groups) & set(held.groups)


def test_channels_are_found_by_name(at_ward):
    data = ward(seed=2)
    before = at_ward.predict_proba(data)
    vitals = data.streams["vitals"]
    turned = replace(vitals, values=vitals.values[:, ::-1], channels=vitals.channels[::-1])
    assert np.array_equal(at_ward.predict_proba(data.with_streams(vitals=turned)), before)
    wide = replace(
        vitals,
        values=np.concatenate([vitals.values, vitals.values[:, :1]], 1),
        channels=(*vitals.channels, "more"),
    )
    with pytest.warns(DataWarning, match="1 channel was not learned from and is left out: more"):
        assert np.array_equal(at_ward.predict_proba(data.with_streams(vitals=wide)), before)


def test_what_is_missing_or_of_another_type_is_refused(at_ward):
    data = ward(seed=2)
    vitals = data.streams["vitals"]
    other = data.with_streams(vitals=replace(vitals, channels=("puls", "warmth")))
    with pytest.raises(DataError, match=r"a channel 'pulse', which is not there.*'puls'") as caught:
        at_ward.predict(other)
    assert caught.value.code == "missing_channel"
    first = data.with_streams(vitals=replace(vitals, values=vitals.values[:, :1], channels=("x0",)))
    with pytest.raises(DataError, match=r"give one record of many channels as X\[:1\]"):
        at_ward.predict(first)
    with pytest.raises(DataError, match="a stream 'drugs', which is not there"):
        at_ward.predict(replace(data, streams={"vitals": vitals}))
    uncounted = data.with_streams(vitals=replace(vitals, times=None, clock="step"))
    with pytest.raises(DataError, match="clock='number' when the model learned, but now 'step'"):
        at_ward.predict(uncounted)


def test_an_unseen_category_is_unknown_and_counted(at_ward):
    data = ward(seed=2)
    drugs = data.streams["drugs"]
    new = replace(drugs, categories={"drug": ("a", "b", "z")})
    with pytest.warns(DataWarning, match="are unknown and were encoded as 0.*'z'"):
        assert np.isfinite(at_ward.predict_proba(data.with_streams(drugs=new))).all()


@pytest.mark.parametrize(
    ("y", "code", "said"),
    [
        (["a", "a"], "one_class", "Every record has the same label"),
        ([0.5, 1.0], "no_label", "y holds fractions"),
        ([None, None], "empty", "Every target is missing"),
        (None, "no_target", "y is missing"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(y, code, said):
    with pytest.raises(DataError, match=said) as caught:
        classifier().fit([[1.0], [2.0]], y)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layer": "gruu"}, "gru"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"validation": 1}, "validation=1"),
        ({"layer": "grud", "num_layers": 2}, "grud"),
        ({"join": "early"}, "join='early'"),
        ({"pooling": "sum"}, "no way of pooling"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_options_are_refused(options, said):
    with pytest.raises(OptionError, match=said):
        classifier(**options).fit([[1.0], [2.0]] * 4, [0, 1] * 4)


def test_asking_before_learning():
    with pytest.raises(NotFittedError, match=r"Call fit\(X, y\) first"):
        classifier().predict([[1.0]])


def test_a_damaged_file_is_refused(at_ward, tmp_path):
    path = tmp_path / "model"
    at_ward.save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(FileError, match="damaged"):
        rc.load(path)


def test_numbers_are_learned_in_their_units():
    random = np.random.default_rng(0)
    X = [random.normal(size=n) for n in random.integers(2, 9, 80)]
    y = np.array([1000 + 50 * x.mean() for x in X])
    model = rc.Regressor(hidden_size=16, training=training(300), dropout=0.0).fit(X, y)
    assert model.predict(X).shape == (80,)
    assert model.score(X, y) > 0.8


def test_unknown_numbers_count_in_no_loss():
    random = np.random.default_rng(0)
    X = [random.normal(size=(4, 1)) for _ in range(40)]
    y = random.normal(size=(40, 2))
    y[::2, 1] = NAN
    model = rc.Regressor(hidden_size=4, training=training(), validation=0.0, seed=3).fit(X, y)
    assert model.predict(X).shape == (40, 2)
    assert np.isfinite(model.predict(X)).all()
    with_none = np.concatenate([y, np.full((1, 2), NAN)])
    more = rc.Regressor(hidden_size=4, training=training(), validation=0.0, seed=3)
    more.fit([*X, np.full((4, 1), 99.0)], with_none)
    assert np.array_equal(more.predict(X), model.predict(X))


def test_no_filled_value_is_an_answer():
    random = np.random.default_rng(0)
    series = random.normal(size=200).cumsum()
    holes = random.random(200) < 0.4
    data = from_arrays([np.where(holes, NAN, series)[:, None]], channels=["y"])
    filled = Preprocessor([Fill("linear")]).fit_transform(data)
    for each in (data, filled):
        target = windows(each, 10, horizons=(1, 3), target="y").target
        rows = np.arange(9, 200)[: len(target)]
        for k, h in enumerate((1, 3)):
            ahead = rows + h
            known = (ahead < 200) & ~holes[np.minimum(ahead, 199)]
            assert np.array_equal(target.observed[:, k], known)
            assert np.array_equal(target.values[known, k], series[ahead[known]])


@pytest.fixture
def files(tmp_path):
    """Trends in Parquet: a row for each step, in several files and row groups."""
    X, y = trends(120)
    frame = pd.DataFrame(np.concatenate(X), columns=["a", "b"])
    owner = np.repeat(np.arange(len(X)), [len(x) for x in X])
    frame = frame.assign(id=[f"r{k}" for k in owner], y=np.array(y)[owner])
    for part, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
        frame.iloc[rows].to_parquet(tmp_path / f"part-{part}.parquet", row_group_size=40)
    return ParquetRecords(tmp_path, id="id", target="y"), X, y


def test_files_are_learned_from_block_by_block(files, monkeypatch):
    monkeypatch.setattr("recurra.estimators.learning.record_batches.BLOCK", 16)
    records, X, y = files
    model = classifier(150, validation=0.2).fit(records)
    truth = np.concatenate([b.target.values[:, 0] for b in records.blocks()])
    right = (model.predict(records) == model.classes_[truth]).mean()
    assert model.score(records) == right > 0.9
    assert (model.predict(X, channels=["a", "b"]) == y).mean() > 0.9


def test_what_is_held_back_of_files_is_not_learned_from(files, monkeypatch):
    seen = []

    def watch(records, treat, left_out, size, seed):
        for batch in endless_blocks(records, treat, left_out, size, seed):
            seen.append(left_out)
            yield batch

    monkeypatch.setattr("recurra.estimators.learning.learner.endless_blocks", watch)
    classifier(5, validation=0.2).fit(files[0])
    assert len(seen[0]) == 24


def test_every_record_of_a_file_but_those_left_out_comes_once_an_epoch(files):
    records, _, _ = files
    batches = endless_blocks(records, Preprocessor().fit_transform, frozenset({"r3"}), 16, 0)
    count = 0
    while count < 119:
        count += len(next(batches).targets["y"])
    assert count == 119


def test_measurements_may_be_projected():
    X, y = trends(30)
    model = classifier(encoder_size=5, join="gated").fit(X, y)
    assert model.network_.encoders[0].project.out_features == 5


def test_sentences_of_documents_are_read_one_by_one():
    random = np.random.default_rng(0)
    labels, documents, sentences = random.integers(0, 2, 40), [], []
    for place, label in enumerate(labels):
        for _ in range(random.integers(1, 5)):
            words = random.integers(0, 5, random.integers(1, 6)).tolist()
            sentences.append([5, *words] if label and random.random() < 0.8 else words)
            documents.append(place)
    nested = nest(from_tokens(sentences, tuple("abcdef")), np.array(documents))
    assert nested.stream.kind == "records"
    target = Target(labels[np.array(nested.ids, int)][:, None], classes=("no", "yes"))
    model = classifier(200, validation=0.0).fit(nested.with_targets(y=target))
    assert model.score(nested, np.array(target.classes, object)[target.values[:, 0]]) > 0.85


def test_data_that_bring_their_answers_are_scored_without_more(at_ward, fitted):
    data = ward(seed=2)
    labels = [record.targets["risk"][0, 0] for record in map(data.at, range(len(data)))]
    assert at_ward.score(data) == at_ward.score(data, labels)
    with pytest.raises(DataError, match="y is missing"):
        fitted.score([[[1.0, 2.0]]])


def test_a_fit_that_fails_leaves_what_was_learned_before():
    X, y = trends(30)
    model = classifier().fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(DataError, match="same label"):
        model.fit(X, ["up"] * 30)
    assert np.array_equal(model.predict_proba(X), before)


def test_what_the_audit_recommends_is_learned_with_and_saved(tmp_path):
    X, y = trends(40)
    data = from_arrays(X, y)
    recommended = rc.audit(data).recommended
    model = classifier(treatments=recommended).fit(data)
    model.save(tmp_path / "model")
    again = rc.load(tmp_path / "model")
    assert again.treatments == recommended.treatments
    assert np.array_equal(again.predict_proba(data), model.predict_proba(data))
