"""What would be answered if an input were another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import in_columns, number, plural, quoted
from recurra.data import SequenceDataset, Stream
from recurra.errors import OptionError
from recurra.explaining.channels import as_slice, find_channel, with_streams
from recurra.explaining.exchanging import check_there
from recurra.types import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.types import Floats

__all__ = ["WhatIf", "changed", "new_values", "read_change"]

SHOWN = 12
TINY = 1e-6  # of the largest answer: a difference that is written as 0


@dataclass(frozen=True, eq=False, repr=False)
class WhatIf:
    """Answers before and after inputs were changed.

    Parameters
    ----------
    changes : tuple of str
        What was changed, in words.
    keys : dict of str to sequence
        What each answer is about: the record and the answer, or the series and the time.
    before, after : ndarray of float64, shape (answers,)
        The answers.
    times : str, optional
        The key that is a time, of a forecast.

    Examples
    --------
    >>> WhatIf(("pulse at all steps: 60",), {"id": [7, 7], "answer": ["ill", "well"]},
    ...        np.array([0.8, 0.2]), np.array([0.3, 0.7]))
    What if: pulse at all steps: 60
      id  answer  before  after  difference
      7   ill        0.8    0.3        -0.5
      7   well       0.2    0.7        +0.5
    """

    changes: tuple[str, ...]
    keys: Mapping[str, Sequence[Any]]
    before: Floats
    after: Floats
    times: str | None = None

    @property
    def difference(self) -> Floats:
        """How far each answer moved: after less before."""
        return self.after - self.before

    def to_frame(self) -> pd.DataFrame:
        """Write it as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each answer: its keys, ``before``, ``after``, ``difference``.
        """
        import pandas as pd

        told = {"before": self.before, "after": self.after, "difference": self.difference}
        return pd.DataFrame({**self.keys, **told})

    def plot(self) -> Figure:
        """Draw both answers: as lines over time, or as dots from before to after.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("what_if.png")``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from recurra.explaining.what_if_picture import draw_dots, draw_lines

        title = f"What if: {'; '.join(self.changes)}"
        told = [
            [str(each) for each in column]
            for name, column in self.keys.items()
            if name != self.times
        ]
        one = [column for column in told if len(set(column)) > 1] or told[-1:]
        names = [": ".join(row) for row in zip(*one, strict=True)]
        if self.times is None:
            return draw_dots(names, self.before, self.after, title)
        owners, times = np.array(names, object), np.array(self.keys[self.times], object)
        far = [float(self._far[owners == each].max()) for each in dict.fromkeys(names)]
        alike = "answer" in self.keys  # of one record, not series with units of their own
        values = (self.before, self.after, far)
        return draw_lines(owners, times, *values, title, self.times, alike=alike)

    @property
    def _far(self) -> Floats:
        """How far each answer moved, either way; infinitely where there is one only once."""
        gone = np.isnan(self.before) != np.isnan(self.after)
        far: Floats = np.where(gone, np.inf, np.abs(np.nan_to_num(self.difference)))
        return far

    @property
    def _size(self) -> float:
        """The largest answer."""
        return float(np.abs(np.nan_to_num([self.before, self.after])).max(initial=0.0))

    def __repr__(self) -> str:
        moves = np.where(np.abs(self.difference) < TINY * self._size, 0.0, self.difference)
        shown = np.sort(np.argsort(-self._far, kind="stable")[:SHOWN])
        columns = [
            [head, *_texts([values[k] for k in shown])] for head, values in self.keys.items()
        ]
        for head, values in (("before", self.before), ("after", self.after)):
            columns.append([head, *(number(float(each)) for each in values[shown])])
        moves = moves[shown]
        signs = ["+" if each > 0 else "" for each in moves]
        told = [f"{s}{number(float(each))}" for s, each in zip(signs, moves, strict=True)]
        columns.append(["difference", *told])
        lines = [f"What if: {'; '.join(self.changes)}"]
        lines += [f"  {line}" for line in in_columns(columns, len(self.keys))]
        if len(self.before) > len(shown):
            left = plural(len(self.before) - len(shown), "answer")
            lines.append(f"  … and {left} that moved less far")
        return "\n".join(lines)


def _texts(values: Sequence[object]) -> list[str]:
    """Write keys; days without the hour, where it is midnight always."""
    texts = [str(each) for each in values]
    midnight = " 00:00:00"
    if all(each.endswith(midnight) for each in texts):
        return [each.removesuffix(midnight) for each in texts]
    return texts


