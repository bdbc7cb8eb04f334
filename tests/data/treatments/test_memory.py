"""Steps treated as they come equal those of the whole record."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import recurra.data.treatments as room
from recurra.data import from_arrays
from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments import Fill, Outliers, Preprocessor, Scale
from recurra.data.treatments.memory import RecordMemory
from recurra.errors import OptionError

pytestmark = pytest.mark.filterwarnings("ignore::recurra.errors.DataWarning")

STEPWISE = {
    "default": [Scale(), Fill("forward"), room.Indicators(), room.SinceObserved(), room.Gaps()],
    "elapsed": [room.Elapsed(), Scale("robust"), Fill("median")],
    "ranks": [Scale("quantile"), Fill("forward", then="constant", value=2.0)],
    "clipped": [Outliers(threshold=1.0), Fill("forward"), room.Drop(["x1"])],
    "categories": [room.Encode(), Fill("forward")],
}


def records(seed: int, timed: bool) -> SequenceDataset:
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 9, 4)
    rows = int(lengths.sum())
    values = np.where(random.random((rows, 3)) < 0.4, np.nan, random.normal(size=(rows, 3)))
    codes = random.integers(0, 3, (rows, 1)).astype(float)
    stream = Stream(
        np.concatenate([values, codes], 1),
        np.concatenate([[0], np.cumsum(lengths)]),
        ("x0", "x1", "x2", "mood"),
        observed=np.concatenate([~np.isnan(values), random.random((rows, 1)) < 0.7], 1),
        times=np.cumsum(random.exponential(size=rows)) if timed else None,
        clock="number" if timed else "step",
        categories={"mood": ("calm", "glad", "sad")},
    )
    return SequenceDataset(tuple(range(4)), {"x": stream})


@pytest.mark.parametrize("name", STEPWISE)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), timed=st.booleans())
def test_steps_treated_as_they_come_equal_those_of_the_whole_record(name, seed, timed):
    dataset = records(seed, timed)
    preprocessor = Preprocessor(STEPWISE[name]).fit(dataset)
    whole = preprocessor.transform(dataset).stream
    memory = RecordMemory(preprocessor)
    stream = dataset.stream.take([1])
    start = int(whole.offsets[1])
    for row in range(stream.rows):
        step = stream.cut(np.array([row]), np.array([row + 1]))
        found = memory.read(SequenceDataset((0,), {"x": step})).stream
        np.testing.assert_array_equal(found.values[-1], whole.values[start + row])
        np.testing.assert_array_equal(found.mask[-1], whole.mask[start + row])


def test_what_is_kept_does_not_grow():
    preprocessor = Preprocessor(STEPWISE["default"]).fit(records(0, True))
    memory, stream = RecordMemory(preprocessor), records(0, True).stream.take([0])
    step = stream.cut(np.array([0]), np.array([1]))
    for time in range(50):
        later = Stream(
            step.values,
            step.offsets,
            step.channels,
            observed=step.mask,
            times=np.array([1e3 + time]),
            clock="number",
            categories=step.categories,
        )
        memory.read(SequenceDataset((0,), {"x": later}))
    assert memory.kept["x"].rows <= 6


@pytest.mark.parametrize(
    "treatment", [Fill("linear"), Fill("forward", limit=2), Scale(per="record"), Outliers("hampel")]
)
def test_a_treatment_that_looks_further_is_refused_by_name(treatment):
    data = from_arrays([[1.0, float("nan"), 3.0, 4.0, 5.0]])
    with pytest.raises(OptionError, match=rf"{type(treatment).__name__}.* cannot treat steps"):
        RecordMemory(Preprocessor([treatment]).fit(data))
