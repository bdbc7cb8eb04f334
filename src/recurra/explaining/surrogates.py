"""Surrogates: simple models fitted to a network's own answers, refused where they do not follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recurra.auditing.phrases import number, percent, plural, quoted
from recurra.data import SequenceDataset
from recurra.errors import DataError, OptionError, SurrogateError
from recurra.explaining.features import Features
from recurra.explaining.lines import Line, fit_lasso, fit_svm
from recurra.explaining.perturbing import closeness, components, perturbed
from recurra.explaining.surrogate import Noun, Surrogate, SurrogateKind
from recurra.explaining.trees import Tree, fit_tree
from recurra.types import Array, Booleans, Floats

__all__ = ["Answers", "Surrogate", "fit_surrogate", "fit_surrogate_around"]

KINDS = ("lasso", "svm", "tree")
FLOOR_R2, FLOOR_AGREEMENT = 0.5, 0.8
SKILL = 0.5  # of what the constant answer gets wrong, an imitation of labels must get right
HELD = 0.3
FEWEST = 40
VARIANTS, MOST_VARIANTS = 1000, 3000
STILL = 1e-9  # of its size: answers that vary no more are constant


@dataclass(frozen=True)
class Answers:
    """What a network answers for some records, to be imitated.

    Parameters
    ----------
    asked : str
        What that is, in the words of the task: ``"log odds of 'ill'"``.
    numbers : ndarray of float64, shape (records,), optional
        The answers as numbers; NaN where there is none.
    labels : ndarray of object, shape (records,), optional
        The answers as labels; None where there is none.
    choices : tuple
        What `target` may be where `numbers` are missing because there are several.
    ahead : int
        How many steps after the last of a record it is foretold; 0 where nothing is.
    """

    asked: str
    numbers: Floats | None = None
    labels: Array | None = None
    choices: tuple[object, ...] = ()
    ahead: int = 0

    @property
    def noun(self) -> Noun:
        """What one of them is of."""
        return "forecast" if self.ahead else "record"


def fit_surrogate(
    dataset: SequenceDataset,
    answers: Answers,
    kind: SurrogateKind,
    *,
    features: str | Sequence[str] | Mapping[str, int] = "auto",
    floor: float | None = None,
    seed: int = 0,
) -> Surrogate:
    """Fit a simple model to what a network answers for many records.

    Parameters
    ----------
    dataset : SequenceDataset
        The records, not treated.
    answers : Answers
        What the network answers for them.
    kind : {"lasso", "svm", "tree"}
        The simple model.
    features : "auto", sequence of str, or dict of str to int
        See `Features.of`.
    floor : float, optional
        The least fidelity; by default 0.5 of R², and 0.8 of labels.
    seed : int
        Source of chance: what is held out.

    Returns
    -------
    Surrogate
        With its fidelity on three tenths of the records.

    Raises
    ------
    DataError
        If the records are few, or all answers the same.
    OptionError
        If the kind does not suit the answers, or there is no such kind, feature or floor.
    SurrogateError
        If its fidelity is below the floor.
    """
    _check_options(kind, floor)
    wanted = _Wanted.of(answers, kind)
    known = np.flatnonzero(wanted.known)
    if len(known) < FEWEST:
        came = f"these are {len(known)}"
        if len(known) < len(dataset):
            came = f"of these {len(dataset):,} it answers {len(known)}: others have no steps"
        around = "" if answers.ahead else ", or one record and around="
        raise DataError(
            f"A surrogate is fitted to what a network answers for many {answers.noun}s, but {came}",
            code="few_records",
            hint=f"Give {FEWEST} {answers.noun}s or more{around}.",
        )
    dataset, wanted = dataset.take(known), wanted.take(known)
    names, table = Features.of(dataset, features, answers.ahead).table(dataset)
    held = np.zeros(len(known), bool)
    held[np.random.default_rng(seed).permutation(len(known))[: round(HELD * len(known))]] = True
    names, table = _filled(names, table, ~held, answers.noun)
    case = _Case(
        tuple(names), table, np.ones(len(known)), held, wanted, kind, floor, seed, answers.noun
    )
    return case.fitted()


def fit_surrogate_around(
    record: SequenceDataset,
    others: SequenceDataset,
    ask: Callable[[SequenceDataset], Answers],
    kind: SurrogateKind,
    *,
    floor: float | None = None,
    seed: int = 0,
) -> Surrogate:
    """Fit a simple model to what a network answers for variants of one record.

    Parameters
    ----------
    record : SequenceDataset
        One record, not treated.
    others : SequenceDataset
        What is usual, to stand in the place of what is taken away.
    ask : callable
        Says what the network answers for any records.
    kind : {"lasso", "svm", "tree"}
        The simple model.
    floor : float, optional
        As for `fit_surrogate`.
    seed : int
        Source of chance: what is taken away, what is held out.

    Returns
    -------
    Surrogate
        Of whether each part is there; its fidelity counts each variant by its closeness.

    Raises
    ------
    DataError
        If all answers are the same.
    OptionError
        If the kind does not suit the answers, there is no such kind or floor, or nothing of the
        record can be taken away.
    SurrogateError
        If its fidelity is below the floor.
    """
    _check_options(kind, floor)
    parts = components(record, others)
    count = min(max(VARIANTS, 8 * len(parts)), MOST_VARIANTS)
    variants, there = perturbed(record, parts, count, seed)
    wanted = _Wanted.of(ask(variants), kind)
    known = np.flatnonzero(wanted.known)
    held = np.zeros(len(known), bool)
    held[np.random.default_rng((seed, 1)).permutation(len(known))[: round(HELD * len(known))]] = (
        True
    )
    weights = closeness(there)[known]
    names = tuple(part.name for part in parts)
    case = _Case(
        names, there[known], weights, held, wanted.take(known), kind, floor, seed, "variant"
    )
    return case.fitted()


@dataclass(frozen=True)
class _Wanted:
    """The answers as a kind of model imitates them: numbers, or places among labels."""

    asked: str
    values: Array
    known: Booleans
    labels: tuple[object, ...]

    @classmethod
    def of(cls, answers: Answers, kind: str) -> _Wanted:
        """Choose between numbers and labels; refuse what the kind cannot imitate."""
        if kind == "lasso" or (kind == "tree" and answers.labels is None):
            if answers.numbers is None:
                raise OptionError(
                    f"kind={kind!r} imitates one number, but there is one for each of "
                    f"{_listed(answers.choices)}: say which by target=."
                )
            values = answers.numbers.astype(float)
            return cls(answers.asked, values, np.isfinite(values), ())
        if answers.labels is None:
            raise OptionError(
                f"kind='svm' tells labels apart, but the network answers numbers ({answers.asked}):"
                " use kind='lasso' or kind='tree'."
            )
        known = np.array([each is not None for each in answers.labels], bool)
        labels = tuple(sorted(set(answers.labels[known]), key=str))
        if kind == "svm" and len(labels) > 2:
            raise OptionError(
                f"kind='svm' tells two labels apart, but the network answers {_listed(labels)}: "
                "say by target= which is told from all others, or use kind='tree'."
            )
        place = {label: code for code, label in enumerate(labels)}
        values = np.array([place.get(each, 0) for each in answers.labels], np.int64)
        return cls("its labels", values, known, labels)

    def take(self, places: Array) -> _Wanted:
        """Pick records."""
        return replace(self, values=self.values[places], known=self.known[places])


@dataclass(frozen=True, eq=False)
class _Case:
    """A table of features and what is answered for each row: what a simple model is fitted to."""

    names: tuple[str, ...]
    table: Floats
    weights: Floats
    held: Booleans
    wanted: _Wanted
    kind: SurrogateKind
    floor: float | None
    seed: int
    noun: Noun

    def fitted(self) -> Surrogate:
        """Fit it, measure how far it follows, and refuse it where that is not far."""
        self._check_varied()
        model = self._model(self.kind)
        fidelity, constant = self._fidelity(model), self._constant()
        least = FLOOR_AGREEMENT if self.wanted.labels else FLOOR_R2
        floor = least if self.floor is None else self.floor
        if self.wanted.labels and self.floor is None:
            floor = max(floor, 1 - (1 - constant) * (1 - SKILL))
        if not fidelity >= floor:
            raise SurrogateError(self._refusal(fidelity, constant, floor), fidelity)
        fit = ~self.held
        spread = np.sqrt(
            np.average(
                (self.table[fit] - np.average(self.table[fit], 0, self.weights[fit])) ** 2,
                axis=0,
                weights=self.weights[fit],
            )
        )
        return Surrogate(
            self.kind,
            self.wanted.asked,
            self.names,
            model,
            spread,
            fidelity,
            constant,
            "agreement" if self.wanted.labels else "R²",
            floor,
            int(fit.sum()),
            int(self.held.sum()),
            self.wanted.labels,
            self.noun,
        )

    def _check_varied(self) -> None:
        """Refuse answers that are all the same."""
        values = self.wanted.values[~self.held]
        labels = self.wanted.labels
        same = len(np.unique(values)) < 2
        if not labels:
            same = np.ptp(values) <= STILL * max(float(np.abs(values).max()), STILL)
        if not same:
            return
        what = quoted(labels[int(values[0])]) if labels else number(float(values[0]))
        whose = "variants of this record" if self.noun == "variant" else f"{self.noun}s"
        hint = "Look at model.report(): a network that learned nothing answers so."
        if labels:
            hint = "kind='lasso' follows how sure the network is."
        raise DataError(
            f"The network answers {what} for all {whose}: there is nothing to imitate",
            code="constant_answers",
            hint=hint,
        )

    def _model(self, kind: str) -> Line | Tree:
        fit = ~self.held
        table, weights = self.table[fit], self.weights[fit]
        values = self.wanted.values[fit]
        if kind == "lasso":
            return fit_lasso(table, values, weights, self.seed)
        if kind == "svm":
            return fit_svm(table, values, self.wanted.labels, weights, self.seed)
        return fit_tree(table, values, bool(self.wanted.labels), weights, self.seed)

    def _fidelity(self, model: Line | Tree) -> float:
        """Measure how far a model follows the network, on what it was not fitted to."""
        found = model.answer(self.table[self.held])
        truth, weights = self.wanted.values[self.held], self.weights[self.held]
        if self.wanted.labels:
            return float(np.average(found == truth, weights=weights))
        middle = np.average(truth, weights=weights)
        rest = np.average((found - truth) ** 2, weights=weights)
        whole = np.average((truth - middle) ** 2, weights=weights)
        return float(1 - rest / whole) if whole > 0 else float(rest == 0)

    def _constant(self) -> float:
        """Measure how far the best constant answer follows the network."""
        if not self.wanted.labels:
            return 0.0
        fit = ~self.held
        usual = np.bincount(self.wanted.values[fit], self.weights[fit]).argmax()
        same = self.wanted.values[self.held] == usual
        return float(np.average(same, weights=self.weights[self.held]))

    def _refusal(self, fidelity: float, constant: float, floor: float) -> str:
        """Say how far it follows, why not farther, and what to do."""
        what = {"lasso": "A line through", "svm": "A plane over", "tree": "A small tree over"}
        over = f"{what[self.kind]} these {plural(len(self.names), 'feature')}"
        where = plural(int(self.held.sum()), self.noun)
        if self.wanted.labels:
            said = (
                f"{over} gives the network's label in {percent(fidelity)} of {where} it was not "
                f"fitted to, where always the same label would in {percent(constant)}"
            )
        else:
            said = (
                f"{over} follows {percent(max(fidelity, 0.0))} of the variance of the network's "
                f"answers ({self.wanted.asked}) on {where} it was not fitted to"
            )
        return f"{said}; {percent(floor)} are needed. {self._advice(floor)}"

    def _advice(self, floor: float) -> str:
        if self.kind != "tree":
            tree = self._fidelity(self._model("tree"))
            if tree >= floor:
                return (
                    "The answers depend on combinations of features, which a sum cannot say: a "
                    "tree of three questions over the same features follows "
                    f"{percent(tree)}. Use kind='tree'."
                )
        if self.noun == "variant":
            return (
                "Around this record the parts do not act one by one. Use explain(x), which follows "
                "the network itself, or importance() over many records."
            )
        others = (
            "Give others (features={'lags': 20, 'windows': 20}), explain one record (around=x),"
        )
        if self.noun == "forecast":
            others = "Look farther back (steps=50),"
        return (
            "What the network goes by is not in these features: it may be the order of steps, or "
            f"how several act together. {others} or see importance() and explain()."
        )


def _filled(
    names: Sequence[str], table: Floats, fit: Booleans, noun: Noun
) -> tuple[list[str], Floats]:
    """Put the mean where nothing is known; leave out features that are constant, or twice there."""
    known = np.isfinite(table)
    part = np.where(known[fit], table[fit], 0.0)
    mean = part.sum(0) / np.maximum(known[fit].sum(0), 1)
    whole = np.where(known, table, mean)
    size = np.abs(whole[fit]).max(0, initial=0.0)
    varied = np.flatnonzero(np.ptp(whole[fit], 0) > STILL * np.maximum(size, STILL))
    if not len(varied):
        other = (
            "other features=, or around= one record" if noun == "record" else "series that change"
        )
        raise DataError(
            f"No feature of these {noun}s varies: there is nothing to imitate the network by",
            code="constant_features",
            hint=f"Give {other}.",
        )
    _, first = np.unique(whole[:, varied], axis=1, return_index=True)
    kept = varied[np.sort(first)]
    return [names[k] for k in kept], whole[:, kept]


def _listed(choices: Sequence[object]) -> str:
    shown = ", ".join(quoted(each) for each in choices[:10])
    return shown + (", …" if len(choices) > 10 else "")


def _check_options(kind: object, floor: Any) -> None:
    if kind not in KINDS:
        raise OptionError(f"kind={kind!r}, but it is one of {KINDS}.")
    counts = isinstance(floor, int | float | np.number) and not isinstance(floor, bool)
    if floor is not None and not (counts and floor <= 1):
        raise OptionError(
            f"floor={floor!r}, but it is the least fidelity, a number of at most 1, or None for "
            "the usual."
        )
