"""What the doctor hands back: findings, measures; as text, as a table, as pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from recurra.auditing.finding import Found
from recurra.auditing.phrases import in_columns, number, percent, plural
from recurra.diagnosing.examined import Examined
from recurra.diagnosing.finding import Finding
from recurra.diagnosing.judging import judge
from recurra.diagnosing.measures import LayerMeasures, Measures, measure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["Diagnosis", "diagnose"]


@dataclass(frozen=True)
class Diagnosis(Found[Finding]):
    """What was found in a network.

    Parameters
    ----------
    findings : tuple of Finding
        The worst first.
    measures : Measures
        What they rest on.

    Examples
    --------
    >>> from recurra import Regressor, Training
    >>> X = [[float(k), 2.0, 1.0] for k in range(40)]
    >>> model = Regressor(hidden_size=4, training=Training(steps=30)).fit(X, range(40))
    >>> found = model.diagnose(X, range(40))
    >>> found.measures.layers[0].steps, found.of("not_finite")
    (3, ())
    """

    findings: tuple[Finding, ...]
    measures: Measures

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong: notes are no illness."""
        return not self.illnesses

    @property
    def illnesses(self) -> tuple[str, ...]:
        """The codes of what is wrong, each once, the worst first."""
        codes = (each.code for each in self.findings if each.level != "note")
        return tuple(dict.fromkeys(codes))

    @property
    def state(self) -> str:
        """Whether nothing is wrong, or what."""
        return "healthy" if self.healthy else f"not well: {', '.join(self.illnesses)}"

    def to_frame(self) -> pd.DataFrame:
        """Give the findings as a table.

        Returns
        -------
        pandas.DataFrame
            A row for each: code, level, place, sentence, advice.
        """
        import pandas as pd

        names = ("code", "level", "place", "sentence", "advice")
        rows = [[getattr(each, name) for name in names] for each in self.findings]
        return pd.DataFrame(rows, columns=[*names])

    def plot(self) -> Figure:
        """Draw a page of small pictures: gradients, gates, states, training, residuals.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("diagnosis.png")``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from recurra.diagnosing.pictures import draw

        return draw(self.measures, f"{self.measures.task}: {self.state}")

    def __str__(self) -> str:
        found = self.measures
        lines = [
            f"{found.task}: {plural(found.records, 'record')} looked at, loss {found.loss:.4g}"
        ]
        lines.append("healthy: nothing wrong was found" if self.healthy else self.state)
        lines += [f"  {each.level}: {each}" for each in self.findings]
        return "\n".join([*lines, *_table(found.layers)])

    def __repr__(self) -> str:
        return f"Diagnosis({self.measures.task}: {self.state})"


def diagnose(examined: Examined, seed: int = 0) -> Diagnosis:
    """Measure, and say what is wrong.

    Parameters
    ----------
    examined : Examined
        What an estimator, or any network with ``loss(batch)``, hands over.
    seed : int
        Source of chance.

    Returns
    -------
    Diagnosis
        Findings and measures.
    """
    measures = measure(examined, seed)
    return Diagnosis(judge(measures, examined), measures)


def _table(layers: tuple[LayerMeasures, ...]) -> list[str]:
    """Write what was measured of each layer in columns."""
    if not layers:
        return []
    head = ("layer", "cell", "units", "memory", "a step", "radius", "keeps", "saturated", "dead")
    rows = [head]
    for each in layers:
        stuck = each.flat if not each.gates else float(np.mean([g.saturated for g in each.gates]))
        memory = f"> {len(each.gradient) - 1}" if math.isinf(each.memory) else f"{each.memory:.0f}"
        kept = each.kept
        rows.append(
            (
                each.name,
                each.cell,
                str(each.units),
                memory,
                f"× {each.rate:.2f}",
                "" if math.isnan(each.radius) else number(each.radius),
                "" if kept is None else percent(kept.mean),
                percent(stuck),
                str(len(each.dead)),
            )
        )
    return in_columns([*zip(*rows, strict=True)], 2)
