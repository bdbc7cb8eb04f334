"""Data sets for hypothesis: ragged, gappy, irregular, with all the corners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data.offsets import offsets_of
from recurra.data.sequences import SequenceDataset, Stream, Target
from recurra.errors import OptionError, need
from recurra.testing.strategies import lengths
from recurra.types import Array, Booleans

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["CHANNELS", "datasets"]

CHANNELS = ("normal", "counts", "flags", "constant", "labels", "never")
"""The kinds of channels that `datasets` draws; ``"never"`` is never observed."""
CLOCKS = ("step", "number", "calendar")
LABELS = ("", " ", "a", "A", "straße")
STRETCHES = {"number": (0.0, 0.25, 1.0, 1.0, 1e4), "calendar": (0, 1, 3_600, 3_600, 86_400 * 400)}
"""How long after the one before a step may come: 0, and much more than usual, among them."""
GARBAGE = -9.75e29
"""What may stand where nothing was observed, instead of NaN."""


def datasets(
    *,
    max_records: int = 4,
    max_steps: int = 8,
    max_streams: int = 1,
    channels: Sequence[str] = CHANNELS,
    clocks: Sequence[str] = CLOCKS,
    static: bool = True,
    targets: bool = True,
) -> SearchStrategy[SequenceDataset]:
    """Data sets with records of length 0 and 1, holes, equal times and long pauses.

    Where nothing was observed there is NaN, or a large number that nothing may read.

    Parameters
    ----------
    max_records : int, default 4
        Most records.
    max_steps : int, default 8
        Most steps of a record.
    max_streams : int, default 1
        Most streams, called ``x0``, ``x1`` …, each with lengths and a clock of its own.
    channels : sequence of str
        Which of `CHANNELS` may come; a channel is called by its kind and place: ``normal0``.
    clocks : sequence of {"step", "number", "calendar"}
        Which clocks may come.
    static : bool, default True
        Whether static covariates may come.
    targets : bool, default True
        Whether there are a number ``size`` and a class ``sort`` for each record.

    Returns
    -------
    SearchStrategy of SequenceDataset
        Shrinks towards one short record of one channel, all observed.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(datasets(channels=["normal"]), lambda data: len(data) > 1 and data.lengths[1] > 2)
    SequenceDataset(2 records; x0: 1 channel, 0 to 3 steps; targets: size, sort)
    """
    for wrong in (set(channels) - set(CHANNELS)) | (set(clocks) - set(CLOCKS)):
        raise OptionError(f"{wrong!r} is neither one of {CHANNELS} nor one of {CLOCKS}.")
    st: Any = need("hypothesis.strategies", extra="dev", purpose="recurra.testing")

    @st.composite
    def draw_dataset(draw: Any) -> SequenceDataset:
        counts = draw(lengths(max_steps, max_records=max_records))
        chance = np.random.default_rng(draw(st.integers(0, 2**16)))
        streams = {}
        for place in range(draw(st.integers(1, max_streams))):
            own = counts if not place else chance.integers(0, max_steps + 1, len(counts)).tolist()
            clock = draw(st.sampled_from(list(clocks)))
            streams[f"x{place}"] = _stream(draw, chance, own, channels, clock)
        ids = tuple(f"r{i}" for i in range(len(counts)))
        ones = [1] * len(counts)
        fixed = _stream(draw, chance, ones, channels, "step") if static else None
        keep = static and draw(st.booleans())
        answers = _targets(chance, len(counts)) if targets else {}
        return SequenceDataset(ids, streams, fixed if keep else None, answers)

    return draw_dataset()


def _stream(
    draw: Any, chance: np.random.Generator, counts: list[int], channels: Sequence[str], clock: str
) -> Stream:
    """Draw one stream."""
    st: Any = need("hypothesis.strategies", extra="dev", purpose="recurra.testing")
    kinds = draw(st.lists(st.sampled_from(list(channels)), min_size=1, max_size=3))
    names = tuple(f"{kind}{k}" for k, kind in enumerate(kinds))
    offsets = offsets_of(counts)
    rows = int(offsets[-1])
    shares = [draw(st.sampled_from([0.0, 0.3, 0.8])) for _ in kinds]
    seen = np.column_stack([chance.random(rows) >= share for share in shares])
    seen[:, [kind == "never" for kind in kinds]] = False
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    values = np.column_stack([_channel(chance, kind, rows) for kind in kinds]).astype(dtype)
    values[~seen] = draw(st.sampled_from([np.nan, GARBAGE]))
    return Stream(
        values,
        offsets,
        names,
        observed=_mask(draw(st.booleans()), seen),
        times=None if clock == "step" else _times(chance, clock, counts),
        clock=clock,
        zone=draw(st.sampled_from([None, "Europe/Berlin"])) if clock == "calendar" else None,
        categories={n: LABELS for n, kind in zip(names, kinds, strict=True) if kind == "labels"},
    )


def _mask(wanted: bool, seen: Booleans) -> Booleans | None:
    """Leave the mask out of a stream that was observed throughout, unless it is wanted."""
    return None if seen.all() and not wanted else seen


def _channel(chance: np.random.Generator, kind: str, rows: int) -> Array:
    """Draw the values of one channel."""
    if kind == "counts":
        return chance.poisson(3.0, rows).astype(np.float64)
    if kind == "flags":
        return chance.integers(0, 2, rows).astype(np.float64)
    if kind == "labels":
        return chance.integers(0, len(LABELS), rows).astype(np.float64)
    if kind == "constant":
        return np.full(rows, 3.7)
    return chance.normal(2.0, 5.0, rows)


def _times(chance: np.random.Generator, clock: str, counts: list[int]) -> Array:
    """Draw times that never fall within a record."""
    parts = []
    for count in counts:
        stretches = chance.choice(STRETCHES[clock], count)
        start = chance.uniform(-5, 5) if clock == "number" else chance.integers(0, 10**9)
        parts.append(start + np.cumsum(stretches))
    times = np.concatenate(parts)
    return times.astype(np.float64) if clock == "number" else times.astype(np.int64) * 10**9


def _targets(chance: np.random.Generator, count: int) -> dict[str, Target]:
    """Draw a number and a class for each record, some unknown."""
    size = chance.normal(10.0, 3.0, (count, 1))
    size[chance.random(count) < 0.2] = np.nan
    sort = chance.integers(-1, 2, (count, 1))
    return {"size": Target(size), "sort": Target(sort, classes=("no", "yes"))}
