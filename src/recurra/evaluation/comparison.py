"""The result of a comparison: a table that says who beat whom, baselines included."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recurra.data.tables.columns import Columns
from recurra.estimators.forecasting.rolling import CUTOFF
from recurra.evaluation.calibrating import calibration

__all__ = ["Comparison"]

WIDTH = 100
COVERAGE = "coverage-"
MARK = "*"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Models and baselines, scored on the same rows.

    Print it: the best of each column carries a star, which for coverage is the nearest to what was
    promised. Baselines are marked, and cannot be left out.

    Parameters
    ----------
    frame : pandas.DataFrame
        All forecasts beside what happened, baselines included, in the form of Nixtla.
    table : pandas.DataFrame
        A row for each model, the best first: ``baseline``, then means over all windows of
        ``sMAPE`` (0 to 200), ``MASE``, ``RMSE``, and with levels ``pinball`` (mean over the
        forecast, read as the median, and all bounds), ``CRPS`` (approximate: from the same
        quantiles, see :func:`recurra.metrics.crps_from_quantiles`) and ``coverage-80`` and so on
        (0 to 1).
    scores : pandas.DataFrame
        The same for each window, a series from one cutoff.
    columns : Columns
        The roles of the columns of `frame`.
    season_length : int
        Rows in a season, by which MASE is scaled.
    notes : tuple of str
        What could not be scored.
    """

    frame: pd.DataFrame
    table: pd.DataFrame
    scores: pd.DataFrame
    columns: Columns
    season_length: int
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """One sentence: how far the best model is ahead of the best baseline, or that none is."""
        score = "MASE" if self.table["MASE"].notna().all() else "sMAPE"
        base, ours = (
            self.table.loc[self.table["baseline"] == is_base, score] for is_base in (1, 0)
        )
        base, ours = base.dropna(), ours.dropna()
        if base.empty or ours.empty:
            return ""
        if not ours.min() < base.min():
            return f"No model beats the baseline {base.idxmin()} in {score}."
        ahead = 100 * (1 - ours.min() / base.min())
        winner, loser = ours.idxmin(), base.idxmin()
        return f"{winner} beats the best baseline, {loser}, by {ahead:.1f} % in {score}."

    def calibration(self, *, per_step: bool = False) -> pd.DataFrame:
        """Set what intervals promise against what they cover: see :func:`calibration`.

        Parameters
        ----------
        per_step : bool
            Whether to tell the steps ahead apart.

        Returns
        -------
        pandas.DataFrame
            A row for each model and level.
        """
        return calibration(self.frame, per_step=per_step, columns=self.columns)

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(map(len, (heading, *column))) for heading, column in cells.items()]
        room = max(16, WIDTH - sum(widths) - 2 * len(widths))
        labels = [_label(str(name), base, room) for name, base in self.table["baseline"].items()]
        first = max(map(len, labels))
        rows = [("", *cells), *zip(labels, *cells.values(), strict=True)]
        lines = [
            start.ljust(first)
            + "".join(f"  {cell:>{w}}" for cell, w in zip(row, widths, strict=True))
            for start, *row in rows
        ]
        closing = [line for line in (self.verdict, *self.notes) if line]
        text = [self._heading(), "", *lines, "", *closing]
        return "\n".join(line.rstrip() for line in text).rstrip()

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        cells = self._cells()
        head = "".join(f"<th>{html.escape(name.strip())}</th>" for name in cells)
        rows = []
        for row, (name, base) in enumerate(self.table["baseline"].items()):
            title = f"<th>{html.escape(str(name))}{' <em>(base)</em>' if base else ''}</th>"
            rows.append(
                f"<tr>{title}{''.join(_cell(column[row]) for column in cells.values())}</tr>"
            )
        closing = "".join(
            f"<p>{html.escape(line)}</p>" for line in (self.verdict, *self.notes) if line
        )
        return (
            f"<table><caption>{html.escape(self._heading())}</caption>"
            f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{closing}"
        )

    def _heading(self) -> str:
        """How much was compared."""
        keys = [name for name in (self.columns.id, CUTOFF) if name in self.frame]
        sizes = self.frame.groupby(keys, sort=False).size()
        series = self.frame[self.columns.id].nunique()
        windows = -(-len(sizes) // series)
        plural = "" if windows == 1 else "s"
        longest = int(sizes.max())
        return (
            f"{series} series, {windows} window{plural}, up to {longest} rows each; "
            f"season {self.season_length}"
        )

    def _cells(self) -> dict[str, list[str]]:
        """The numbers as text, the best of each column with a star."""
        return {
            name.replace(COVERAGE, "cover ") + " ": _column(self.table[name], name)
            for name in self.table.columns.drop("baseline")
        }


def _label(name: str, base: bool, room: int) -> str:
    """A model's name, shortened to fit, and whether it is a baseline."""
    mark = " (base)" if base else ""
    return (name if len(name + mark) <= room else name[: room - len(mark) - 1] + "…") + mark


def _column(values: pd.Series, name: str) -> list[str]:
    """Write the numbers of one score alike, and star the best."""
    numbers = values.to_numpy(np.float64)
    finite = np.abs(numbers[np.isfinite(numbers)])
    far = numbers
    if name.startswith(COVERAGE):
        far = np.abs(numbers - float(name.removeprefix(COVERAGE)) / 100)
    best = np.nanmin(far) if finite.size else math.nan
    marks = [MARK if distance == best else " " for distance in far]
    texts = ["–" if math.isnan(one) else _number(one, finite.max()) for one in numbers]
    return [text + mark for text, mark in zip(texts, marks, strict=True)]


def _number(number: float, largest: float) -> str:
    """Four digits for the largest of the column; scientific beyond a million."""
    if largest >= 1e7 or 0 < largest < 1e-3:
        return f"{number:.3e}"
    decimals = 3 if largest < 10 else max(0, 3 - math.floor(math.log10(largest)))
    return f"{number:.{decimals}f}"


def _cell(text: str) -> str:
    """One cell of the HTML table, the best in bold."""
    inner = html.escape(text.rstrip(f"{MARK} "))
    return f"<td><b>{inner}</b></td>" if text.endswith(MARK) else f"<td>{inner}</td>"
