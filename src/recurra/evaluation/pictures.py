"""Pictures of forecasts: what was, what is foretold, and how sure that is.

Drawn with matplotlib's figures alone: no window, no global state.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recurra.data.panel.frame import from_frame
from recurra.data.panel.wall import to_wall
from recurra.data.tables.columns import Columns
from recurra.data.tables.table import as_table
from recurra.errors import DataError, DataWarning, OptionError, check_count, near, need
from recurra.evaluation.forecasts import read_forecasts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from recurra.data import Clock, Panel
    from recurra.evaluation.forecasts import Forecasts
    from recurra.types import Array, Booleans, Floats, Integers

__all__ = ["plot_forecast"]

MOST_PANELS = 8
INK, FAINT, GRID = "#33373d", "#767c85", "#e7e9ec"
COLORS = ("#0b6aa8", "#c4552d", "#2f8557", "#8450a5", "#a8780b", "#b83a6f")
FONT = 9  # points
BAND = 0.17  # opacity; a narrower band lies on the wider ones


def plot_forecast(
    history: Any,
    forecast: Any,
    *,
    ids: Sequence[object] | None = None,
    columns: Columns | None = None,
    last: int | None = None,
    title: str | None = None,
) -> Figure:
    """Draw forecasts after the end of the history they follow.

    A line for each model and a shaded band for each level, named beside them. A line breaks where
    nothing was observed; an observation with none beside it is a dot.

    Parameters
    ----------
    history : DataFrame
        The observed rows: a long pandas, polars or pyarrow table.
    forecast : DataFrame
        What ``predict`` or ``cross_validation`` returns, or another library's table of that form.
    ids : sequence, optional
        The series to draw, 8 at most; by default the first of `history` that have forecasts.
    columns : Columns, optional
        The names of the columns in both; by default ``unique_id``, ``ds`` and ``y``.
    last : int, optional
        Steps of the history to show; by default four times those that are foretold, and at least
        24.
    title : str, optional
        Over the picture; by default it says what is drawn.

    Returns
    -------
    matplotlib.figure.Figure
        Save it with ``figure.savefig("forecast.png")``, or as ``.svg``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    DataError, OptionError
        If a table or a series is not what it should be.

    Examples
    --------
    >>> history = pd.DataFrame({"unique_id": "a", "ds": range(30), "y": [3.0, 5.0] * 15})
    >>> coming = pd.DataFrame({"unique_id": "a", "ds": [30, 31], "LSTM": [3.1, 4.9]})
    >>> figure = plot_forecast(history, coming)
    >>> figure.get_suptitle()
    'a: y, and what LSTM foretells'
    """
    figures: Any = need("matplotlib.figure", extra="plot", purpose="Drawing a forecast")
    check_count("last", last, optional=True)
    columns = columns or Columns()
    past, coming = _read(history, forecast, Columns(columns.id, columns.time, columns.target))
    chosen, known = _choose(ids, past, coming)
    windows = [_Window.of(past, coming, one, last) for one in chosen]
    figure, panels = _sheet(figures.Figure, len(chosen))
    for panel, window in zip(panels, windows, strict=True):
        if len(chosen) > 1:
            panel.set_title(str(window.id), loc="left", fontsize=FONT, fontweight="bold", color=INK)
        _draw(panel, window, past.clock, label_bands=panel is panels[0])
    subject = f"{chosen[0]}: {columns.target}" if len(chosen) == 1 else columns.target
    _describe(figure, title or f"{subject}, and what {_models(coming)}", known - len(chosen))
    return figure


# ------------------------------------------------------------------- what to draw


@dataclass(frozen=True, eq=False)
class _Window:
    """One series: the part of its history to be shown, and its forecasts."""

    id: object
    times: Integers
    y: Floats
    observed: Booleans
    coming: Forecasts
    parts: tuple[slice, ...]

    @classmethod
    def of(cls, past: Panel, coming: Forecasts, one: object, last: int | None) -> _Window:
        place = past.ids.index(one)
        rows = slice(int(past.offsets[place]), int(past.offsets[place + 1]))
        times = past.times[rows]
        parts = tuple(coming.window(i) for i, each in enumerate(coming.ids) if each == one)
        steps = max(part.stop - part.start for part in parts)
        begin = int(np.searchsorted(times, coming.times[parts[0].start]))
        start = max(0, begin - (last or max(24, 4 * steps)))
        return cls(
            one,
            times[start:],
            past.target[rows][start:],
            past.observed[rows][start:],
            coming,
            parts,
        )

    def before(self, part: slice) -> slice:
        """The last observation before a forecast, if it is the row before: a line starts there."""
        begin = int(np.searchsorted(self.times, self.coming.times[part.start]))
        joined = begin > 0 and bool(self.observed[begin - 1])
        return slice(begin - 1, begin) if joined else slice(0, 0)

    @property
    def lonely(self) -> Booleans:
        """Observations without an observed neighbour, through which no line goes."""
        seen = np.concatenate([[False], self.observed, [False]])
        return seen[1:-1] & ~seen[:-2] & ~seen[2:]


def _read(history: Any, forecast: Any, columns: Columns) -> tuple[Panel, Forecasts]:
    """Read both tables; what reading changes was said when they were read to learn from."""
    table = as_table(forecast)
    frame = pd.DataFrame({name: table.column(name) for name in table.names})
    frame[columns.target] = np.nan  # a forecast is drawn whether or not the truth is known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return from_frame(history, columns), read_forecasts(frame, columns)


def _choose(
    ids: Sequence[object] | None, past: Panel, coming: Forecasts
) -> tuple[list[object], int]:
    """Say which series are drawn, and of how many."""
    known = set(coming.ids)
    both = [one for one in past.ids if one in known]
    if ids is None:
        if not both:
            message = "No series of the history has a forecast"
            hint = "Give both tables the same identifiers."
            raise DataError(message, code="no_series", hint=hint)
        return both[:MOST_PANELS], len(both)
    wanted: list[object] = [ids] if isinstance(ids, str) else list(dict.fromkeys(ids))
    for one in wanted:
        if one not in both:
            raise OptionError(f"There is no series {one!r} to draw. {near(str(one), both)}")
    if not wanted:
        raise OptionError("ids=[], but it must name a series. Leave it out to draw the first.")
    return wanted[:MOST_PANELS], len(wanted)


def _models(coming: Forecasts) -> str:
    """Say who foretells."""
    *most, one = coming.models
    return f"{', '.join(most)} and {one} foretell" if most else f"{one} foretells"


# --------------------------------------------------------------------- drawing it


def _sheet(new: Any, panels: int) -> tuple[Figure, list[Axes]]:
    """Lay out a panel for each series: below each other, or in two columns if there are many."""
    across = 1 if panels <= 3 else 2
    down = ceil(panels / across)
    height = 4.4 if panels == 1 else 0.6 + 2.2 * down
    figure: Figure = new(figsize=(9.0 if across == 1 else 11.5, height), dpi=144)
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    grid = figure.subplots(down, across, squeeze=False).ravel().tolist()
    for empty in grid[panels:]:
        empty.remove()
    return figure, grid[:panels]


def _draw(axes: Axes, window: _Window, clock: Clock, label_bands: bool) -> None:
    """Draw one series."""
    at = _along(window.times, clock)
    axes.plot(at, np.where(window.observed, window.y, np.nan), color=INK, linewidth=1.2)
    axes.plot(at[window.lonely], window.y[window.lonely], ".", color=INK, markersize=4)
    for part in window.parts:
        for name, color in zip(window.coming.models, _colors(), strict=False):
            _draw_model(axes, window, clock, part, name, color)
    _set_axes(axes, clock)
    _label(axes, window, clock, label_bands)


def _draw_model(
    axes: Axes, window: _Window, clock: Clock, part: slice, name: str, color: str
) -> None:
    """Draw one model's line and bands, from the last observation on."""
    coming, start = window.coming, window.before(part)
    model, first = coming.models[name], window.y[start]
    at = _along(np.concatenate([window.times[start], coming.times[part]]), clock)
    for _, bounds in sorted(model.bounds.items(), reverse=True):
        low, high = (np.concatenate([first, bound[part]]) for bound in bounds)
        axes.fill_between(at, low, high, color=color, alpha=BAND, linewidth=0)
    dot = "." if len(at) == 1 else ""
    axes.plot(
        at, np.concatenate([first, model.point[part]]), color=color, linewidth=1.8, marker=dot
    )


