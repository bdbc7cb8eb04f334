"""The laws of treatments, over every one there is, on ragged and gappy data."""

import json
import warnings
from copy import deepcopy
from inspect import isabstract

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import recurra.data.treatments as room
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments import (
    Align,
    Calendar,
    Drop,
    Duplicates,
    Elapsed,
    Encode,
    Fill,
    Gaps,
    Grams,
    Indicators,
    LogMel,
    Outliers,
    Preprocessor,
    Resample,
    Scale,
    SinceObserved,
    TargetScale,
    Treatment,
    Vocabulary,
)
from recurra.errors import DataError, DataWarning, OptionError
from recurra.testing import datasets

pytestmark = pytest.mark.filterwarnings("ignore::recurra.errors.DataWarning")

FILLS = {
    "mean": Fill("mean"),
    "median": Fill("median"),
    "constant": Fill("constant", value=-1.5),
    "forward": Fill("forward"),
    "forward, few": Fill("forward", limit=2, then=("seasonal", "median"), period=3),
    "backward": Fill("backward", then="median"),
    "nearest": Fill("nearest", limit=3),
    "linear": Fill("linear", then=("nearest", "mean")),
    "time": Fill("time", then=("forward", "constant"), value=7.0),
    "seasonal": Fill("seasonal", period=2),
    "knn": Fill("knn", neighbours=2, rows=6),
    "regression": Fill("regression", lags=1, rows=8),
}
SCALES = {
    "standard": Scale(),
    "robust": Scale("robust"),
    "minmax": Scale("minmax"),
    "quantile": Scale("quantile"),
    "log": Scale("log"),
    "yeo-johnson": Scale("yeo-johnson"),
    "standard per record": Scale("standard", per="record"),
    "robust per record": Scale("robust", per="record"),
    "minmax per record": Scale("minmax", per="record"),
}
OTHERS = {
    "Indicators": Indicators(),
    "SinceObserved": SinceObserved(cap=1e5),
    "Gaps": Gaps(scale="none"),
    "Elapsed": Elapsed(),
    "Calendar": Calendar(),
    "clip": Outliers(threshold=1.0),
    "missing": Outliers("iqr", threshold=0.3, treat="missing"),
    "flag": Outliers("hampel", threshold=1.0, treat="flag", window=3),
    "clip, causal": Outliers("hampel", threshold=1.0, window=4, centred=False),
    "Encode": Encode(min_count=2),
    "Drop": Drop(["first"]),
    "LogMel": LogMel(bands=2, window=0.08),
    "TargetScale": TargetScale(),
    "Vocabulary": Vocabulary(max_size=2),
    "Grams": Grams(longest=3, beginnings=(1,)),
}
VARIANTS = FILLS | SCALES | OTHERS
OF_CLOCKS = {"Duplicates": Duplicates("first"), "Resample": Resample("30D")}
INEXACT = ("knn", "regression")
"""Sums whose order depends on how many rows are imputed at once."""

quick = settings(max_examples=8, deadline=None)
every_variant = pytest.mark.parametrize("treatment", VARIANTS.values(), ids=VARIANTS.keys())


def suited(treatment: Treatment, dataset: SequenceDataset) -> SequenceDataset:
    """Make a data set one that a treatment can be given."""
    if isinstance(treatment, Vocabulary):
        stream = dataset.streams["x0"]
        codes = np.random.default_rng(stream.rows).integers(0, 4, (stream.rows, 1))
        words = Stream(
            codes, stream.offsets, ("word",), kind="tokens", categories={"word": tuple("wxyz")}
        )
        return dataset.with_streams(words=words)
    if isinstance(treatment, LogMel):  # a hop of one sample
        chance = np.random.default_rng(dataset.streams["x0"].rows)
        offsets = dataset.streams["x0"].offsets
        sound, seen = chance.normal(size=(offsets[-1], 1)), chance.random((offsets[-1], 1)) < 0.9
        sound = Stream(sound, offsets, ("mono",), "signal", seen, rate=100.0)
        return dataset.with_streams(sound=sound)
    if isinstance(treatment, Align):
        return dataset.with_streams(twin=dataset.streams["x0"])
    if isinstance(treatment, Drop):
        more = room.Elapsed().apply(dataset, room.Elapsed().learn(dataset))
        return more.with_streams(x0=renamed(more.streams["x0"]))
    return dataset


def renamed(stream: Stream) -> Stream:
    first = stream.channels[0]
    categories = {("first" if k == first else k): v for k, v in stream.categories.items()}
    return Stream(
        stream.values,
        stream.offsets,
        ("first", *stream.channels[1:]),
        observed=stream.observed,
        times=stream.times,
        clock=stream.clock,
        zone=stream.zone,
        categories=categories,
    )


def learnt(treatment: Treatment, dataset: SequenceDataset):
    """Learn; data from which nothing can be learnt are drawn anew."""
    try:
        return treatment.learn(dataset)
    except (DataError, OptionError) as error:
        assume("Nothing was observed" not in str(error) and "Calendar reads" not in str(error))
        raise


