"""Pictures of an explanation: a map of steps and channels, a line on a coloured ground, a text.

Drawn with matplotlib's figures alone: no window, no global state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import number, percent
from recurra.auditing.pictures import Palette
from recurra.errors import need
from recurra.explaining.fonts import Fonts
from recurra.explaining.words import said, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from recurra.explaining.alignment import Alignment
    from recurra.explaining.question import Read
    from recurra.types import Array, Floats

__all__ = ["Matrix", "Panel", "draw", "draw_rows"]

PURPOSE = "Drawing an explanation"
WIDTH, FONT = 9.0, 9  # inches, points
PALETTE = Palette()
FOR, AGAINST = "#c4552d", "#0b6aa8"  # what raises the answer, and what lowers it
MOST_CHANNELS, MOST_TOKENS, MOST_LABELS = 30, 300, 8
SMALL = 0.05  # of the largest score: what is before the first such step is not drawn
MOST_NAMED = 60  # steps beside a matrix
MARKS = "␣↵→…"  # for signs that have no looks
LINE = 100  # signs of a line of text
STRONGEST = 0.7  # opacity; letters on it can still be read
GAMMA = 0.8  # of strengths: small scores are still seen


def draw(title: str, legend: str, panels: Sequence[Panel | Matrix]) -> Figure:
    """Draw the scores of each stream.

    Parameters
    ----------
    title, legend : str
        Above, and below.
    panels : sequence of Panel or Matrix
        The streams.

    Returns
    -------
    matplotlib.figure.Figure
        For each stream a text with its words in colour; a line on a coloured ground, where there
        is one channel; else a map of steps and channels with bars beside it, and the values below.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    fonts = Fonts.of([title, *(text for panel in panels for text in panel.written())])
    for panel in panels:
        panel.fonts = fonts
    matplotlib: Any = need("matplotlib", extra="plot", purpose=PURPOSE)
    with matplotlib.rc_context({"font.family": fonts.plain}):
        return _figure(fonts.writable(title), legend, panels)