def _label(axes: Axes, window: _Window, clock: Clock, label_bands: bool) -> None:
    """Write the names at the ends of the lines and bands, a line of text apart."""
    coming, end = window.coming, window.parts[-1].stop - 1
    labels = [
        (model.point[end], name, color, True)
        for (name, model), color in zip(coming.models.items(), _colors(), strict=False)
    ]
    if label_bands and len(labels) == 1:
        (model,), color = coming.models.values(), COLORS[0]
        labels += [(model.bounds[one][1][end], f"{one:g} %", color, False) for one in coming.levels]
    labels = sorted(label for label in labels if np.isfinite(label[0]))
    height = axes.get_figure().get_size_inches()[1] * 72 * axes.get_position().height  # type: ignore[union-attr]
    bottom, top = axes.get_ylim()
    wanted = [(label[0] - bottom) / (top - bottom) * height for label in labels]
    at = _along(coming.times[end : end + 1], clock)[0]
    for (y, text, color, strong), want, got in zip(labels, wanted, _apart(wanted), strict=True):
        axes.annotate(
            text,
            (at, y),
            (5, got - want),
            textcoords="offset points",
            va="center",
            fontsize=FONT,
            color=color,
            alpha=1.0 if strong else 0.75,
            fontweight="bold" if strong else "normal",
            annotation_clip=False,
        )