def parts(dataset: SequenceDataset) -> dict[str, Stream]:
    static = {} if dataset.static is None else {"static": dataset.static}
    return {**dataset.streams, **static}


def assert_same(one: SequenceDataset, other: SequenceDataset, exact: bool = True) -> None:
    assert one.ids == other.ids
    for name, stream in parts(one).items():
        twin = parts(other)[name]
        assert stream.channels == twin.channels
        assert np.array_equal(stream.mask, twin.mask)
        assert stream.values.dtype == twin.values.dtype
        if exact:
            assert np.array_equal(stream.values, twin.values, equal_nan=True)
        else:
            loose = 1e-3 if stream.values.dtype == np.float32 else 1e-7
            assert np.allclose(stream.values, twin.values, loose, loose, equal_nan=True)
    for name, target in one.targets.items():
        assert np.array_equal(target.values, other.targets[name].values, equal_nan=True)


def copied(dataset: SequenceDataset) -> SequenceDataset:
    return deepcopy(dataset)


def frozen_bytes(dataset: SequenceDataset) -> list[bytes]:
    return [each.values.tobytes() + each.mask.tobytes() for each in parts(dataset).values()]


def test_every_treatment_of_values_is_in_these_laws():
    mine = {type(each) for each in VARIANTS.values()}
    noted = {
        each
        for each in vars(room).values()
        if isinstance(each, type)
        and hasattr(each, "causal")
        and issubclass(each, Treatment)
        and not isabstract(each)
    }
    assert noted == mine


@every_variant
@quick
@given(data=st.data())
def test_each_record_alone_is_treated_as_among_others(treatment, data):
    dataset = suited(treatment, data.draw(datasets()))
    learned = learnt(treatment, dataset)
    together = treatment.apply(dataset, learned)
    for i in range(len(dataset)):
        alone = treatment.apply(dataset.take([i]), learned)
        assert_same(alone, together.take([i]), getattr(treatment, "method", "") not in INEXACT)


@every_variant
@quick
@given(data=st.data())
def test_the_data_that_came_are_unchanged(treatment, data):
    dataset = suited(treatment, data.draw(datasets()))
    before = frozen_bytes(dataset)
    treatment.apply(dataset, learnt(treatment, dataset))
    assert frozen_bytes(dataset) == before


@every_variant
@quick
@given(data=st.data())
def test_what_stands_where_nothing_was_observed_is_not_read(treatment, data):
    dataset = suited(treatment, data.draw(datasets()))
    learned = learnt(treatment, dataset)
    other = copied(dataset)
    for stream in parts(other).values():
        if stream.values.dtype.kind == "f":
            stream.values[~stream.mask] = 12345.0
    again = treatment.learn(other)
    assert list(learned) == list(again)
    for key, value in learned.items():
        same = np.array_equal(value, again[key], equal_nan=True) if is_array(value) else None
        assert same if same is not None else value == again[key]
    one, two = (treatment.apply(each, learned) for each in (dataset, other))
    for name, stream in parts(one).items():
        seen = stream.mask
        assert np.array_equal(stream.values[seen], parts(two)[name].values[seen])


@every_variant
@quick
@given(data=st.data())
def test_what_is_saved_and_loaded_gives_the_same_bits(treatment, data):
    dataset = suited(treatment, data.draw(datasets()))
    learnt(treatment, dataset)
    made = Preprocessor([treatment]).fit(dataset)
    arrays = {
        k: np.frombuffer(v.tobytes(), v.dtype).reshape(v.shape) for k, v in made.arrays().items()
    }
    again = Preprocessor.from_saved(json.loads(json.dumps(made.header())), arrays)
    assert again.treatments == made.treatments
    assert_same(made.transform(dataset), again.transform(dataset))


@pytest.mark.parametrize(
    "name", sorted(n for n in room.__all__ if isinstance(getattr(room, n), type))
)
@quick
@given(data=st.data())
def test_nothing_learned_has_seen_the_test_part(name, data):
    kind = getattr(room, name)
    if not issubclass(kind, Treatment) or kind.__abstractmethods__:
        pytest.skip("no treatment that is finished")
    variants = [each for each in VARIANTS.values() if type(each) is kind]
    clocks = ["calendar"] if name in ("Align", "Calendar", "Resample") else ["step", "number"]
    whole = data.draw(datasets(clocks=clocks))
    for treatment in variants or [OF_CLOCKS.get(name) or kind()]:
        dataset = suited(treatment, whole)
        half = len(dataset) // 2
        assume(half)
        train, test = dataset.take(np.arange(half)), dataset.take(np.arange(half, len(dataset)))
        learnt(treatment, train)
        made = Preprocessor([treatment]).fit(train)
        before = [json.dumps(made.header()), *bits(made)]
        wild = planted(dataset, half)
        again = Preprocessor([treatment]).fit(wild.take(np.arange(half)))
        assert [json.dumps(again.header()), *bits(again)] == before
        for part in (test, wild.take(np.arange(half, len(dataset)))):
            try:
                made.transform(part)
            except DataError:
                assert name in ("Duplicates", "Resample", "Sort", "Align")
        assert [json.dumps(made.header()), *bits(made)] == before


