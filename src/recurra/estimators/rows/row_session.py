"""One record read row by row, in constant time and memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from recurra.data import Preprocessor, SequenceDataset, Stream
from recurra.data.treatments import Calendar, Scale
from recurra.errors import DataError, OptionError

if TYPE_CHECKING:
    from recurra.estimators.learning.record_inputs import Shape
    from recurra.models.rows.next_step_network import NextStepNetwork, NextStepState
    from recurra.types import Booleans, Floats

__all__ = ["NextRow", "RowReader", "RowSession"]

ROW_BY_ROW = (Scale, Calendar)


class NextRow(NamedTuple):
    """What is expected of the next row, in the units of the data.

    Parameters
    ----------
    mean : ndarray of float64, shape (channels,)
        The mean of each channel; of flags, how probable a 1 is.
    spread : ndarray of float64, shape (channels,)
        Its standard deviation.
    """

    mean: Floats
    spread: Floats


class RowReader:
    """Treats single rows as whole records are treated.

    Parameters
    ----------
    preprocessor : Preprocessor
        The fitted treatments, each of which treats a row by itself.
    name : str
        The stream.
    shape : Shape
        What the stream looked like when it was learned from.

    Raises
    ------
    OptionError
        If a treatment looks at other rows.
    """

    def __init__(self, preprocessor: Preprocessor, name: str, shape: Shape) -> None:
        for each in preprocessor.treatments:
            plain = isinstance(each, ROW_BY_ROW) and getattr(each, "per", "global") == "global"
            if not plain:
                raise OptionError(
                    f"{each!r} may look at other rows, so a row cannot be treated by itself. Use "
                    "Scale and Calendar only, or treat the rows before they are given."
                )
        self._preprocessor, self._name, self._shape = preprocessor, name, shape

    def read(self, row: Any, time: Any = None, dtype: type = np.float32) -> tuple[Tensor, Tensor]:
        """Check and treat a row.

        Parameters
        ----------
        row : array-like, shape (channels,)
            The row; NaN where a value is missing.
        time : int, float or datetime64, optional
            When it was; needed where the records that were learned from have times.
        dtype : {float32, float64}
            Of the values.

        Returns
        -------
        values : Tensor, shape (1, channels)
            Treated; 0 where nothing was observed.
        observed : Tensor of bool, shape (1, channels)
            Where there is a value.
        """
        values, observed = self._checked(row)
        if not self._preprocessor.treatments:
            return _tensors(values, observed, dtype)
        times = None if self._shape.clock == "step" else np.array([self._stamp(time)])
        stream = Stream(
            values[None],
            np.array([0, 1]),
            self._shape.channels,
            self._shape.kind,  # type: ignore[arg-type]
            observed[None],
            times=times,
            clock=self._shape.clock,
        )
        treated = self._preprocessor.transform(SequenceDataset(("",), {self._name: stream})).stream
        return _tensors(treated.values[0], treated.mask[0], dtype)

    def _checked(self, row: Any) -> tuple[Floats, Booleans]:
        try:
            values = np.atleast_1d(np.asarray(row, np.float64))
        except (TypeError, ValueError) as error:
            raise DataError("A row holds numbers", code="no_number", value=row) from error
        count = len(self._shape.channels)
        if values.shape != (count,):
            message = f"A row has shape {values.shape}, but the model learned from {count} channels"
            raise DataError(message, code="channel_count", hint=f"Give shape ({count},).")
        if np.isinf(values).any():
            column = self._shape.channels[int(np.isinf(values).argmax())]
            raise DataError("A value is infinite", code="infinite", column=column, hint="Use NaN.")
        return values, ~np.isnan(values)

    def _stamp(self, time: Any) -> Any:
        if time is None:
            hint = "Give step(row, time)."
            message = "The model learned from rows with times, but this one has none"
            raise DataError(message, code="no_time", hint=hint)
        if self._shape.clock == "calendar":
            return np.datetime64(time, "ns").astype(np.int64)
        return float(time)


class RowSession:
    """What a `NextStep` expects next, row by row, in constant time and memory.

    Made by `NextStep.stream`; it stands before the first row of a record.

    Parameters
    ----------
    network : NextStepNetwork
        Trained.
    reader : RowReader
        Treats rows.
    expected : callable
        Writes what the network says, shape (channels, size), as a `NextRow`.

    Attributes
    ----------
    next : NextRow
        What is expected of the row to come.
    """

    def __init__(
        self, network: NextStepNetwork, reader: RowReader, expected: Callable[[Tensor], NextRow]
    ) -> None:
        self._network, self._reader, self._expected = network, reader, expected
        self._look(network.start(1))

    def step(self, row: Any, time: Any = None) -> NextRow:
        """Read one row.

        Parameters
        ----------
        row : array-like, shape (channels,)
            The row; NaN where a value is missing.
        time : int, float or datetime64, optional
            When it was; needed where the records that were learned from have times.

        Returns
        -------
        NextRow
            What is expected of the row after it.

        Raises
        ------
        DataError
            If the row has other channels, or a value is infinite.
        """
        values, observed = self._reader.read(row, time)
        self._look((self._network.as_read(values, observed), self._inner))
        return self.next

    def draw(self, temperature: float, generator: torch.Generator) -> Tensor:
        """Draw the next row, as the network reads it.

        Parameters
        ----------
        temperature : float
            A low one keeps to what is probable.
        generator : torch.Generator
            Source of chance.

        Returns
        -------
        Tensor, shape (channels,)
            Scaled; it has not been read yet.
        """
        return self._network.draw(self.raw, temperature, generator)

    def read_scaled(self, row: Tensor) -> None:
        """Read a row that `draw` gave.

        Parameters
        ----------
        row : Tensor, shape (channels,)
            Scaled.
        """
        rows = row[None]
        self._look(
            (self._network.as_read(rows, torch.ones_like(rows, dtype=torch.bool)), self._inner)
        )

    @torch.no_grad()
    def _look(self, state: NextStepState) -> None:
        """See what is expected after the rows that a state has read."""
        raw, self._inner = self._network.step(state)
        self.raw = raw[0]
        self.next = self._expected(self.raw)


def _tensors(values: Floats, observed: Booleans, dtype: type) -> tuple[Tensor, Tensor]:
    row = torch.from_numpy(np.nan_to_num(values).astype(dtype))
    return row[None], torch.from_numpy(np.asarray(observed))[None]