def _apart(wanted: list[float], gap: float = FONT * 1.25) -> list[float]:
    """Move rising heights apart until none is nearer to the next than the gap."""
    heights = np.asarray(wanted, np.float64)
    for _ in range(20 * len(heights)):
        short = gap - np.diff(heights)
        if (short <= 1e-6).all():
            break
        push = np.clip(short, 0, None) / 2
        heights[:-1] -= push
        heights[1:] += push
    return heights.tolist()


def _set_axes(axes: Axes, clock: Clock) -> None:
    """Draw few and quiet lines, and write numbers and dates to be read."""
    dates: Any = need("matplotlib.dates", extra="plot", purpose="Drawing a forecast")
    ticker: Any = need("matplotlib.ticker", extra="plot", purpose="Drawing a forecast")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(labelsize=FONT, colors=FAINT, length=3)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    if axes.dataLim.ymin >= 0 > axes.get_ylim()[0]:
        axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(ticker.MaxNLocator(5))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.10g}"))
    if clock.kind == "integer":
        spelled = "{x:.0f}" if axes.dataLim.xmax < 10_000 else "{x:,.0f}"
        axes.xaxis.set_major_locator(ticker.MaxNLocator(8, integer=True))
        axes.xaxis.set_major_formatter(ticker.StrMethodFormatter(spelled))
    else:
        locator = dates.AutoDateLocator(
            minticks=3, maxticks=12 if axes.get_position().width > 0.5 else 7
        )
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        axes.xaxis.get_offset_text().set(fontsize=FONT, color=FAINT)


def _describe(figure: Figure, title: str, left_out: int) -> None:
    """Write what is drawn above, and what is not below."""
    figure.suptitle(title, x=0.015, ha="left", fontsize=FONT + 3, color=INK)
    if left_out:
        drawn = len(figure.axes)
        text = f"{drawn} of {drawn + left_out} series; the other {left_out} are not drawn."
        figure.supxlabel(text, x=0.015, ha="left", fontsize=FONT, color=FAINT)


def _along(times: Integers, clock: Clock) -> Array:
    """Stamps as matplotlib reads them, on the user's wall clock."""
    if clock.kind == "integer":
        return times
    return to_wall(times, clock.zone).view("M8[ns]")


def _colors() -> Iterator[str]:
    while True:
        yield from COLORS
