"""Windows over records, and what came after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from recurra.data.batching.cutting import cut_by, cut_rows, main_stream
from recurra.data.sequences import SequenceDataset, Target
from recurra.data.tables.notes import tell
from recurra.errors import DataError, OptionError, check_count
from recurra.types import Array, Integers

__all__ = ["MOST_BYTES", "windows"]

MOST_BYTES = 2**33
"""Windows take at most this much memory: they are copies, and overlap."""


def windows(
    dataset: SequenceDataset,
    length: int,
    stride: int = 1,
    *,
    horizons: Sequence[int] | None = None,
    target: str | None = None,
    stream: str | None = None,
    untreated: SequenceDataset | None = None,
    drop_short: bool = True,
) -> SequenceDataset:
    """Cut each record into windows, which are records of their own.

    Their identifiers are ``(id, first step)``, and their groups the record they come from (or its
    group), so that no split parts them. What holds for a record holds for each of its windows;
    answers for each step are cut alongside.

    Parameters
    ----------
    dataset : SequenceDataset
        The data set.
    length : int
        Steps of a window.
    stride : int
        Steps from one window to the next.
    horizons : sequence of int, optional
        How many steps after a window's last its answers lie: ``(1, 6, 24)``.
    target : str, optional
        The channel the answers are of; with `horizons`. They become a target of that name, with an
        output for each horizon: ``"h=1"``. Where the channel was not observed then, or the record
        had ended, the answer is unknown.
    stream : str, optional
        The stream whose steps count, where there are several. The others keep what is later than
        the step before the window, and not later than its last: nothing twice where windows do not
        overlap, and nothing from the future.
    untreated : SequenceDataset, optional
        The same data with the same steps before values were filled or scaled: answers are taken
        from there. Without it they are what the data set says was observed, so a filler must leave
        the mask as it was.
    drop_short : bool
        Whether records shorter than a window are left out, with a note; else they are one window.

    Returns
    -------
    SequenceDataset
        The windows, record by record.

    Raises
    ------
    DataError
        ``too_large`` if the windows would take more than 8 GiB; ``untreated`` if the other data set
        has other steps.

    Examples
    --------
    >>> from recurra.data.sequences import Stream
    >>> stream = Stream(np.arange(5.0)[:, None], np.array([0, 5]), ("x",))
    >>> cut = windows(SequenceDataset(("a",), {"x": stream}), 3, horizons=(1, 2), target="x")
    >>> cut.ids
    (('a', 0), ('a', 1), ('a', 2))
    >>> cut.target.outputs, cut.target.values
    (('h=1', 'h=2'), array([[ 3.,  4.],
           [ 4., nan],
           [nan, nan]]))
    """
    check_count("length", length)
    check_count("stride", stride)
    name = main_stream(dataset, stream)
    lengths = dataset.streams[name].lengths
    counts = np.where(lengths >= length, (lengths - length) // stride + 1, 0 if drop_short else 1)
    owners = np.repeat(np.arange(len(dataset)), counts)
    first = np.concatenate([[0], np.cumsum(counts)])[owners]
    starts = (np.arange(len(owners)) - first) * stride
    stops = np.minimum(starts + length, lengths[owners])
    bounds = cut_by(dataset, name, owners, (starts, stops), until_end=False)
    _check_size(dataset, bounds)
    ids = tuple((dataset.ids[i], start) for i, start in zip(owners, starts.tolist(), strict=True))
    made = cut_rows(dataset, ids, owners, bounds)
    if made.groups is None:
        made = replace(made, groups=_as_array(dataset.ids)[owners])
    short = int((counts == 0).sum())
    if short:
        said = f"{short} of {len(dataset)} records have fewer than {length} steps: left out."
        made = replace(made, notes=(*made.notes, tell(said)))
    if horizons is None and target is None:
        return made
    if target in dataset.targets:
        raise OptionError(f"There is a target {target!r} already. Rename it before.")
    _check_untreated(dataset, untreated, name)
    source = dataset if untreated is None else untreated
    answers = _answers(source, (name, target), horizons, owners, stops)
    return made.with_targets(**{str(target): answers})


def _answers(
    dataset: SequenceDataset,
    where: tuple[str, str | None],
    horizons: Sequence[int] | None,
    owners: Integers,
    stops: Integers,
) -> Target:
    """Look up what was observed so many steps after each window."""
    stream, channel = dataset.streams[where[0]], where[1]
    if isinstance(horizons, int):
        raise OptionError(f"horizons={horizons}, but several are read. Use horizons=({horizons},).")
    if horizons is None or channel is None or not len(horizons):
        raise OptionError("Answers need both: horizons=(1, 6) and target='the channel'.")
    for each in horizons:
        check_count("horizons", each)
    column = stream.channel(channel)
    labels = stream.categories.get(channel, ())
    rows = (stream.offsets[owners] + stops - 1)[:, None] + np.asarray(horizons, np.int64)
    there = (rows < stream.offsets[owners + 1][:, None]) & (stops > 0)[:, None]
    there[there] = stream.mask[rows[there], column]
    values = np.full(rows.shape, -1 if labels else np.nan, np.int64 if labels else np.float64)
    values[there] = stream.values[rows[there], column]
    return Target(values, "record", tuple(labels), tuple(f"h={each}" for each in horizons))


def _check_untreated(
    dataset: SequenceDataset, untreated: SequenceDataset | None, name: str
) -> None:
    """Refuse answers from a data set with other steps."""
    if untreated is None:
        return
    ours, theirs = dataset.streams[name], untreated.streams.get(name)
    same = theirs is not None and untreated.ids == dataset.ids
    if not same or theirs is None or not np.array_equal(ours.offsets, theirs.offsets):
        raise DataError(
            f"The untreated data set has other records, or other steps in stream {name!r}",
            code="untreated",
            hint="Take it after steps were added, dropped or put on a grid.",
        )


def _check_size(dataset: SequenceDataset, bounds: dict[str, tuple[Integers, Integers]]) -> None:
    """Refuse windows that would take too much memory, before any is taken."""
    size = 0
    for name, stream in dataset.streams.items():
        rows = int((bounds[name][1] - bounds[name][0]).sum())
        own = stream.values.nbytes // max(stream.rows, 1) + stream.width + 8
        size += rows * own
    if size > MOST_BYTES:
        count = len(next(iter(bounds.values()))[0])
        raise DataError(
            f"{count:,} windows would take {size / 2**30:,.0f} GiB",
            code="too_large",
            hint="Use a larger stride, or draw some steps of each record with random_crop.",
        )


def _as_array(ids: tuple[object, ...]) -> Array:
    """Make an array of identifiers, tuples among them."""
    return np.asarray(pd.Index(ids, tupleize_cols=False))