def read_change(change: object) -> tuple[slice, Any, str]:
    """Read what an input is to become.

    Parameters
    ----------
    change : value, callable, or (steps, value or callable)
        What it becomes; a callable is given what was there, and gives what is to be.

    Returns
    -------
    steps : slice
        Where.
    value : object
        What, or how.
    said : str
        The same in words.
    """
    steps, value = slice(None), change
    if isinstance(change, tuple) and len(change) == 2:
        steps, value = as_slice(change[0]), change[1]
    where = "at all steps"
    if steps != slice(None):
        start, stop = steps.start or 0, steps.stop
        where = f"from step {start} on" if stop is None else f"at steps {start} to {stop - 1}"
        if start < 0 and stop is None:
            where = "at the last step" if start == -1 else f"at the last {-start} steps"
        elif stop == start + 1:
            where = f"at step {start}"
    if callable(value):
        return steps, value, f"{where}: by a function"
    if value is None:
        return steps, value, f"{where}: not observed"
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return steps, value, f"{where}: other values"
    return steps, value, f"{where}: {number(value) if isinstance(value, float) else quoted(value)}"


def new_values(name: str, old: Array, value: Any) -> Array:
    """Make the new values of some steps.

    Parameters
    ----------
    name : str
        The channel, for a message.
    old : ndarray, shape (steps,)
        What is there.
    value : object
        What is to be, or a callable that makes it of that.

    Returns
    -------
    ndarray, shape (steps,)
        What is to be.

    Raises
    ------
    OptionError
        If there are too many values, or too few.
    """
    made = value(old.copy()) if callable(value) else value
    if made is None:
        made = np.nan if old.dtype.kind == "f" else None
    array = np.asarray(made, dtype=object if isinstance(made, str) or made is None else None)
    if array.ndim > 1 or (array.ndim == 1 and array.shape != old.shape):
        raise OptionError(
            f"The change of {name!r} gives values of shape {array.shape} for "
            f"{plural(len(old), 'step')}: give one value, or one for each."
        )
    return np.broadcast_to(array, old.shape)


def changed(
    dataset: SequenceDataset, change: Mapping[str, Any]
) -> tuple[SequenceDataset, tuple[str, ...]]:
    """Change channels of records.

    Parameters
    ----------
    dataset : SequenceDataset
        The records.
    change : dict of str
        For each channel what it becomes; see `read_change`. None and NaN are not observed.

    Returns
    -------
    dataset : SequenceDataset
        The changed records.
    said : tuple of str
        What was changed, in words.

    Raises
    ------
    OptionError
        If there is no such channel or step, or a channel of numbers is to become a word.
    """
    if not isinstance(change, Mapping) or not change:
        raise OptionError(f"change={change!r}, but it is a dict: {{channel: value}}.")
    said = []
    for name, wanted in change.items():
        channel = find_channel(dataset, name)
        stream = dataset.all_streams[channel.stream]
        if channel.column is None:
            raise OptionError(
                f"{name!r} holds {stream.kind}, which what_if cannot change. Change them yourself, "
                "and compare the answers for both."
            )
        steps, value, words = read_change(wanted)
        check_there(stream, steps, f"{name!r} is to change {words}")
        made = _with_channel(stream, channel.column, name, steps, value)
        dataset = with_streams(dataset, {channel.stream: made})
        said.append(f"{name} {words}")
    return dataset, tuple(said)


def _with_channel(stream: Stream, column: int, name: str, steps: slice, value: Any) -> Stream:
    """Change one channel of one stream."""
    labels = list(stream.categories.get(stream.channels[column], ()))
    seen = stream.mask.copy()
    old: Array = np.where(seen[:, column], stream.values[:, column].astype(float), np.nan)
    if labels:
        codes = np.where(seen[:, column], stream.values[:, column], len(labels)).astype(int)
        old = np.array([*labels, None], object)[codes]
    new = old.copy()
    for start, stop in zip(stream.offsets, stream.offsets[1:], strict=False):
        part = new[start:stop]
        part[steps] = _checked(name, new_values(name, part[steps], value), bool(labels))
    missing = np.array([each is None or each != each for each in new], bool)
    values = stream.values.copy()
    if labels:
        labels += [each for each in dict.fromkeys(new[~missing].tolist()) if each not in labels]
        place = {label: code for code, label in enumerate(labels)}
        values[~missing, column] = [place[each] for each in new[~missing]]
    else:
        values = values.astype(float) if values.dtype.kind != "f" else values
        values[:, column] = new
    seen[:, column] = ~missing
    categories = dict(stream.categories)
    if labels:
        categories[stream.channels[column]] = tuple(labels)
    observed = None if stream.observed is None and seen.all() else seen
    return replace(stream, values=values, observed=observed, categories=categories)


def _checked(name: str, new: Array, labels: bool) -> Array:
    """Refuse words for numbers."""
    if labels:
        return new
    try:
        return new.astype(float)
    except (TypeError, ValueError):
        raise OptionError(f"{name!r} holds numbers, but the change gives {new[0]!r}.") from None
