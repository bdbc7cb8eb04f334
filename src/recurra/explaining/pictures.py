"""Pictures of an explanation: a map of steps and channels, a line on a coloured ground, a text.

Drawn with matplotlib's figures alone: no window, no global state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import width
from recurra.auditing.pictures import plain
from recurra.errors import need
from recurra.explaining.fonts import Fonts
from recurra.explaining.painting import (
    FONT,
    MARKS,
    PALETTE,
    PURPOSE,
    WIDTH,
    draw_values,
    few,
    greys,
    name_steps,
    over,
    quiet,
    shades,
    short,
    sides,
    tell,
    told_step,
    visible,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from recurra.explaining.matrix_picture import Matrix
    from recurra.explaining.question import Read
    from recurra.types import Floats

__all__ = ["Panel", "draw"]

MOST_CHANNELS, MOST_TOKENS = 30, 300
LINE = 100  # signs of a line of text


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
    figure.suptitle(plain(title), x=0.012, ha="left", fontsize=FONT + 2, color=PALETTE.ink)
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
        if self.words and not self.whole_channels:
            return "text"
        if self.whole_channels or len(self.read.values) <= 1:
            return "bars"
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
        axis.barh(range(len(order)), sums[order], color=sides(sums[order]), height=0.7)
        axis.set_yticks(range(len(order)), [short(names[k]) for k in order])
        axis.set_ylim(len(order) - 0.4, -0.6)
        quiet(axis)
        axis.axvline(0, color=PALETTE.faint, linewidth=0.8)

    def _text(self, figure: SubFigure) -> None:
        """Words, each on its colour, in lines as a text has them."""
        axis = figure.subplots()
        tokens = self._tokens()
        lines, colours = _lines(tokens), shades(self.by_step)
        axis.set_xlim(-1.0, LINE)
        axis.set_ylim(len(lines) - 0.4, -0.6)
        axis.axis("off")
        for row, line in enumerate(lines):
            for place, begun in line:
                axis.text(
                    begun, row, short(tokens[place]), fontsize=FONT + 1,
                    family=self.fonts.even, color=PALETTE.ink, va="center",
                    bbox={"boxstyle": "square,pad=0.18", "facecolor": colours[place],
                          "edgecolor": "none"},
                )  # fmt: skip

        def told(x: float, y: float) -> str:
            row = lines[min(max(round(y), 0), len(lines) - 1)]
            before = [place for place, begun in row if begun <= x]
            return told_step(self.read, before[-1], self.by_step[before[-1]]) if before else ""

        axis.format_coord = told  # type: ignore[method-assign]
        if len(self.read.steps) > MOST_TOKENS:
            left = len(self.read.steps) - MOST_TOKENS
            figure.supxlabel(f"{left:,} more tokens are not drawn.", fontsize=FONT, ha="left",
                             x=0.012, color=PALETTE.faint)  # fmt: skip

    def _tokens(self) -> list[str]:
        """Write the tokens, or their places where no font can."""
        return [
            self.fonts.token(visible(str(each)), place)
            for place, each in enumerate(self.read.steps[:MOST_TOKENS])
        ]

    def _line(self, figure: SubFigure) -> None:
        """The one channel as a line, each step on its colour; else bars of the scores."""
        axis, steps = figure.subplots(), np.arange(len(self.by_step))
        shown = self.read.shown
        if shown is None or shown.shape[1] > 1 or np.isnan(shown).all():
            axis.bar(steps, self.by_step, color=sides(self.by_step), width=0.85)
            axis.axhline(0, color=PALETTE.faint, linewidth=0.8)
        else:
            extent = (-0.5, len(steps) - 0.5, 0.0, 1.0)
            ground = np.array([shades(self.by_step)])
            axis.imshow(ground, aspect="auto", extent=extent, transform=axis.get_xaxis_transform(),
                        interpolation="nearest", zorder=0)  # fmt: skip
            lonely = bool(np.isnan(shown).any())  # values beside holes have no line
            dot = "o" if lonely or len(steps) <= 100 else ""
            axis.plot(steps, shown[:, 0], marker=dot, markersize=2.5, color=PALETTE.ink,
                      linewidth=1.1)  # fmt: skip
            low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
            margin = 0.05 * (high - low) or 0.5  # the ground spans any height: it has no say
            axis.set_ylim(low - margin, high + margin)
        axis.set_xlim(-0.5, len(steps) - 0.5)
        quiet(axis)
        name_steps(axis, self.read)
        self._tell_steps(axis)

    def _tell_steps(self, axis: Axes) -> None:
        """Let an axis say the score of each step."""
        scores = self.by_step
        tell(axis, len(scores), 1, lambda step, _: told_step(self.read, step, scores[step]))

    def _cell(self, step: int, channel: int) -> str:
        """Say what is at a step of a channel."""
        return told_step(self.read, step, self.scores[step, channel], channel)

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
        axes[0, 0].bar(steps, self.by_step, color=sides(self.by_step), width=0.9)
        axes[0, 0].axhline(0, color=PALETTE.faint, linewidth=0.8)
        axes[0, 0].set_ylabel("by step", fontsize=FONT, color=PALETTE.ink)
        axes[1, 0].imshow(shades(self.scores[:, kept].T), aspect="auto", interpolation="nearest")
        axes[1, 0].set_yticks(range(len(kept)), [short(self.read.channels[k]) for k in kept])
        self._tell_steps(axes[0, 0])
        tell(axes[1, 0], len(steps), len(kept), lambda step, row: self._cell(step, kept[row]))
        axes[1, 1].barh(range(len(kept)), sums[kept], color=sides(sums[kept]), height=0.7)
        axes[1, 1].axvline(0, color=PALETTE.faint, linewidth=0.8)
        axes[1, 1].set_ylim(len(kept) - 0.5, -0.5)
        axes[1, 1].set_yticks(range(len(kept)), [short(self.read.channels[k]) for k in kept])
        axes[1, 1].tick_params(labelleft=False)
        some = "by channel" if len(kept) == len(sums) else f"{len(kept)} of {len(sums)} channels"
        axes[1, 1].set_title(some, fontsize=FONT, color=PALETTE.ink)
        for axis in (axes[0, 0], *axes[1]):
            quiet(axis)
        axes[0, 0].set_xticks([])
        few(axes[1, 1])
        if lines:
            draw_values(axes[2, 0], self.read, lines)
            axes[1, 0].set_xticks([])
        for axis in axes[:, 0]:
            axis.set_xlim(-0.5, len(steps) - 0.5)
        name_steps(axes[-1, 0], self.read)

    def _sound(self, figure: SubFigure) -> None:
        """A spectrogram with its scores on it, and the letters where they were heard."""
        steps, bands = self.read.values.shape
        axes = figure.subplots(2, 2, width_ratios=[6, 1], height_ratios=[1, 3])
        axes[0, 1].axis("off")
        loud = self.read.values.numpy() if self.read.shown is None else self.read.shown
        ground = greys(loud.T)
        if self.scores.shape == (steps, bands):
            ground = over(ground, self.scores.T)
        axes[1, 0].imshow(ground, aspect="auto", origin="lower", interpolation="nearest")
        if not self.whole_channels:
            axes[0, 0].bar(range(steps), self.by_step, color=sides(self.by_step), width=0.9)
            axes[0, 0].axhline(0, color=PALETTE.faint, linewidth=0.8)
            axes[0, 0].set_ylabel("by step", fontsize=FONT, color=PALETTE.ink)
            self._tell_steps(axes[0, 0])
        else:
            axes[0, 0].set_yticks([])
        self._mark(axes[:, 0])
        some = np.unique(np.linspace(0, bands - 1, min(bands, 6)).round().astype(int))
        axes[1, 0].set_yticks(some, [short(self.read.channels[k]) for k in some])
        for axis in (axes[0, 0], *axes[1]):
            quiet(axis)
        self._bands(axes[1, 1])
        axes[0, 0].set_xticks([])
        for axis in axes[:, 0]:
            axis.set_xlim(-0.5, steps - 0.5)
        name_steps(axes[1, 0], self.read)
        if self.read.shown is not None:
            axes[1, 0].set_xlabel("seconds", fontsize=FONT, color=PALETTE.ink)

    def _bands(self, axis: Axes) -> None:
        """The sums over time of each band, where bands were told apart."""
        if not self.per_channel:
            axis.axis("off")
            return
        sums = self.scores.sum(0)
        axis.barh(range(len(sums)), sums, color=sides(sums), height=0.9)
        axis.axvline(0, color=PALETTE.faint, linewidth=0.8)
        axis.set_ylim(-0.5, len(sums) - 0.5)
        axis.set_yticks([])
        axis.set_title("by band", fontsize=FONT, color=PALETTE.ink)
        few(axis)

    def _mark(self, axes: Sequence[Axes]) -> None:
        """What was said, above the first axis, and a line through all."""
        for place, text in self.read.marks:
            said = self.fonts.writable(short(visible(text)))
            axes[0].text(place, 1.04, said, ha="center", va="bottom", fontsize=FONT + 2,
                         fontweight="bold", color=PALETTE.ink,
                         transform=axes[0].get_xaxis_transform())  # fmt: skip
            for axis in axes:
                axis.axvline(place, color=PALETTE.ink, linewidth=0.6, linestyle=":")

    def _lines(self) -> list[int]:
        """Choose the channels whose values are drawn: the largest scores, if values are there."""
        if self.read.shown is None or not self.per_channel:
            return []
        known = np.asarray(~np.isnan(self.read.shown).all(0))
        order = np.argsort(-np.abs(self.scores.sum(0)), kind="stable")
        return [int(k) for k in order if known[k]][:3]


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
