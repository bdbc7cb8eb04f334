"""Explanations of several answers about one record, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import in_columns, number
from recurra.errors import OptionError
from recurra.explaining.explanation import Explanation

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.types import Floats

__all__ = ["Explanations"]


class Explanations(Mapping[Any, Explanation]):
    """Explanations of several answers about one record, each by its name.

    Parameters
    ----------
    found : dict of object to Explanation
        One for each answer, in order; all of the same streams and parts.
    name : str
        What their names are: ``"h"``.
    """

    def __init__(self, found: Mapping[Any, Explanation], name: str) -> None:
        self._found, self.name = dict(found), name

    def __getitem__(self, key: Any) -> Explanation:
        if key not in self._found:
            known = ", ".join(map(repr, self._found))
            raise OptionError(f"{self.name}={key!r} was not explained, but {known}.")
        return self._found[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def by_step(self, stream: str | None = None) -> Floats:
        """Give the score of each step for each answer.

        Parameters
        ----------
        stream : str, optional
            Of which stream; not needed where there is one.

        Returns
        -------
        ndarray, shape (answers, steps)
            See `Explanation.by_step`.
        """
        return np.stack([each.by_step(stream) for each in self._found.values()])

    def by_channel(self, stream: str | None = None) -> Floats:
        """Give the score of each channel for each answer.

        Parameters
        ----------
        stream : str, optional
            Of which stream; not needed where there is one.

        Returns
        -------
        ndarray, shape (answers, channels)
            See `Explanation.by_channel`.
        """
        return np.stack([each.by_channel(stream) for each in self._found.values()])

    def to_frame(self) -> pd.DataFrame:
        """Make a table of all scores.

        Returns
        -------
        pandas.DataFrame
            As that of `Explanation.to_frame`, for one answer after the other, whose names come
            first.
        """
        import pandas as pd

        parts = [each.to_frame() for each in self._found.values()]
        for key, part in zip(self._found, parts, strict=True):
            part.insert(0, self.name, key)
        return pd.concat(parts, ignore_index=True)

    def plot(self, stream: str | None = None) -> Figure:
        """Draw the scores of the steps: a row for each answer.

        Parameters
        ----------
        stream : str, optional
            Of which stream; by default the first.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("why.png")``, or as ``.svg``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        OptionError
            If there is no such stream, or whole channels were taken away.
        """
        from recurra.explaining.rows_picture import draw_rows

        first = next(iter(self._found.values()))
        name = next(iter(first.scores)) if stream is None else stream
        scores, read = self.by_step(name), first.reads[name]
        title = f"{self._title}: {name}" if len(first.scores) > 1 else self._title
        return draw_rows(title, first.legend, self.name, [*self._found], scores, read)

    @property
    def _title(self) -> str:
        first, more = next(iter(self._found.values())), len(self) - 1
        return f"{first.asked}, and {more} more" if more else first.asked

    def __repr__(self) -> str:
        return f"Explanations({self.name} = {', '.join(map(str, self._found))})"

    def __str__(self) -> str:
        first = next(iter(self._found.values()))
        lines = [self._title, f"by {first.method}"]
        (parts, _), stream = first.scored(), next(iter(first.scores))
        rows = [(self.name, "answer", "nothing known", f"largest score of {stream!r}")]
        for key, each in self._found.items():
            part = next(part for part in each.top(len(parts)) if part.stream == stream)
            said = f"{each.named(part)} ({part.score:+.3g})"
            rows.append((str(key), number(each.answer), number(each.baseline), said))
        *numbers, last = zip(*rows, strict=True)
        told = in_columns(numbers, 0)
        lines += [f"  {line}  {said}" for line, said in zip(told, last, strict=True)]
        return "\n".join(lines)
