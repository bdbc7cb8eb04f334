"""A simple model that follows a network: what it says, and how far it follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from recurra.auditing.phrases import number, plural
from recurra.explaining.lines import Line
from recurra.explaining.trees import Tree, question
from recurra.types import Floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Noun", "Surrogate", "SurrogateKind"]

Noun = Literal["record", "forecast", "variant"]
SurrogateKind = Literal["lasso", "svm", "tree"]
CALLED = {"lasso": "LASSO", "svm": "Linear SVM", "tree": "Tree"}
SHOWN = 15
DEVIATION = "of one standard deviation"


@dataclass(frozen=True, eq=False, repr=False)
class Surrogate:
    """A simple model that follows a network, and how far.

    Parameters
    ----------
    kind : {"lasso", "svm", "tree"}
        What it is.
    asked : str
        Which answers it imitates.
    names : tuple of str
        What the features are called.
    model : Line or Tree
        The model.
    spread : ndarray of float64, shape (features,)
        The standard deviation of each feature.
    fidelity : float
        On what it was not fitted to: R² of numbers, the share of labels that are the same; around
        one record each variant counts by its closeness.
    constant : float
        The same of the best constant answer.
    measure : {"R²", "agreement"}
        Which of these.
    floor : float
        What is refused below.
    fitted_to, held : int
        How many records, or variants of one, it was fitted to and measured on.
    labels : tuple
        The labels that a tree or an SVM answers; empty of numbers.
    noun : {"record", "forecast", "variant"}
        What it was fitted to; variants of one record, where it holds around that one only.

    Examples
    --------
    >>> line = Line(np.array([0.0, -2.0]), 1.0)
    >>> names, spread = ("pulse: mean", "age"), np.array([1.0, 10.0])
    >>> Surrogate("lasso", "y", names, line, spread, 0.93, 0.0, "R²", 0.5, 70, 30)
    LASSO over 2 features, fitted to what the network answers (y) for 70 records
    fidelity: R² 0.93 on 30 other records (0.00 of a constant; floor 0.50)
                 coefficient  of one standard deviation
      age                 -2                        -20
      intercept            1
    """

    kind: SurrogateKind
    asked: str
    names: tuple[str, ...]
    model: Line | Tree = field(repr=False)
    spread: Floats
    fidelity: float
    constant: float
    measure: Literal["R²", "agreement"]
    floor: float
    fitted_to: int
    held: int
    labels: tuple[object, ...] = ()
    noun: Noun = "record"

    @property
    def around(self) -> bool:
        """Whether it holds around one record only."""
        return self.noun == "variant"

    @property
    def coefficients(self) -> dict[str, float]:
        """What one unit of each feature adds, those of the largest effect first; no zeros.

        Of an SVM, to the side of its second label; of a tree there are none.
        """
        if not isinstance(self.model, Line):
            return {}
        effects = np.abs(self.model.coefficients * (1.0 if self.around else self.spread))
        order = np.argsort(-effects, kind="stable")
        return {
            self.names[k]: float(self.model.coefficients[k])
            for k in order
            if self.model.coefficients[k]
        }

    @property
    def features(self) -> tuple[str, ...]:
        """The features that it uses: by effect, or as a tree asks."""
        if isinstance(self.model, Line):
            return tuple(self.coefficients)
        return tuple(dict.fromkeys(self.names[k] for k in self.model.asked()))

    @property
    def rules(self) -> str:
        """A tree as rules; empty of a line."""
        if isinstance(self.model, Line):
            return ""
        return "\n".join(self.model.rules(self.names, self.labels, self.noun))

    def to_frame(self) -> pd.DataFrame:
        """Write it as a table.

        Returns
        -------
        pandas.DataFrame
            Of a line, a row for each feature it uses: ``feature``, ``coefficient``, and ``effect``,
            of one standard deviation. Of a tree, a row for each end: ``rule`` and ``answer``,
            ``share`` and ``records``.
        """
        import pandas as pd

        if isinstance(self.model, Line):
            effects = self._effects
            rows = [(name, each, effects[name]) for name, each in self.coefficients.items()]
            return pd.DataFrame(rows, columns=["feature", "coefficient", "effect"])
        ends = [
            (" and ".join(rule) or "always", self._label(end.value), end.share, end.count)
            for rule, end in _ends(self.model, self.names)
        ]
        return pd.DataFrame(ends, columns=["rule", "answer", "share", "records"])

    def plot(self) -> Figure:
        """Draw it: a bar for the effect of each feature, or the tree's questions.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("surrogate.png")``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from recurra.explaining.bars import across
        from recurra.explaining.tree_picture import draw_tree

        title = f"{CALLED[self.kind]} of {self.asked}: {self._fidelity}"
        if isinstance(self.model, Tree):
            return draw_tree(self.model, self.names, self.labels, title)
        effects = self._effects
        shown = list(effects)[:SHOWN]
        unit = "having it" if self.around else "one standard deviation"
        label = f"effect of {unit}"
        if self.labels:
            label += f" (right: {self.labels[1]}, left: {self.labels[0]})"
        left_out = len(effects) - len(shown)
        return across(shown, [effects[name] for name in shown], None, title, label, left_out)

    @property
    def _effects(self) -> dict[str, float]:
        spread = dict(zip(self.names, self.spread, strict=True))
        return {
            name: each * (1.0 if self.around else float(spread[name]))
            for name, each in self.coefficients.items()
        }

    @property
    def _fidelity(self) -> str:
        return f"{self.measure} {self.fidelity:.2f}"

    def _label(self, value: float) -> object:
        return self.labels[int(value)] if self.labels else value

    def __repr__(self) -> str:
        of_one = " of one record" if self.around else ""
        head = (
            f"{CALLED[self.kind]} over {plural(len(self.names), 'feature')}, fitted to what the "
            f"network answers ({self.asked}) for {plural(self.fitted_to, self.noun)}{of_one}\n"
            f"fidelity: {self._fidelity} on {plural(self.held, f'other {self.noun}')} "
            f"({max(self.constant, 0.0):.2f} of a constant; floor {self.floor:.2f})"
        )
        if isinstance(self.model, Tree):
            return "\n".join([head, *(f"  {line}" for line in self.rules.splitlines())])
        return "\n".join([head, *self._rows(self.model)])

    def _rows(self, line: Line) -> list[str]:
        """Write the coefficients below each other."""
        effects = self._effects
        shown = list(effects)[:SHOWN]
        wide = max([len("intercept"), *map(len, shown)])
        signs = "for " + str(self.labels[1]) if self.labels else "coefficient"
        rows = [f"  {''.ljust(wide)}  {signs}" + ("" if self.around else f"  {DEVIATION}")]
        for name in shown:
            row = f"  {name.ljust(wide)}  {number(self.coefficients[name]).rjust(len(signs))}"
            effect = "" if self.around else f"  {number(effects[name]).rjust(len(DEVIATION))}"
            rows.append(row + effect)
        if len(effects) > len(shown):
            rows.append(f"  … and {len(effects) - len(shown)} more")
        return [*rows, f"  {'intercept'.ljust(wide)}  {number(line.intercept).rjust(len(signs))}"]


def _ends(
    tree: Tree, names: Sequence[str], before: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], Tree]]:
    """List the ends of a tree, each with what leads there."""
    if tree.feature is None or tree.yes is None or tree.no is None:
        return [(before, tree)]
    low, high = question(names[tree.feature], tree.threshold)
    return [*_ends(tree.yes, names, (*before, low)), *_ends(tree.no, names, (*before, high))]