def _figure(title: str, legend: str, panels: Sequence[Panel | Matrix]) -> Figure:
    figures: Any = need("matplotlib.figure", extra="plot", purpose=PURPOSE)
    heights = [panel.height for panel in panels]
    size = (WIDTH, sum(heights) + 0.7 + 0.25 * (len(panels) > 1))
    figure: Figure = figures.Figure(figsize=size, dpi=144, layout="constrained")
    parts = figure.subfigures(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, panel in zip(parts, panels, strict=True):
        panel.draw(part, named=len(panels) > 1)
    figure.suptitle(
        title.replace("$", r"\$"), x=0.012, ha="left", fontsize=FONT + 2, color=PALETTE.ink
    )
    figure.supxlabel(legend, x=0.012, ha="left", fontsize=FONT, color=PALETTE.faint)
    return figure


def draw_rows(
    title: str, legend: str, name: str, names: Sequence[object], scores: Floats, read: Read
) -> Figure:
    """Draw the scores of the steps for several answers: a row for each, and the values below.

    Parameters
    ----------
    title, legend : str
        Above, and below.
    name : str
        What the names of the answers are.
    names : sequence of object
        The name of each answer.
    scores : ndarray, shape (answers, steps)
        The scores.
    read : Read
        What is read.

    Returns
    -------
    matplotlib.figure.Figure
        The first answer at the top; each in colours of its own strength. What lies before all
        scores that count is left out.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    figures: Any = need("matplotlib.figure", extra="plot", purpose=PURPOSE)
    shown = None if read.shown is None or np.isnan(read.shown).all() else read.shown
    heights = [0.4 + 0.22 * len(scores), *([1.6] if shown is not None else [])]
    size = (WIDTH, sum(heights) + 0.9)
    figure: Figure = figures.Figure(figsize=size, dpi=144, layout="constrained")
    axes = figure.subplots(len(heights), 1, height_ratios=heights, sharex=True, squeeze=False)[:, 0]
    axes[0].imshow(
        np.stack([_shades(row) for row in scores]), aspect="auto", interpolation="nearest"
    )
    rows = range(0, len(scores), max(-(-len(scores) // MOST_CHANNELS), 1))
    axes[0].set_yticks([*rows], [_plain(str(names[k])) for k in rows])
    axes[0].set_ylabel(name, fontsize=FONT, color=PALETTE.ink)
    begun, stop = _first_that_counts(scores), len(read.values)
    if shown is not None:
        axes[1].plot(np.arange(begun, stop), shown[begun:], color=PALETTE.ink, linewidth=1.1)
        axes[1].set_ylabel("values", fontsize=FONT, color=PALETTE.ink)
    for axis in axes:
        _quiet(axis)
    axes[-1].set_xlim(begun - 0.5, stop - 0.5)
    _name_steps(axes[-1], read, begun)
    legend += f" Steps before these score less than {percent(SMALL)} of the largest." * (begun > 0)
    figure.suptitle(title, x=0.012, ha="left", fontsize=FONT + 2, color=PALETTE.ink)
    figure.supxlabel(legend, x=0.012, ha="left", fontsize=FONT, color=PALETTE.faint)
    return figure


class Panel:
    """One stream of an explanation.

    Parameters
    ----------
    name : str
        The stream.
    read : Read
        What is read of it.
    scores : ndarray
        As `Explanation.scores`.
    by : str
        What is ranked.
    window : int, optional
        Steps of a window.
    """

    def __init__(
        self, name: str, read: Read, scores: Floats, by: str, window: int | None = None
    ) -> None:
        self.name, self.read, steps = name, read, len(read.values)
        self.fonts = Fonts()
        self.whole_channels = len(scores) != steps and by == "channel"
        self.per_channel = scores.shape[1] == len(read.channels)
        if len(scores) != steps and by == "window":
            scores = scores[np.arange(steps) // (window or 1)]  # each at all of its steps
        self.scores, self.by_step = scores, scores.sum(1)
        self.words = steps > 0 and all(isinstance(each, str) for each in read.steps)

    @property
    def kind(self) -> str:
        """How it is drawn."""
        if self.read.marks and len(self.read.channels) > 1:
            return "sound"
        if self.whole_channels or len(self.read.values) <= 1:
            return "bars"
        if self.words:
            return "text"
        return "map" if self.per_channel and len(self.read.channels) > 1 else "line"

    @property
    def height(self) -> float:
        """How high it is, in inches."""
        channels = min(len(self.read.channels), MOST_CHANNELS)
        match self.kind:
            case "bars":
                return 0.7 + 0.24 * channels
            case "text":
                return 0.15 + 0.27 * len(_lines(self._tokens()))
            case "line":
                return 2.4
            case "sound":
                return 4.2
        return 2.4 + 0.2 * channels + (1.6 if self._lines() else 0.0)

    def written(self) -> list[str]:
        """List what is written in it.

        Returns
        -------
        list of str
            Names, tokens, and what was said.
        """
        read = self.read
        tokens = [str(each) for each in read.steps[:MOST_TOKENS]] if self.words else []
        return [self.name, *read.channels, *(text for _, text in read.marks), *tokens, *MARKS]

    def draw(self, figure: SubFigure, named: bool) -> None:
        """Draw it.

        Parameters
        ----------
        figure : matplotlib.figure.SubFigure
            Into which.
        named : bool
            Whether its name stands above.
        """
        kinds = {"bars": self._bars, "text": self._text, "line": self._line, "map": self._map}
        (kinds | {"sound": self._sound})[self.kind](figure)
        if named:
            figure.suptitle(self.name, x=0.012, ha="left", fontsize=FONT + 1, color=PALETTE.ink)

    def _bars(self, figure: SubFigure) -> None:
        """Channels, the largest first."""
        sums = self.scores.sum(0)
        axis, names = figure.subplots(), self.read.channels
        if len(sums) != len(names):
            names = (self.name,)
        order = np.argsort(-np.abs(sums), kind="stable")[:MOST_CHANNELS]
        axis.barh(range(len(order)), sums[order], color=_sides(sums[order]), height=0.7)
        axis.set_yticks(range(len(order)), [_plain(names[k]) for k in order])
        axis.set_ylim(len(order) - 0.4, -0.6)
        _quiet(axis)
        axis.axvline(0, color=PALETTE.faint, linewidth=0.8)

    def _text(self, figure: SubFigure) -> None:
        """Words, each on its colour, in lines as a text has them."""
        axis = figure.subplots()
        tokens = self._tokens()
        lines, colours = _lines(tokens), _shades(self.by_step)
        axis.set_xlim(-1.0, LINE)
        axis.set_ylim(len(lines) - 0.4, -0.6)
        axis.axis("off")
        for row, line in enumerate(lines):
            for place, begun in line:
                axis.text(
                    begun, row, _plain(tokens[place]), fontsize=FONT + 1,
                    family=self.fonts.even, color=PALETTE.ink, va="center",
                    bbox={"boxstyle": "square,pad=0.18", "facecolor": colours[place],
                          "edgecolor": "none"},
                )  # fmt: skip
        if len(self.read.steps) > MOST_TOKENS:
            left = len(self.read.steps) - MOST_TOKENS
            figure.supxlabel(f"{left:,} more tokens are not drawn.", fontsize=FONT, ha="left",
                             x=0.012, color=PALETTE.faint)  # fmt: skip

    def _tokens(self) -> list[str]:
        """Write the tokens, or their places where no font can."""
        return [
            self.fonts.token(_visible(str(each)), place)
            for place, each in enumerate(self.read.steps[:MOST_TOKENS])
        ]

    def _line(self, figure: SubFigure) -> None:
        """The one channel as a line, each step on its colour; else bars of the scores."""
        axis, steps = figure.subplots(), np.arange(len(self.by_step))
        shown = self.read.shown
        if shown is None or shown.shape[1] > 1 or np.isnan(shown).all():
            axis.bar(steps, self.by_step, color=_sides(self.by_step), width=0.85)
            axis.axhline(0, color=PALETTE.faint, linewidth=0.8)
        else:
            extent = (-0.5, len(steps) - 0.5, 0.0, 1.0)
            ground = np.array([_shades(self.by_step)])
            axis.imshow(ground, aspect="auto", extent=extent, transform=axis.get_xaxis_transform(),
                        interpolation="nearest", zorder=0)  # fmt: skip
            dot = "o" if len(steps) <= 100 else ""
            axis.plot(steps, shown[:, 0], marker=dot, markersize=2.5, color=PALETTE.ink,
                      linewidth=1.1)  # fmt: skip
            axis.relim()
            axis.autoscale_view(scalex=False)
        axis.set_xlim(-0.5, len(steps) - 0.5)
        _quiet(axis)
        _name_steps(axis, self.read)

    def _map(self, figure: SubFigure) -> None:
        """A map of steps and channels, sums beside it, and the largest channels' values below."""
        sums, lines = self.scores.sum(0), self._lines()
        kept = np.sort(np.argsort(-np.abs(sums), kind="stable")[:MOST_CHANNELS])
        rows = 3 if lines else 2
        heights = [1.0, 0.2 * len(kept) + 0.2, *([1.6] if lines else [])]
        axes = figure.subplots(rows, 2, width_ratios=[5, 1], height_ratios=heights, squeeze=False)
        for axis in axes[[0, *range(2, rows)], 1]:
            axis.axis("off")
        steps = np.arange(len(self.by_step))
        axes[0, 0].bar(steps, self.by_step, color=_sides(self.by_step), width=0.9)
        axes[0, 0].axhline(0, color=PALETTE.faint, linewidth=0.8)
        axes[0, 0].set_ylabel("by step", fontsize=FONT, color=PALETTE.ink)
        ground = np.stack([*_shades(self.scores[:, kept].T.ravel())]).reshape(
            len(kept), len(steps), 4
        )
        axes[1, 0].imshow(ground, aspect="auto", interpolation="nearest")
        axes[1, 0].set_yticks(range(len(kept)), [_plain(self.read.channels[k]) for k in kept])
        axes[1, 1].barh(range(len(kept)), sums[kept], color=_sides(sums[kept]), height=0.7)
        axes[1, 1].axvline(0, color=PALETTE.faint, linewidth=0.8)
        axes[1, 1].set_ylim(len(kept) - 0.5, -0.5)
        axes[1, 1].set_yticks([])
        some = "by channel" if len(kept) == len(sums) else f"{len(kept)} of {len(sums)} channels"
        axes[1, 1].set_title(some, fontsize=FONT, color=PALETTE.ink)
        for axis in (axes[0, 0], *axes[1]):
            _quiet(axis)
        axes[0, 0].set_xticks([])
        _few(axes[1, 1])
        if lines:
            self._draw_values(axes[2, 0], lines)
            axes[1, 0].set_xticks([])
        for axis in axes[:, 0]:
            axis.set_xlim(-0.5, len(steps) - 0.5)
        _name_steps(axes[-1, 0], self.read)

    def _sound(self, figure: SubFigure) -> None:
        """A spectrogram with its scores on it, and the letters where they were heard."""
        steps, bands = self.read.values.shape
        axes = figure.subplots(2, 2, width_ratios=[6, 1], height_ratios=[1, 3])
        axes[0, 1].axis("off")
        loud = self.read.values.numpy() if self.read.shown is None else self.read.shown
        ground = _greys(loud.T)
        if self.scores.shape == (steps, bands):
            ground = _over(ground, self.scores.T)
        axes[1, 0].imshow(ground, aspect="auto", origin="lower", interpolation="nearest")
        if not self.whole_channels:
            axes[0, 0].bar(range(steps), self.by_step, color=_sides(self.by_step), width=0.9)
            axes[0, 0].axhline(0, color=PALETTE.faint, linewidth=0.8)
            axes[0, 0].set_ylabel("by step", fontsize=FONT, color=PALETTE.ink)
        else:
            axes[0, 0].set_yticks([])
        if self.per_channel:
            sums = self.scores.sum(0)
            axes[1, 1].barh(range(bands), sums, color=_sides(sums), height=0.9)
            axes[1, 1].axvline(0, color=PALETTE.faint, linewidth=0.8)
            axes[1, 1].set_ylim(-0.5, bands - 0.5)
            axes[1, 1].set_yticks([])
            axes[1, 1].set_title("by band", fontsize=FONT, color=PALETTE.ink)
        else:
            axes[1, 1].axis("off")
        for place, text in self.read.marks:
            axes[0, 0].text(place, 1.04, self.fonts.writable(_plain(_visible(text))), ha="center",
                            va="bottom", fontsize=FONT + 2, fontweight="bold", color=PALETTE.ink,
                            transform=axes[0, 0].get_xaxis_transform())  # fmt: skip
            for axis in axes[:, 0]:
                axis.axvline(place, color=PALETTE.ink, linewidth=0.6, linestyle=":")
        some = np.unique(np.linspace(0, bands - 1, min(bands, 6)).round().astype(int))
        axes[1, 0].set_yticks(some, [_plain(self.read.channels[k]) for k in some])
        for axis in (axes[0, 0], *axes[1]):
            _quiet(axis)
        axes[0, 0].set_xticks([])
        _few(axes[1, 1])
        for axis in axes[:, 0]:
            axis.set_xlim(-0.5, steps - 0.5)
        _name_steps(axes[1, 0], self.read)
        if self.read.shown is not None:
            axes[1, 0].set_xlabel("seconds", fontsize=FONT, color=PALETTE.ink)

    def _lines(self) -> list[int]:
        """Choose the channels whose values are drawn: the largest scores, if values are there."""
        if self.read.shown is None or not self.per_channel:
            return []
        known = np.asarray(~np.isnan(self.read.shown).all(0))
        order = np.argsort(-np.abs(self.scores.sum(0)), kind="stable")
        return [int(k) for k in order if known[k]][:3]

    def _draw_values(self, axis: Axes, lines: list[int]) -> None:
        shown = self.read.shown
        assert shown is not None
        for k, style in zip(lines, ("-", "--", ":"), strict=False):
            dot = "." if np.isnan(shown[:, k]).any() else ""  # lonely values have no line
            axis.plot(shown[:, k], style, marker=dot, markersize=4, color=PALETTE.ink,
                      linewidth=1.1, label=_plain(self.read.channels[k]))  # fmt: skip
        axis.set_ylabel("values", fontsize=FONT, color=PALETTE.ink)
        _quiet(axis)
        axis.legend(fontsize=FONT - 1, frameon=False, loc="upper left", labelcolor=PALETTE.ink,
                    bbox_to_anchor=(1.0, 1.0))  # fmt: skip


class Matrix:
    """What each symbol of an answer attended to.

    Parameters
    ----------
    read : Read
        The source.
    alignment : Alignment
        What is drawn.
    """

    def __init__(self, read: Read, alignment: Alignment) -> None:
        self.read, self.alignment, self.fonts = read, alignment, Fonts()

    @property
    def height(self) -> float:
        """How high it is, in inches."""
        return 0.9 + 0.24 * len(self.alignment.symbols)

    def written(self) -> list[str]:
        """List what is written in it.

        Returns
        -------
        list of str
            Symbols and steps.
        """
        return [*self.alignment.symbols, *map(said, self.read.steps), *MARKS]

    def draw(self, figure: SubFigure, named: bool) -> None:  # noqa: ARG002 - there is one stream
        """Draw it.

        Parameters
        ----------
        figure : matplotlib.figure.SubFigure
            Into which.
        named : bool
            It has no name.
        """
        axis, weights = figure.subplots(), self.alignment.weights
        axis.imshow(_shades(weights.ravel()).reshape(*weights.shape, 4), aspect="auto",
                    interpolation="nearest")  # fmt: skip
        rows = [
            _plain(self.fonts.token(_visible(symbol), row))
            for row, symbol in enumerate(self.alignment.symbols)
        ]
        axis.set_yticks(range(len(rows)), rows)
        _quiet(axis)
        axis.xaxis.tick_top()
        steps = self.read.steps
        if all(isinstance(each, str) for each in steps) and len(steps) <= MOST_NAMED:
            names = [
                _plain(self.fonts.token(_visible(str(each)), k)) for k, each in enumerate(steps)
            ]
            upright = sum(map(width, names)) > LINE
            axis.set_xticks(range(len(steps)), names, rotation=90 if upright else 0)
        else:
            _name_steps(axis, self.read)


def _greys(values: Array) -> Array:
    """Give a grey for each value: the loud is dark, though never as dark as letters."""
    low, high = np.percentile(values, (5, 99))
    light = 1.0 - 0.5 * np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    return np.stack([light, light, light], -1)


def _over(ground: Array, scores: Floats) -> Array:
    """Lay colours over a ground, the stronger the further a score is from 0."""
    largest = np.abs(scores).max(initial=0.0) or 1.0
    share = (np.abs(scores) / largest)[..., None] ** GAMMA
    colours = np.array([_rgb(FOR), _rgb(AGAINST)])[(scores < 0).astype(int)]
    return (1 - share) * ground + share * colours


def _shades(scores: Floats) -> Array:
    """Give a colour for each score: the stronger the further from 0; shape (scores, 4)."""
    largest = np.abs(scores).max(initial=0.0) or 1.0
    colours = np.array([_rgb(FOR), _rgb(AGAINST)])[(scores < 0).astype(int)]
    return np.column_stack([colours, STRONGEST * (np.abs(scores) / largest) ** GAMMA])


def _rgb(colour: str) -> list[float]:
    return [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]


def _sides(scores: Floats) -> list[str]:
    return [FOR if score >= 0 else AGAINST for score in scores]


def _lines(tokens: list[str]) -> list[list[tuple[int, float]]]:
    """Break tokens into lines: by line the places of its tokens, and where each begins."""
    letters = all(len(each) <= 1 for each in tokens)
    lines: list[list[tuple[int, float]]] = [[]]
    at = 0.0
    for place, token in enumerate(tokens):
        size = width(token)
        if at + size > LINE and lines[-1]:
            lines.append([])
            at = 0.0
        lines[-1].append((place, at))
        at += size + (0.25 if letters else 1.2)
    return lines


def _visible(token: str) -> str:
    return "".join({" ": "␣", "\n": "↵", "\t": "→"}.get(sign, sign) for sign in token) or "␣"


def _plain(text: str) -> str:
    shown = text if len(text) <= 24 else f"{text[:23]}…"
    return shown.replace("$", r"\$")


def _quiet(axis: Axes) -> None:
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_visible(False)
    axis.tick_params(colors=PALETTE.ink, labelsize=FONT, length=0)


def _few(axis: Axes) -> None:
    ticker: Any = need("matplotlib.ticker", extra="plot", purpose=PURPOSE)
    axis.xaxis.set_major_locator(ticker.MaxNLocator(2))
    axis.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: number(float(value))))


def _first_that_counts(scores: Floats) -> int:
    """Find the step from which on scores can be seen; shape (answers, steps)."""
    largest = np.abs(scores).max(1, initial=0.0, keepdims=True)
    counts = np.flatnonzero((np.abs(scores) >= SMALL * largest).any(0))
    return max(int(counts[0]) - 1, 0) if counts.size else 0


def _name_steps(axis: Axes, read: Read, begun: int = 0) -> None:
    """Write what some of the steps are called."""
    total = len(read.steps) - begun
    every = max(-(-total // MOST_LABELS), 1)
    if every > 1 and total > 2 * MOST_LABELS:  # round places
        size = 10 ** int(np.log10(every))
        every = next(k * size for k in (1, 2, 5, 10) if k * size >= every)
    places = range(-(-begun // every) * every, len(read.steps), every)
    axis.set_xticks([*places], [_plain(said(read.steps[k])) for k in places])
