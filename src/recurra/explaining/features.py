"""Features that people understand: statistics of channels, lags, windows, tokens."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from recurra.auditing.phrases import quoted
from recurra.data import SequenceDataset, Stream
from recurra.data.sequences import STATIC
from recurra.errors import OptionError, check_count, near
from recurra.explaining.channels import channels_of
from recurra.types import Booleans, Floats

__all__ = ["KINDS", "Features", "padded"]

KINDS = ("statistics", "windows", "lags", "tokens")
PLENTY = {"statistics": 1, "windows": 10, "lags": 10, "tokens": 300}
FEW = {"statistics": 1, "windows": 5, "lags": 3, "tokens": 300}
LEAST = {"statistics": 1, "tokens": 300}
MOST = 400  # features that are made unasked
MOST_LABELS = 20  # of a category

Made = tuple[str, Callable[[Floats], Floats]]
"""What a feature is called, and how it is computed of a channel, shape (records, steps)."""


@dataclass(frozen=True)
class Features:
    """Makes a table of features, the same of any records.

    Parameters
    ----------
    counts : dict of str to int
        Of each kind how many: windows, lags, tokens.
    edges : dict of str to tuple of float
        By stream, where its windows begin and end: steps, or, where lengths differ, shares of a
        record.
    lags : dict of str to int
        By stream, how many of the last steps are features.
    tokens : dict of str to tuple of int
        By stream, the tokens that are looked for.
    ragged : bool
        Whether the number of steps is a feature.
    ahead : int
        Lags are named by how long they are before the step that is so many after the last; 0 where
        nothing is foretold, and the last step itself is spoken of.

    Examples
    --------
    >>> from recurra.data import from_arrays
    >>> data = from_arrays([[1.0, 3.0], [5.0, 6.0]], channels=["pulse"])
    >>> names, table = Features.of(data, ["statistics"]).table(data)
    >>> names[:2], table[:, :2]
    (['pulse: mean', 'pulse: last value'], array([[2. , 3. ], [5.5, 6. ]]))
    """

    counts: Mapping[str, int]
    edges: Mapping[str, tuple[float, ...]]
    lags: Mapping[str, int]
    tokens: Mapping[str, tuple[int, ...]]
    ragged: bool
    ahead: int = 0

    @classmethod
    def of(
        cls,
        dataset: SequenceDataset,
        kinds: str | Sequence[str] | Mapping[str, int] = "auto",
        ahead: int = 0,
    ) -> Features:
        """Choose features by what records hold.

        Parameters
        ----------
        dataset : SequenceDataset
            Some records.
        kinds : "auto", sequence of str, or dict of str to int
            Which of ``"statistics"``, ``"windows"``, ``"lags"`` and ``"tokens"``, and how many of
            each stream; "auto" takes all that there are, fewer where channels are many.
        ahead : int
            How many steps after the last something is foretold; 0 for nothing.

        Returns
        -------
        Features
            To be computed of these records or others.

        Raises
        ------
        OptionError
            If a kind is none.
        """
        streams = dataset.all_streams
        counts = _counts(dataset, kinds)
        edges, lags, tokens = {}, {}, {}
        for name, stream in streams.items():
            lengths = stream.lengths
            if stream.kind == "tokens":
                tokens[name] = _usual(stream, counts.get("tokens", 0))
            elif name != STATIC and lengths.max(initial=0) > 1:
                longest = int(lengths.max())
                windows = min(counts.get("windows", 0), longest)
                if lengths.min() == longest:
                    cuts = np.linspace(0, longest, windows + 1).round() if windows else ()
                else:
                    cuts = np.linspace(0, 1, min(windows, 5) + 1) if windows else ()
                edges[name] = tuple(float(cut) for cut in cuts)
                lags[name] = min(counts.get("lags", 0), max(int(lengths.min()), 1))
        ragged = "statistics" in counts and len(np.unique(dataset.lengths)) > 1
        return cls(counts, edges, lags, tokens, ragged, ahead)

    def table(self, dataset: SequenceDataset) -> tuple[list[str], Floats]:
        """Compute the features.

        Parameters
        ----------
        dataset : SequenceDataset
            Records with the streams they were chosen for.

        Returns
        -------
        names : list of str
            What each feature is called.
        table : ndarray of float64, shape (records, features)
            The features; NaN where nothing was observed.
        """
        names: list[str] = ["number of steps"] if self.ragged else []
        columns: list[Floats] = [dataset.lengths.astype(float)] if self.ragged else []
        streams = dataset.all_streams
        for channel in channels_of(dataset):
            stream = streams[channel.stream]
            if channel.column is None:
                continue
            if stream.kind == "tokens":
                for name, column in self._of_tokens(stream, channel.stream, channel.column):
                    names.append(name)
                    columns.append(column)
                continue
            labels = stream.categories.get(stream.channels[channel.column])
            values = padded(stream, channel.column)
            for name, make in self._of_channel(channel.name, channel.stream, labels):
                names.append(name)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", RuntimeWarning)  # nothing was observed: NaN
                    columns.append(make(values))
        if not columns:
            raise OptionError(
                f"These records have none of the features {[*self.counts]}: numbers have "
                "statistics, windows and lags, texts have tokens, images and records in records "
                "have none. Use features='auto', or explain(x)."
            )
        return names, np.stack(columns, 1)

    def _of_tokens(self, stream: Stream, name: str, column: int) -> Iterator[tuple[str, Floats]]:
        labels = stream.categories[stream.channels[column]]
        codes, owners = stream.values[:, column].astype(np.int64), stream.owners
        for code in self.tokens[name]:
            found = np.bincount(owners[codes == code], minlength=len(stream)) > 0
            yield f"has {quoted(str(labels[code]))}", found.astype(float)

    def _of_channel(self, name: str, stream: str, labels: Any) -> Iterator[Made]:
        """List the features of one channel."""
        if stream == STATIC:
            if labels is None:
                yield name, lambda values: np.where(_known(values), values, np.nan)[:, 0]
            for code, label in enumerate((labels or ())[:MOST_LABELS]):
                yield f"{name} is {quoted(label)}", _share_of(code)
            return
        if labels is not None:
            for code, label in enumerate(labels[:MOST_LABELS]):
                yield f"{name}: share of {quoted(label)}", _share_of(code)
            return
        if "statistics" in self.counts:
            yield f"{name}: mean", _masked(lambda values: np.nanmean(values, 1))
            yield f"{name}: last value", _last
            yield f"{name}: least", _masked(lambda values: np.nanmin(values, 1))
            yield f"{name}: largest", _masked(lambda values: np.nanmax(values, 1))
            yield f"{name}: slope a step", _slope
            yield f"{name}: share missing", _share_missing
        edges = self.edges.get(stream, ())
        for start, stop in pairwise(edges):
            yield _window(name, start, stop, shares=edges[-1] <= 1.0)
        for lag in range(self.lags.get(stream, 0)):
            when = "last step" if not lag else f"{lag} step{'s' * (lag > 1)} before the last"
            if self.ahead:
                when = f"lag {lag + self.ahead}"
            yield f"{name}: {when}", _lagged(lag)


def padded(stream: Stream, column: int) -> Floats:
    """Put one channel of all records side by side.

    Parameters
    ----------
    stream : Stream
        The stream.
    column : int
        The channel.

    Returns
    -------
    ndarray of float64, shape (records, longest)
        NaN where nothing was observed, +inf beyond a record's end.
    """
    lengths = stream.lengths
    there = np.arange(max(int(lengths.max(initial=0)), 1)) < lengths[:, None]
    values = np.full(there.shape, np.inf)
    values[there] = np.where(stream.mask[:, column], stream.values[:, column], np.nan)
    return values


def _counts(dataset: SequenceDataset, kinds: Any) -> dict[str, int]:
    """Read which features are wanted, and how many of each."""
    if isinstance(kinds, str) and kinds == "auto":
        numbers = sum(
            len(each.channels) - len(each.categories)
            for name, each in dataset.all_streams.items()
            if each.kind in ("values", "signal") and name != STATIC
        )
        for counts in (PLENTY, FEW):
            if numbers * (6 + counts["windows"] + counts["lags"]) <= MOST:
                return dict(counts)
        return dict(LEAST)
    if not isinstance(kinds, str | Sequence | Mapping):
        raise OptionError(
            f"features={kinds!r}, but it is 'auto', some of {KINDS}, or how many of each: "
            "{'lags': 20}."
        )
    listed = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    for kind in listed:
        if kind not in KINDS:
            raise OptionError(f"features names {kind!r}. {near(str(kind), KINDS)}")
    if not listed:
        raise OptionError(f"features is empty. Name some of {KINDS}, or 'auto'.")
    if isinstance(kinds, Mapping):
        return {kind: check_count(f"features[{kind!r}]", count) for kind, count in kinds.items()}
    return {kind: PLENTY[kind] for kind in listed}


def _usual(stream: Stream, most: int) -> tuple[int, ...]:
    """List the tokens that most records have."""
    if not stream.rows:
        return ()
    pairs = np.unique(np.stack([stream.owners, stream.values[:, 0].astype(np.int64)]), axis=1)
    have = np.bincount(pairs[1])
    order = np.argsort(-have, kind="stable")[:most]
    return tuple(int(code) for code in order if have[code] > 1)


def _known(values: Floats) -> Booleans:
    return np.isfinite(values)


def _masked(make: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    """Compute of what was observed alone."""
    return lambda values: make(np.where(_known(values), values, np.nan))


def _share_of(code: int) -> Callable[[Floats], Floats]:
    return lambda values: (values == code).sum(1) / np.maximum(_known(values).sum(1), 1)


def _share_missing(values: Floats) -> Floats:
    missing: Floats = np.isnan(values).sum(1) / np.maximum((~np.isposinf(values)).sum(1), 1)
    return missing


def _last(values: Floats) -> Floats:
    known = _known(values)
    place = known.shape[1] - 1 - np.argmax(known[:, ::-1], 1)
    return np.where(known.any(1), values[np.arange(len(values)), place], np.nan)


def _slope(values: Floats) -> Floats:
    """Fit a straight line to each record by least squares."""
    known = _known(values)
    steps = np.where(known, np.arange(values.shape[1]), np.nan)
    away = steps - np.nanmean(steps, 1, keepdims=True)
    seen = np.where(known, values, np.nan)
    spread = np.nansum(away**2, 1)
    slope: Floats = np.nansum(away * seen, 1) / np.where(spread > 0, spread, np.nan)
    return slope


def _lagged(lag: int) -> Callable[[Floats], Floats]:
    def make(values: Floats) -> Floats:
        place = (~np.isposinf(values)).sum(1) - 1 - lag
        found = values[np.arange(len(values)), np.maximum(place, 0)]
        return np.where(place >= 0, found, np.nan)

    return make


def _window(name: str, start: float, stop: float, *, shares: bool) -> Made:
    """Make the mean of a stretch: of steps, or of a share of each record."""
    if shares:
        said = f"{name}: mean from {100 * start:.0f} to {100 * stop:.0f} % of the record"
        return said, _mean_of_share(start, stop)
    first, last = int(start), int(stop) - 1
    said = f"step {first}" if first == last else f"mean of steps {first}–{last}"
    part = slice(first, last + 1)
    return f"{name}: {said}", _masked(lambda values: np.nanmean(values[:, part], 1))


def _mean_of_share(start: float, stop: float) -> Callable[[Floats], Floats]:
    def make(values: Floats) -> Floats:
        lengths = (~np.isposinf(values)).sum(1)[:, None]
        place = (np.arange(values.shape[1]) + 0.5) / np.maximum(lengths, 1)
        inside = (place >= start) & (place < stop) & _known(values)
        mean: Floats = np.nanmean(np.where(inside, values, np.nan), 1)
        return mean

    return make
