"""Permutation importance: how much worse the answers are when one input is another record's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from recurra.auditing.phrases import plural, quoted
from recurra.data import SequenceDataset
from recurra.errors import DataError, OptionError, check_count, near
from recurra.explaining.channels import (
    as_slice,
    channels_of,
    find_channel,
)
from recurra.explaining.exchanging import Piece, check_there, exchange

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.types import Floats

__all__ = [
    "By",
    "Importance",
    "losses_of",
    "named_groups",
    "permutation_importance",
    "stretches",
]

T = TypeVar("T")
By = Literal["channel", "step", "window", "token"]
BYS = ("channel", "step", "window", "token")
WINDOWS = 10
MOST_TOKENS = 50
SHOWN = 20
FEWEST = 2


@dataclass(frozen=True, eq=False, repr=False)
class Importance:
    """How much worse the answers are when an input is exchanged between records.

    Parameters
    ----------
    by : {"channel", "step", "window", "token"}
        What was exchanged.
    measure : str
        What the answers are scored by.
    greater : bool
        Whether more of it is better.
    score : float
        Of the records as they are.
    losses : dict of str to ndarray, shape (n_repeats,)
        For each input, or group of inputs, how much worse the score was each time; below 0 where it
        was better.
    records : int
        How many records were answered.
    noun : str
        What one of them is called.

    Examples
    --------
    >>> losses = {"pulse": np.array([0.3, 0.28]), "age": np.array([0.01, -0.01])}
    >>> found = Importance("channel", "accuracy", True, 0.9, losses, 200)
    >>> print(found)
    Accuracy is 0.9 on 200 records; it is worse by so much where one channel is another record's
      pulse  0.29  ± 0.01
      age    0     ± 0.01
    mean ± standard error of 2 exchanges
    >>> found.ranked
    ('pulse', 'age')
    """

    by: By
    measure: str
    greater: bool
    score: float
    losses: Mapping[str, Floats]
    records: int
    noun: str = "record"

    @property
    def mean(self) -> dict[str, float]:
        """The mean loss, by input."""
        return {name: float(each.mean()) for name, each in self.losses.items()}

    @property
    def standard_error(self) -> dict[str, float]:
        """The standard error of the mean over exchanges, by input; NaN of a single exchange.

        It says how much chance there is in who exchanged with whom, not in which records there are.
        """
        return {
            name: float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("nan")
            for name, each in self.losses.items()
        }

    @property
    def ranked(self) -> tuple[str, ...]:
        """The inputs, those that matter most first."""
        mean = self.mean
        return tuple(sorted(mean, key=lambda name: -mean[name]))

    def to_frame(self) -> pd.DataFrame:
        """Write it as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each input, those that matter most first: what it is called, ``importance``
            (the mean loss) and ``standard_error``.
        """
        import pandas as pd

        mean, error = self.mean, self.standard_error
        rows = [(name, mean[name], error[name]) for name in self.ranked]
        return pd.DataFrame(rows, columns=[self.by, "importance", "standard_error"])

    def plot(self, most: int = SHOWN) -> Figure:
        """Draw it as bars: by importance, or, of steps and windows, as time goes.

        Parameters
        ----------
        most : int
            How many channels or tokens are drawn; steps and windows are all drawn.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("importance.png")``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from recurra.explaining.bars import across, along

        check_count("most", most)
        mean, error = self.mean, self.standard_error
        along_time = self.by in ("step", "window")
        shown = tuple(mean) if along_time else self.ranked[:most]
        values, errors = ([each[name] for name in shown] for each in (mean, error))
        worse = f"{self.measure}: how much worse where exchanged"
        left = len(mean) - len(shown)
        if along_time:
            return along(shown, values, errors, self._title, worse)
        return across(shown, values, errors, self._title, worse, left)

    @property
    def _title(self) -> str:
        return f"Importance by {self.by}, on {plural(self.records, self.noun)}"

    def __repr__(self) -> str:
        measure = self.measure[0].upper() + self.measure[1:]
        head = (
            f"{measure} is {self.score:.4g} on {plural(self.records, self.noun)}; it is worse by "
            f"so much where one {self.by} is another {self.noun}'s"
        )
        mean, error = self.mean, self.standard_error
        shown = self.ranked[:SHOWN]
        wide = max(map(len, shown))
        told = [f"{mean[name]:.3g}".replace("-0", "0", 1) if not mean[name] else f"{mean[name]:.3g}"
                for name in shown]  # fmt: skip
        most = max(map(len, told))
        rows = [
            f"  {name.ljust(wide)}  {value.ljust(most)}  ± {error[name]:.2g}"
            for name, value in zip(shown, told, strict=True)
        ]
        if len(mean) > len(shown):
            rows.append(f"  … and {len(mean) - len(shown)} more")
        repeats = len(next(iter(self.losses.values())))
        if repeats == 1:
            rows = [row.partition("  ± ")[0].rstrip() for row in rows]
            return "\n".join([head, *rows, "one exchange each: n_repeats=5 says how sure this is"])
        return "\n".join([head, *rows, f"mean ± standard error of {repeats} exchanges"])


