"""An explanation: how much each part of a record had to do with an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recurra.auditing.phrases import number, plural, width
from recurra.errors import OptionError, check_count, near
from recurra.explaining.regions import Region, regions
from recurra.explaining.words import said

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.explaining.alignment import Alignment
    from recurra.explaining.checks import Checks
    from recurra.explaining.question import Read
    from recurra.types import Floats

__all__ = ["Explanation", "Part"]

SHOWN, CHANNELS = 8, 5  # parts and channels in a printed table
BAR = 16  # signs of the longest bar


class Part(NamedTuple):
    """A part of a record, and its score.

    Attributes
    ----------
    stream : str
        Of this stream.
    step : object
        What the step is called; ``(first, last)`` for a window, None for all steps.
    channel : str, optional
        The channel; None for all.
    score : float
        What it had to do with the answer, in the units of the answer.
    place : int, optional
        The number of the step, counted from 0; of a window its first, None for all steps.
    """

    stream: str
    step: object
    channel: str | None
    score: float
    place: int | None


@dataclass(frozen=True, eq=False)
class Explanation:
    """How much each part of a record had to do with an answer.

    A score says by how much a part moved the answer away from the baseline's, in the units of the
    answer: log odds, or the units of a number. By gradient it is a slope, and by attention a share.

    Attributes
    ----------
    asked : str
        What the answer is: ``"log odds of 'ill'"``.
    answer, baseline : float
        For the record, and where nothing is known of it.
    method : str
        How the scores were made.
    by : {"step", "channel", "window", "step and channel"}
        What is ranked.
    window : int, optional
        Steps of a window.
    scores : dict of str to ndarray, each of shape (steps, channels)
        By stream. By occlusion, (steps, 1) by steps, (windows, 1) by windows, (1, channels) by
        channels; by attention, (steps, 1).
    reads : dict of str to Read
        What was read, with the names of steps and channels.
    checks : Checks, optional
        Whether it can be believed; None where that was not wanted.
    alignment : Alignment, optional
        By attention, for an answer of several symbols: what each of them attended to. The scores
        are the mean.
    """

    asked: str
    answer: float
    baseline: float
    method: str
    by: str
    window: int | None
    scores: Mapping[str, Floats]
    reads: Mapping[str, Read]
    checks: Checks | None = None
    alignment: Alignment | None = None

    def by_step(self, stream: str | None = None) -> Floats:
        """Give the score of each step.

        Parameters
        ----------
        stream : str, optional
            Of which stream; not needed where there is one.

        Returns
        -------
        ndarray, shape (steps,)
            The sums over the channels. Steps of a window share its score evenly.

        Raises
        ------
        OptionError
            If there is no such stream, or whole channels were taken away.
        """
        name = self._stream(stream)
        sums, steps = self.scores[name].sum(1), len(self.reads[name].values)
        if len(sums) == steps:
            return sums
        if self.by == "channel":
            raise OptionError("This was explained channel by channel. Use by='step' for steps.")
        places = np.arange(steps) // (self.window or 1)
        return sums[places] / np.bincount(places)[places]

    def by_channel(self, stream: str | None = None) -> Floats:
        """Give the score of each channel.

        Parameters
        ----------
        stream : str, optional
            Of which stream; not needed where there is one.

        Returns
        -------
        ndarray, shape (channels,)
            The sums over the steps, in the order of ``reads[stream].channels``.

        Raises
        ------
        OptionError
            If there is no such stream, or all channels were taken away together.
        """
        name = self._stream(stream)
        sums = self.scores[name].sum(0)
        if len(sums) != len(self.reads[name].channels):
            message = f"This was explained by {self.by}, all channels together"
            raise OptionError(f"{message}. Use by='channel' or by='step and channel' for channels.")
        return sums

    def top(self, n: int = 10) -> list[Part]:
        """List the parts with the largest scores, whatever their sign.

        Parameters
        ----------
        n : int
            How many, at most.

        Returns
        -------
        list of Part
            The largest first.
        """
        check_count("n", n)
        every, scores = self.scored()
        order = np.argsort(-np.abs(scores), kind="stable")[:n]
        return [self._part(every[k], float(scores[k])) for k in order]

    def named(self, part: Part) -> str:
        """Say what a part is called, as the printed table does.

        Parameters
        ----------
        part : Part
            One of `top`.

        Returns
        -------
        str
            Its stream, if there are several, its step and its channel.
        """
        words = [part.stream] if len(self.scores) > 1 else []
        if isinstance(part.step, tuple):
            ends = dict.fromkeys(said(each) for each in part.step if each is not None)
            words.append(" … ".join(ends))
        elif part.step is not None:
            words.append(said(part.step))
        if part.place is not None and self._ambiguous(part):
            words.append(f"#{part.place}")
        if part.channel is not None:
            words.append(part.channel)
        return "  ".join(word for word in words if word)

    def scored(self) -> tuple[list[Region], Floats]:
        """List all parts that are ranked, in their order in the record, and their scores.

        Returns
        -------
        list of Region
            Which together are the whole record.
        ndarray, shape (parts,)
            The score of each.
        """
        every = regions(self.reads, self.by, self.window)
        columns: dict[tuple[str, str | None], int] = {
            (name, channel): k
            for name, read in self.reads.items()
            for k, channel in enumerate(read.channels)
        }
        return every, np.array([self._score(each, columns) for each in every])

    def ranked(self) -> list[Region]:
        """Order all parts: first that which brings the answer most of the way from the baseline.

        By gradient, first that with the largest score, whatever its sign.

        Returns
        -------
        list of Region
            All of them.
        """
        every, scores = self.scored()
        if self.method == "gradient":  # which knows of no baseline
            worth = np.abs(scores)
        else:
            falls = self.answer < self.baseline and self.method != "attention"  # which has no sign
            worth = -scores if falls else scores
        return [every[k] for k in np.argsort(-worth, kind="stable")]

    def to_frame(self) -> pd.DataFrame:
        """Make a table of all scores.

        Returns
        -------
        pandas.DataFrame
            A row for each part: ``stream``, ``step``, ``channel`` (None for all), ``score``; for a
            window also ``last``, its last step.
        """
        import pandas as pd

        rows = []
        for name, scores in self.scores.items():
            read = self.reads[name]
            wide = scores.shape[1] == len(read.channels)
            channels = read.channels if wide else (None,)
            for row, step in enumerate(self._rows(name)):
                rows += [
                    (name, step, channel, float(score))
                    for channel, score in zip(channels, scores[row], strict=True)
                ]
        frame = pd.DataFrame(rows, columns=["stream", "step", "channel", "score"])
        if self.by == "window" and any(isinstance(each, tuple) for each in frame["step"]):
            windows = [each if isinstance(each, tuple) else (each, each) for each in frame["step"]]
            frame["step"] = [first for first, _ in windows]
            frame.insert(2, "last", [last for _, last in windows])
        return frame

    @property
    def legend(self) -> str:
        """What the colours of its pictures say."""
        if self.method == "gradient":
            return "The answer rises with what is orange, and falls with what is blue; by gradient."
        if self.method == "attention":
            return "The stronger the colour, the more attention goes there."
        return f"Orange raises the answer, blue lowers it; by {self.method}."

    def plot(self) -> Figure:
        """Draw the scores: a map of steps and channels, a line on a coloured ground, or a text.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("why.png")``, or as ``.svg``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from recurra.explaining.matrix_picture import Matrix
        from recurra.explaining.pictures import Panel, draw

        panels: list[Panel | Matrix] = [
            Panel(name, self.reads[name], scores, self.by, self.window)
            for name, scores in self.scores.items()
        ]
        nothing = f"where nothing is known {number(self.baseline)}"
        if self.alignment is not None:
            (read,) = self.reads.values()
            panels = [Matrix(read, self.alignment)]
        return draw(f"{self.asked}: {number(self.answer)}, {nothing}", self.legend, panels)

    def __repr__(self) -> str:
        return f"Explanation({self.asked}: {number(self.answer)}, by {self.method})"

    def __str__(self) -> str:
        lines = [
            f"{self.asked}: {number(self.answer)}",
            f"  where nothing is known: {number(self.baseline)}",
            f"by {self.method}, the largest of {plural(len(self.scored()[0]), self._noun)}",
            *_table([(self.named(part), part.score) for part in self.top(SHOWN)]),
            *self._said_of_channels(),
            *self._said_of_symbols(),
        ]
        return "\n".join([*lines, *(str(self.checks).split("\n") if self.checks else ())])

    # ------------------------------------------------------------------ inside

    @property
    def _noun(self) -> str:
        return "value" if self.by == "step and channel" else self.by

    def _stream(self, name: str | None) -> str:
        if name is None:
            if len(self.scores) == 1:
                return next(iter(self.scores))
            raise OptionError(f"Of which stream? {near('', self.scores)}")
        if name not in self.scores:
            raise OptionError(f"There is no stream {name!r}. {near(name, self.scores)}")
        return name

    def _score(self, region: Region, columns: Mapping[tuple[str, str | None], int]) -> float:
        scores, read = self.scores[region.stream], self.reads[region.stream]
        steps = slice(region.start, region.stop)
        if len(scores) != len(read.values):  # whole channels, or whole windows
            row = region.start // (self.window or 1)
            steps = slice(row, row + 1)
        if region.channel is None:
            return float(scores[steps].sum())
        return float(scores[steps, columns[region.stream, region.channel]].sum())

    def _rows(self, name: str) -> list[object]:
        """Say what the rows of the scores are called."""
        steps = self.reads[name].steps
        if len(self.scores[name]) == len(steps):
            return [*steps]
        if self.by == "channel":
            return [None]
        size = self.window or 1
        return [
            (some[0], some[-1])
            for k in range(0, len(steps), size)
            for some in [steps[k : k + size]]
        ]

    def _part(self, region: Region, score: float) -> Part:
        steps = self.reads[region.stream].steps
        step: object = steps[region.start]
        if self.by == "window":
            step = (step, steps[region.stop - 1])
        if self.by == "channel":
            return Part(region.stream, None, region.channel, score, None)
        return Part(region.stream, step, region.channel, score, region.start)

    def _ambiguous(self, part: Part) -> bool:
        """Say whether the words of a text do not tell where a part is."""
        steps = self.reads[part.stream].steps
        first = steps[part.place or 0]
        return isinstance(first, str) and steps.count(first) > 1

    def _said_of_symbols(self) -> list[str]:
        """List what each symbol of an answer attended to most."""
        if self.alignment is None:
            return []
        ((_, read),) = self.reads.items()
        steps = [f"{said(step)}  #{place}" for place, step in enumerate(read.steps)]
        found = self.alignment.most(steps)
        rows = [(f"{symbol} ← {step}", share) for symbol, step, share in found]
        return [f"what each of {plural(len(found), 'symbol')} attended to most", *_table(rows)]

    def _said_of_channels(self) -> list[str]:
        """List the largest channels, where there are several and they were told apart."""
        found = [
            (f"{name}  {channel}" if len(self.scores) > 1 else channel, score)
            for name, read in self.reads.items()
            if self.scores[name].shape[1] == len(read.channels) > 1
            for channel, score in zip(read.channels, self.scores[name].sum(0), strict=True)
        ]
        if not found or self.by == "channel":
            return []
        found.sort(key=lambda each: -abs(each[1]))
        return [f"the largest of {plural(len(found), 'channel')}", *_table(found[:CHANNELS])]


def _table(rows: list[tuple[str, float]]) -> list[str]:
    """Write names and scores below each other, with a bar for each."""
    wide = max((width(name) for name, _ in rows), default=0)
    scores = [f"{score:+.3g}" for _, score in rows]
    broad = max(map(len, scores), default=0)
    largest = max((abs(score) for _, score in rows), default=0.0) or 1.0
    bars = ["█" * round(BAR * abs(score) / largest) for _, score in rows]
    return [
        f"  {name}{' ' * (wide - width(name))}  {text.rjust(broad)}  {bar}".rstrip()
        for (name, _), text, bar in zip(rows, scores, bars, strict=True)
    ]