def bits(made: Preprocessor) -> list[tuple[str, bytes]]:
    return [(key, value.tobytes()) for key, value in sorted(made.arrays().items())]


def planted(dataset: SequenceDataset, half: int) -> SequenceDataset:
    """Plant a wild signal in the test part, in the same memory, and labels seen nowhere else."""
    wild = copied(dataset)
    for name, stream in parts(wild).items():
        rows = slice(int(stream.offsets[half]), None)
        for k, channel in enumerate(stream.channels):
            if channel in stream.categories:
                stream.values[rows, k] = len(stream.categories[channel])
            else:
                stream.values[rows, k] = 1e9
        if stream.categories:
            labels = {n: (*known, "wild") for n, known in stream.categories.items()}
            more = Stream(**{**vars(stream), "categories": labels})
            wild = (
                wild.with_streams(**{name: more})
                if name != "static"
                else SequenceDataset(**{**vars(wild), "static": more})
            )
    for target in wild.targets.values():
        if not target.classes:
            target.values[half:] = 1e9
    return wild


@pytest.mark.parametrize(
    "treatment",
    [each for each in VARIANTS.values() if each.causal],
    ids=[name for name, each in VARIANTS.items() if each.causal],
)
@quick
@given(data=st.data())
def test_a_causal_treatment_does_not_see_the_future(treatment, data):
    dataset = suited(treatment, data.draw(datasets()))
    learned = learnt(treatment, dataset)
    after = treatment.apply(dataset, learned)
    chance = np.random.default_rng(0)
    other, firsts = {}, {}
    for name, stream in dataset.streams.items():
        cut = stream.offsets[:-1] + stream.lengths // 2
        places = np.arange(stream.rows)
        late = places >= np.repeat(cut, stream.lengths)
        values, mask = stream.values.copy(), stream.mask.copy()
        mask[late] = chance.random((int(late.sum()), mask.shape[1])) < 0.5
        numbers = [k for k, n in enumerate(stream.channels) if n not in stream.categories]
        if values.dtype.kind == "f":
            values[np.ix_(late, numbers)] = chance.normal(50, 9, (int(late.sum()), len(numbers)))
            codes = np.setdiff1d(np.arange(values.shape[1]), numbers)
            values[np.ix_(late, codes)] = 1
        other[name] = Stream(**{**vars(stream), "values": values, "observed": mask})
        firsts[name] = ~late
    changed = treatment.apply(dataset.with_streams(**other), learned)
    for name, early in firsts.items():
        one, two = after.streams[name], changed.streams[name]
        assert np.array_equal(one.mask[early], two.mask[early])
        exact = getattr(treatment, "method", "") not in INEXACT
        if exact:
            assert np.array_equal(one.values[early], two.values[early], equal_nan=True)
        else:
            assert np.allclose(one.values[early], two.values[early], 1e-3, 1e-3, equal_nan=True)


@pytest.mark.parametrize("treatment", FILLS.values(), ids=FILLS.keys())
@quick
@given(dataset=datasets())
def test_filling_keeps_the_mask_and_what_was_observed_and_leaves_no_hole(treatment, dataset):
    filled = treatment.apply(dataset, learnt(treatment, dataset))
    for name, stream in parts(dataset).items():
        after = parts(filled)[name]
        assert (after.observed is None) == (stream.observed is None)
        assert np.array_equal(after.mask, stream.mask)
        assert after.values[after.mask].tobytes() == stream.values[stream.mask].tobytes()
        numbers = [k for k, n in enumerate(stream.channels) if n not in stream.categories]
        assert np.isfinite(after.values[:, numbers]).all()
        assert (np.abs(after.values[:, numbers]) < 1e6).all()


@pytest.mark.parametrize("treatment", SCALES.values(), ids=SCALES.keys())
@quick
@given(dataset=datasets())
def test_what_is_scaled_can_be_scaled_back(treatment, dataset):
    learned = treatment.learn(dataset)
    scaled = treatment.apply(dataset, learned)
    back = treatment.undo(scaled, learned, original=dataset)
    for name, stream in parts(dataset).items():
        after, seen = parts(back)[name], stream.mask
        assert np.array_equal(after.mask, seen)
        assert np.isfinite(parts(scaled)[name].values[seen]).all()
        loose = 1e-3 if stream.values.dtype == np.float32 else 1e-8
        assert np.allclose(after.values[seen], stream.values[seen], loose, loose)


def test_a_treatment_warns_with_the_class_of_the_data():
    data = SequenceDataset(
        ("a",), {"x": Stream(np.full((3, 1), 5.0), np.array([0, 3]), ("level",))}
    )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        Scale().learn(data)
    assert [(each.category, "'level'" in str(each.message)) for each in said] == [
        (DataWarning, True)
    ]


def is_array(value: object) -> bool:
    return isinstance(value, np.ndarray)