def permutation_importance(
    dataset: SequenceDataset,
    score: Callable[[SequenceDataset], float],
    measure: str,
    *,
    greater: bool,
    groups: Mapping[str, Any] | None = None,
    n_repeats: int = 5,
    by: By = "channel",
    seed: int = 0,
) -> Importance:
    """Exchange each input between records, and see how much worse the answers become.

    Parameters
    ----------
    dataset : SequenceDataset
        Records with what `score` needs.
    score : callable
        Scores the answers for such records.
    measure : str
        What it measures.
    greater : bool
        Whether more of that is better.
    groups : dict of str, optional
        What is exchanged together; see `recurra.Classifier.importance`.
    n_repeats : int
        How often each is exchanged.
    by : {"channel", "step", "window", "token"}
        What is exchanged.
    seed : int
        Source of chance.

    Returns
    -------
    Importance
        The losses of each.

    Raises
    ------
    DataError
        If there are fewer than two records.
    OptionError
        If a group names what is not there, or two name the same.
    """
    check_count("n_repeats", n_repeats)
    if len(dataset) < FEWEST:
        raise DataError(
            "Inputs are exchanged between records, but there is only one",
            code="one_record",
            hint="Give several records; explain(x) says what mattered for one.",
        )
    parts = _parts(dataset, by, groups)
    whole = score(dataset)

    def exchanged(pieces: list[Piece], random: np.random.Generator) -> float:
        return score(exchange(dataset, pieces, random))

    losses = losses_of(parts, exchanged, whole, greater=greater, n_repeats=n_repeats, seed=seed)
    return Importance(by, measure, greater, whole, losses, len(dataset))


def losses_of(
    parts: Mapping[str, T],
    exchanged: Callable[[T, np.random.Generator], float],
    whole: float,
    *,
    greater: bool,
    n_repeats: int,
    seed: int,
) -> dict[str, Floats]:
    """Exchange each part several times, and say how much worse that is.

    Parameters
    ----------
    parts : dict of str
        What is exchanged, by its name.
    exchanged : callable
        Gives the score where a part is exchanged, by a source of chance.
    whole : float
        The score where nothing is.
    greater : bool
        Whether more of it is better.
    n_repeats : int
        How often each is exchanged.
    seed : int
        Source of chance.

    Returns
    -------
    dict of str to ndarray, shape (n_repeats,)
        The losses of each part.
    """
    sign, losses = 1.0 if greater else -1.0, {}
    for place, (name, part) in enumerate(parts.items()):
        found = [
            exchanged(part, np.random.default_rng((seed, place, repeat)))
            for repeat in range(n_repeats)
        ]
        losses[name] = sign * (whole - np.array(found))
    return losses


def _parts(
    dataset: SequenceDataset, by: str, groups: Mapping[str, Any] | None
) -> dict[str, list[Piece]]:
    """List what is exchanged, by its name."""
    if by not in BYS:
        raise OptionError(f"by={by!r}, but it is one of {BYS}.")
    if by == "channel":
        return _by_channel(dataset, groups)
    if by == "token":
        return _by_token(dataset, groups)
    return _by_stretch(dataset, by, groups)


def _by_channel(
    dataset: SequenceDataset, groups: Mapping[str, Any] | None
) -> dict[str, list[Piece]]:
    if groups is None:
        return {each.name: [Piece(each.stream, each.column)] for each in channels_of(dataset)}
    found = {}
    for group, names in named_groups(groups, "channel").items():
        channels = [find_channel(dataset, name) for name in names]
        found[group] = [Piece(each.stream, each.column) for each in channels]
    return found


def _by_token(dataset: SequenceDataset, groups: Mapping[str, Any] | None) -> dict[str, list[Piece]]:
    """List the tokens that most records have, or those asked for."""
    streams = {name: each for name, each in dataset.streams.items() if each.kind == "tokens"}
    if len(streams) != 1:
        what = "no stream of tokens" if not streams else f"several: {', '.join(streams)}"
        raise OptionError(f"by='token' needs one stream of tokens, but there is {what}.")
    ((name, stream),) = streams.items()
    labels = [str(each) for each in stream.categories[stream.channels[0]]]
    if groups is None:
        pairs = np.unique(np.stack([stream.owners, stream.values[:, 0].astype(np.int64)]), axis=1)
        have = np.bincount(pairs[1], minlength=len(labels))
        usual = np.argsort(-have, kind="stable")[:MOST_TOKENS]
        return {labels[k]: [Piece(name, codes=(int(k),))] for k in usual if have[k]}
    listed = named_groups(groups, "token")
    place = {label: code for code, label in enumerate(labels)}
    for token in (each for tokens in listed.values() for each in tokens):
        if token not in place:
            raise OptionError(f"No record has a token {token!r}. {near(token, labels)}")
    return {
        group: [Piece(name, codes=tuple(place[token] for token in tokens))]
        for group, tokens in listed.items()
    }


