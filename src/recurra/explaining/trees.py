"""Small trees that imitate answers: three questions in a row, and what matters only together.

scikit-learn does the fitting; it is imported where it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from recurra.auditing.phrases import number, percent, plural
from recurra.types import Array, Floats

__all__ = ["Tree", "fit_tree", "question"]

DEPTH = 3
FEWEST_IN_LEAF, LEAST_SHARE = 5, 0.01
CANDIDATES, SAMPLE = 20, 1000  # features and rows that the first question of a tree is sought in
DECILES, FINE = 9, 49  # places where a first question is tried
PRICE = 0.002  # of an end: of two trees that say as much, the smaller


@dataclass(frozen=True, eq=False)
class Tree:
    """A question with two answers, or, at the end, what is answered.

    Parameters
    ----------
    value : float
        What is answered: a number, or a place among labels.
    share : float
        Of the records that come here, which have this label; of numbers 1.
    count : int
        How many records came here.
    feature : int, optional
        Which feature is asked about; None at the end.
    threshold : float
        Whether it is at most so much.
    yes, no : Tree, optional
        What comes then.
    """

    value: float
    share: float
    count: int
    feature: int | None = None
    threshold: float = 0.0
    yes: Tree | None = None
    no: Tree | None = None

    def answer(self, table: Floats) -> Array:
        """Answer by features; as `Line.answer`."""
        if self.feature is None or self.yes is None or self.no is None:
            return np.full(len(table), self.value)
        low = table[:, self.feature] <= self.threshold
        return np.where(low, self.yes.answer(table), self.no.answer(table))

    def rules(
        self, names: Sequence[str], labels: Sequence[object], noun: str = "record", deep: int = 0
    ) -> Iterator[str]:
        """Write the tree as rules.

        Parameters
        ----------
        names : sequence of str
            What features are called.
        labels : sequence
            The labels; empty where numbers are imitated.
        noun : str
            What one of those is called that it was fitted to.
        deep : int
            How far the lines are set in.

        Yields
        ------
        str
            A line.
        """
        space = "  " * deep
        if self.feature is None or self.yes is None or self.no is None:
            said = f"{labels[int(self.value)]!r}" if labels else number(self.value)
            sure = f", {percent(self.share)} of" if labels else ","
            yield f"{space}→ {said}{sure} {plural(self.count, noun)}"
            return
        yield f"{space}if {question(names[self.feature], self.threshold)[0]}"
        yield from self.yes.rules(names, labels, noun, deep + 1)
        yield f"{space}else"
        yield from self.no.rules(names, labels, noun, deep + 1)

    def asked(self) -> Iterator[int]:
        """List the features that are asked about, the first first.

        Yields
        ------
        int
            A feature; more than once where it is asked again.
        """
        if self.feature is not None and self.yes is not None and self.no is not None:
            yield self.feature
            yield from self.yes.asked()
            yield from self.no.asked()


def question(name: str, threshold: float) -> tuple[str, str]:
    """Write what is asked of a feature, and the opposite.

    Parameters
    ----------
    name : str
        What the feature is called.
    threshold : float
        Whether it is at most so much; of what is there or not, whether it is not there.

    Returns
    -------
    tuple of str
        That it is, and that it is not.

    Examples
    --------
    >>> question("age", 30.0), question("has 'not'", 0.5)
    (('age ≤ 30', 'age > 30'), ("has no 'not'", "has 'not'"))
    """
    if name.startswith(("has '", 'has "')):
        return f"has no {name.removeprefix('has ')}", name
    if name.endswith(" as it is"):
        return f"{name.removesuffix(' as it is')} taken away", name
    return f"{name} ≤ {number(threshold)}", f"{name} > {number(threshold)}"


def fit_tree(table: Floats, answers: Array, labels: bool, weights: Floats, seed: int) -> Tree:
    """Fit a tree of at most three questions in a row.

    A tree that asks what helps most at once never finds that two features matter only together. So
    the first question is sought among many, each with the best two that follow it, and taken where
    it beats the greedy one.

    Parameters
    ----------
    table : ndarray, shape (records, features)
        The features, all known.
    answers : ndarray, shape (records,)
        Numbers, or places among labels.
    labels : bool
        Which of these.
    weights : ndarray, shape (records,)
        How much each record counts.
    seed : int
        Source of chance.

    Returns
    -------
    Tree
        The first question.
    """
    least = max(FEWEST_IN_LEAF, int(np.ceil(LEAST_SHARE * len(table))))
    whole = _Data(table, answers, weights, labels, least, seed)
    greedy, impurity = whole.grown(np.ones(len(table), bool), DEPTH)
    found = _first_question(whole)
    if found is None:
        return _pruned(greedy)
    feature, threshold = found
    low = table[:, feature] <= threshold
    (yes, left), (no, right) = (whole.grown(part, DEPTH - 1) for part in (low, ~low))
    if left + right >= impurity:
        return _pruned(greedy)
    return _pruned(Tree(*whole.said(np.ones(len(table), bool)), feature, threshold, yes, no))


@dataclass(frozen=True, eq=False)
class _Data:
    """What a tree is fitted to."""

    table: Floats
    answers: Array
    weights: Floats
    labels: bool
    least: int
    seed: int

    def grown(self, rows: Array, depth: int) -> tuple[Tree, float]:
        """Grow a greedy tree on some rows; say what impurity it leaves, and its price."""
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        kind = DecisionTreeClassifier if self.labels else DecisionTreeRegressor
        made = kind(max_depth=depth, min_samples_leaf=self.least, random_state=self.seed)
        made.fit(self.table[rows], self.answers[rows], sample_weight=self.weights[rows])
        tree = made.tree_
        ends = tree.children_left < 0
        left = float((tree.impurity * tree.weighted_n_node_samples)[ends].sum())
        return self._copied(made, 0), left + PRICE * self.open * int(ends.sum())

    def _copied(self, made: Any, node: int) -> Tree:
        """Copy what scikit-learn grew, from a node on."""
        tree = made.tree_
        count, values = int(tree.n_node_samples[node]), tree.value[node].ravel()
        value, share = float(values[0]), 1.0
        if self.labels:
            place = int(values.argmax())
            value, share = float(made.classes_[place]), float(values[place] / values.sum())
        yes, no = int(tree.children_left[node]), int(tree.children_right[node])
        if yes < 0:
            return Tree(value, share, count)
        feature, threshold = int(tree.feature[node]), float(tree.threshold[node])
        parts = (self._copied(made, yes), self._copied(made, no))
        return Tree(value, share, count, feature, threshold, *parts)

    def said(self, rows: Array) -> tuple[float, float, int]:
        """Say what is answered most, or on average."""
        answers, weights = self.answers[rows], self.weights[rows]
        if not self.labels:
            return float(np.average(answers, weights=weights)), 1.0, len(answers)
        counts = np.bincount(answers.astype(np.int64), weights)
        return float(counts.argmax()), float(counts.max() / counts.sum()), len(answers)

    @cached_property
    def open(self) -> float:
        """The impurity of all rows before any question, times their weight."""
        if self.labels:
            shares = np.bincount(self.answers.astype(np.int64), self.weights) / self.weights.sum()
            return float((1 - (shares**2).sum()) * self.weights.sum())
        middle = np.average(self.answers, weights=self.weights)
        return float((self.weights * (self.answers - middle) ** 2).sum())

    def part(self, rows: Array, columns: Array) -> _Data:
        """Take some rows and columns."""
        few = (self.answers[rows], self.weights[rows])
        least = max(FEWEST_IN_LEAF, self.least * len(rows) // len(self.table))
        return _Data(self.table[np.ix_(rows, columns)], *few, self.labels, least, self.seed)

    def after(self, feature: int, threshold: float) -> float:
        """Say what impurity is left after a first question and the best two that follow."""
        low = self.table[:, feature] <= threshold
        if min(low.sum(), (~low).sum()) < 2 * self.least:
            return np.inf
        return sum(self.grown(part, DEPTH - 1)[1] for part in (low, ~low))


def _first_question(whole: _Data) -> tuple[int, float] | None:
    """Look for the first question after which two more leave least open."""
    random = np.random.default_rng(whole.seed)
    rows = np.sort(random.permutation(len(whole.table))[:SAMPLE])
    columns = _promising(whole, rows)
    few = whole.part(rows, columns)
    found, best = None, np.inf
    for feature in range(len(columns)):
        for threshold in _cuts(few.table[:, feature], DECILES):
            left = few.after(feature, threshold)
            if left < best:
                found, best = (feature, threshold), left
    if found is None:
        return None
    feature, threshold = found
    for nearby in _cuts(few.table[:, feature], FINE):
        left = few.after(feature, nearby)
        if left < best:
            threshold, best = nearby, left
    return int(columns[feature]), threshold


def _promising(whole: _Data, rows: Array) -> Array:
    """Choose the features that a forest uses most, which finds those that matter together too."""
    if whole.table.shape[1] <= CANDIDATES:
        return np.arange(whole.table.shape[1])
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesClassifier if whole.labels else ExtraTreesRegressor
    forest = kind(200, max_depth=8, min_samples_leaf=whole.least, random_state=whole.seed)
    answers = whole.answers[rows]
    forest.fit(whole.table[rows], answers, sample_weight=whole.weights[rows])
    return np.sort(np.argsort(-forest.feature_importances_, kind="stable")[:CANDIDATES])


def _cuts(column: Floats, count: int) -> list[float]:
    """Choose thresholds between the values of a feature, evenly by rank."""
    values = np.unique(column)
    if len(values) <= count:
        return [float(cut) for cut in (values[:-1] + values[1:]) / 2]
    return [float(cut) for cut in np.quantile(column, np.linspace(0, 1, count + 2)[1:-1])]


def _pruned(tree: Tree) -> Tree:
    """Take questions away whose answers lead to the same."""
    if tree.yes is None or tree.no is None:
        return tree
    yes, no = _pruned(tree.yes), _pruned(tree.no)
    if yes.feature is None and no.feature is None and yes.value == no.value:
        count = yes.count + no.count
        share = (yes.share * yes.count + no.share * no.count) / count
        return Tree(yes.value, share, count)
    return Tree(tree.value, tree.share, tree.count, tree.feature, tree.threshold, yes, no)
