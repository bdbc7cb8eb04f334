"""Who attends to whom as a picture: a row for each symbol of an answer, a column for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recurra.auditing.phrases import percent, width
from recurra.explaining.fonts import Fonts
from recurra.explaining.painting import MARKS, name_steps, quiet, shades, short, tell, visible
from recurra.explaining.words import said

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

    from recurra.explaining.alignment import Alignment
    from recurra.explaining.question import Read

__all__ = ["Matrix"]

MOST_NAMED = 60  # steps that are all named
LINE = 100  # signs that stand side by side


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
        axis.imshow(shades(weights), aspect="auto",
                    interpolation="nearest")  # fmt: skip
        rows = [
            short(self.fonts.token(visible(symbol), row))
            for row, symbol in enumerate(self.alignment.symbols)
        ]
        axis.set_yticks(range(len(rows)), rows)
        symbols, steps = self.alignment.symbols, self.read.steps
        tell(axis, len(steps), len(rows),
             lambda step, row: f"{symbols[row]} to {said(steps[step])}: "
             f"{percent(float(weights[row, step]))}")  # fmt: skip
        quiet(axis)
        axis.xaxis.tick_top()
        if all(isinstance(each, str) for each in steps) and len(steps) <= MOST_NAMED:
            names = [short(self.fonts.token(visible(str(each)), k)) for k, each in enumerate(steps)]
            upright = sum(map(width, names)) > LINE
            axis.set_xticks(range(len(steps)), names, rotation=90 if upright else 0)
        else:
            name_steps(axis, self.read)
