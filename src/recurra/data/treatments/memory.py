"""Steps treated as they come: the few rows of a record that causal treatments look back at."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np

from recurra.data.sequences import SequenceDataset, Stream
from recurra.data.treatments.preprocessor import Preprocessor
from recurra.errors import DataWarning, OptionError
from recurra.types import Integers

__all__ = ["RecordMemory"]


class RecordMemory:
    """Treats the steps of one record as they come, as if the whole record had been there.

    Of each stream of measurements it keeps the first row, the last, and the last in which each
    channel was observed: at most two rows more than there are channels, however long the record
    becomes. Of tokens it keeps as many as a treatment looks back.

    Parameters
    ----------
    preprocessor : Preprocessor
        Fitted; each of its treatments is `stepwise`.

    Raises
    ------
    OptionError
        If a treatment looks ahead, or further back.

    Examples
    --------
    >>> from recurra.data import from_arrays
    >>> from recurra.data.treatments import Fill
    >>> learned = Preprocessor([Fill("forward")]).fit(from_arrays([[1.0, float("nan"), 3.0]]))
    >>> memory = RecordMemory(learned)
    >>> for value in (5.0, float("nan")):
    ...     treated = memory.read(from_arrays([[value]]))
    >>> treated.stream.values[-1:]
    array([[5.]])
    """

    def __init__(self, preprocessor: Preprocessor) -> None:
        for each in preprocessor.treatments:
            if not each.stepwise:
                raise OptionError(
                    f"{each!r} cannot treat steps as they come: it looks ahead, or far back. Fit "
                    "with treatments that do not, such as Scale() and Fill('forward')."
                )
        self.preprocessor = preprocessor
        self.reach = max((getattr(each, "reach", 0) for each in preprocessor.treatments), default=0)
        self.kept: dict[str, Stream] = {}
        self.counts: dict[str, int] = {}

    def read(self, steps: SequenceDataset) -> SequenceDataset:
        """Treat some steps more.

        Parameters
        ----------
        steps : SequenceDataset
            One record: the new rows of each stream; a stream without any stays as it was.

        Returns
        -------
        SequenceDataset
            The treated rows that were kept, and after them the new ones.
        """
        streams = {name: self._joined(name, each) for name, each in steps.streams.items()}
        with warnings.catch_warnings():  # what a record lacks is not told at each of its steps
            warnings.simplefilter("ignore", DataWarning)
            treated = self.preprocessor.transform(replace(steps, streams=streams))
        for name, stream in streams.items():
            rows = _rows_to_keep(stream, self.reach)
            self.kept[name] = _slim(stream.picked(rows, np.array([0, len(rows)])))
        return treated

    def _joined(self, name: str, new: Stream) -> Stream:
        """Put new rows after those that were kept; steps are counted on."""
        if new.clock == "step" and new.kind != "signal":
            count = self.counts.get(name, 0)
            self.counts[name] = count + new.rows
            new = replace(new, clock="number", times=count + np.arange(float(new.rows)))
        if name not in self.kept:
            return new
        whole = self.kept[name].join(new)
        return replace(whole, offsets=np.array([0, whole.rows]))


def _slim(stream: Stream) -> Stream:
    """Forget the tokens that are not kept, which would become more and more."""
    if stream.kind != "tokens":
        return stream
    values, categories = stream.values.copy(), {}
    for column, name in enumerate(stream.channels):
        seen, labels = stream.mask[:, column], stream.categories[name]
        used, places = np.unique(stream.values[seen, column].astype(np.int64), return_inverse=True)
        values[seen, column] = places
        categories[name] = tuple(labels[code] for code in used)
    return replace(stream, values=values, categories=categories)


def _rows_to_keep(stream: Stream, reach: int) -> Integers:
    """List the rows that later steps may be treated by."""
    if stream.kind == "tokens":
        return np.arange(max(stream.rows - reach, 0), stream.rows)
    if stream.kind != "values" or not stream.rows:
        return np.zeros(0, np.int64)
    seen = stream.mask
    last = stream.rows - 1 - np.argmax(seen[::-1], axis=0)
    return np.unique(np.concatenate([[0, stream.rows - 1], last[seen.any(0)]]))