def _by_stretch(
    dataset: SequenceDataset, by: str, groups: Mapping[str, Any] | None
) -> dict[str, list[Piece]]:
    """List steps, or stretches of steps, of each stream by itself."""
    streams = dataset.streams
    if groups is not None:
        if len(streams) > 1:
            raise OptionError(
                f"groups= of by={by!r} names steps, but of which of {', '.join(streams)}? "
                "Leave groups out, or give records of one stream."
            )
        (name,) = streams
        found = stretches(groups, by)
        for group, steps in found.items():
            check_there(streams[name], steps, f"groups[{group!r}]={groups[group]!r}")
        return {group: [Piece(name, steps=steps)] for group, steps in found.items()}
    parts = {}
    for name, stream in streams.items():
        longest = int(stream.lengths.max())
        count = longest if by == "step" else min(WINDOWS, longest)
        edges = np.linspace(0, longest, count + 1).round().astype(int).tolist()
        for start, stop in pairwise(edges):
            said = f"step {start}" if stop == start + 1 else f"steps {start}–{stop - 1}"
            label = said if len(streams) == 1 else f"{name}: {said}"
            parts[label] = [Piece(name, steps=slice(start, stop))]
    return parts


def named_groups(groups: Mapping[str, Any], by: str) -> dict[str, tuple[str, ...]]:
    """Read groups of names.

    Parameters
    ----------
    groups : dict of str
        As the user wrote them: a name, or several, for each.
    by : str
        What is named, for messages.

    Returns
    -------
    dict of str to tuple of str
        The names in each.

    Raises
    ------
    OptionError
        If there are none, or a name is in two.

    Examples
    --------
    >>> named_groups({"both": ["pulse", "lactate"], "one": "age"}, "channel")
    {'both': ('pulse', 'lactate'), 'one': ('age',)}
    """
    _check_groups(groups, by)
    listed = {group: _listed(group, names) for group, names in groups.items()}
    _check_apart(listed)
    return listed


def stretches(groups: Mapping[str, Any], by: str) -> dict[str, slice]:
    """Read groups of steps.

    Parameters
    ----------
    groups : dict of str
        As the user wrote them: a number, a range or a slice for each.
    by : str
        What is named, for messages.

    Returns
    -------
    dict of str to slice
        The steps in each.

    Raises
    ------
    OptionError
        If there are none, or some share steps, as far as can be told without a length.

    Examples
    --------
    >>> stretches({"newest": -1, "before": range(-5, -1)}, "window")
    {'newest': slice(-1, None, None), 'before': slice(-5, -1, None)}
    """
    _check_groups(groups, by)
    found = {group: as_slice(steps) for group, steps in groups.items()}
    _check_stretches_apart(found)
    return found


def _check_groups(groups: object, by: str) -> None:
    if not isinstance(groups, Mapping) or not groups:
        raise OptionError(f"groups={groups!r}, but it is a dict: what each group is called, and "
                          f"its {by}s.")  # fmt: skip


def _listed(group: str, names: object) -> tuple[str, ...]:
    """Read the names of a group; one may stand by itself."""
    if isinstance(names, str):
        return (names,)
    if not isinstance(names, Sequence) or not names:
        raise OptionError(f"groups[{group!r}]={names!r}, but it is a list of names.")
    return tuple(map(str, names))


def _check_apart(groups: Mapping[str, Sequence[str]]) -> None:
    """Refuse what is in two groups."""
    owner: dict[str, str] = {}
    for group, names in groups.items():
        for name in names:
            if owner.setdefault(name, group) != group:
                raise OptionError(
                    f"{quoted(name)} is in two groups, {owner[name]!r} and {group!r}: leave it out "
                    "of one, so that each says how much it matters by itself."
                )


def _check_stretches_apart(stretches: Mapping[str, slice]) -> None:
    """Refuse stretches that share steps, as far as can be told without a length."""
    bounds = []
    for group, steps in stretches.items():
        start = steps.start or 0
        stop = steps.stop if steps.stop is not None else (0 if start < 0 else np.inf)
        if (start < 0) != (stop <= 0 and start < 0):
            raise OptionError(f"groups[{group!r}]={steps} counts from both ends: use one.")
        bounds.append((start < 0, start, stop, group))
    bounds.sort()
    for (end, _, stop, one), (other_end, start, _, two) in pairwise(bounds):
        if end == other_end and start < stop:
            raise OptionError(f"Groups {one!r} and {two!r} share steps: part them.")
