"""A recording transcribed while it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recurra.data import Preprocessor, SequenceDataset, Stream
from recurra.data.treatments import LogMel
from recurra.data.treatments.log_mel import as_sound
from recurra.data.treatments.memory import RecordMemory
from recurra.errors import DataError, OptionError
from recurra.estimators.speech.recordings import STREAM
from recurra.models import TranscriptionNetwork
from recurra.models.speech.ctc_decoding import best_path

if TYPE_CHECKING:
    from recurra.types import Array, Floats

__all__ = ["TranscriptionStream", "parted"]


class TranscriptionStream:
    """Listens to a recording piece by piece, in constant time and memory for each sample.

    Made by `Transcriber.stream`. What was written is never taken back: the most probable symbol of
    each frame. After `finish` the text is that of the whole recording read at once.

    Parameters
    ----------
    network : TranscriptionNetwork
        Trained, reading forwards only.
    preprocessor : Preprocessor
        Fitted: `LogMel` first, then what can treat steps as they come.
    rate : float
        Samples a second.
    symbols : sequence of str
        What the network says, without the blank.
    separator : str
        What stands between two symbols.

    Attributes
    ----------
    text : str
        What was written so far.
    probabilities : ndarray of float64, shape (frames, 1 + symbols)
        Of the frames that the last step completed; the blank first.
    """

    def __init__(
        self,
        network: TranscriptionNetwork,
        preprocessor: Preprocessor,
        rate: float,
        symbols: Sequence[str],
        separator: str = "",
    ) -> None:
        mel, self._rest = parted(preprocessor)
        self._network, self._symbols, self._separator = network, tuple(symbols), separator
        self._bank = mel.bank(rate)
        self._names = tuple(f"mel{band}" for band in range(mel.bands))
        self.reset()

    def reset(self) -> None:
        """Forget what was heard, and stand before the first sample."""
        self._waiting, self._memory = self._bank.silence, RecordMemory(self._rest)
        self._heard, self._last, self._ended = self._network.begin(), 0, False
        self.text = ""
        self.probabilities: Floats = np.zeros((0, 1 + len(self._symbols)))

    def step(self, samples: Any) -> str:
        """Listen to some more samples.

        Parameters
        ----------
        samples : array-like, shape (any number,)
            Integers at full scale of their type, or floats between -1 and 1, as the model learned.

        Returns
        -------
        str
            What was written so far.

        Raises
        ------
        DataError
            If a sample is no finite number.
        OptionError
            If the recording was finished.
        """
        if self._ended:
            raise OptionError("The recording was finished. Call reset() before another.")
        sound = np.concatenate([self._waiting, _sound(samples)])
        rows = self._bank.frames(sound)
        self._waiting = sound[len(rows) * self._bank.hop :].copy()
        return self._read(self._treated(rows))

    def finish(self) -> str:
        """Say that the recording ends here.

        Returns
        -------
        str
            All that was written.
        """
        if not self._ended:
            ahead = self._network.plan.ahead
            self._read(np.zeros((ahead, len(self._names)), np.float32))
            self._ended = True
        return self.text

    def _treated(self, rows: Array) -> Array:
        """Do to new rows what was done to those that were learned from."""
        stream = Stream(rows, np.array([0, len(rows)]), self._names)
        treated = self._memory.read(SequenceDataset((0,), {STREAM: stream})).stream.values
        return treated[len(treated) - len(rows) :]

    @torch.no_grad()
    def _read(self, rows: Array) -> str:
        """Let the network read rows, and write."""
        values = torch.from_numpy(np.ascontiguousarray(rows, np.float32))[None]
        told, self._heard = self._network.step(values, self._heard)
        said = told[0].double().numpy()
        self.probabilities = np.exp(said)
        codes, self._last = best_path(said, self._last)
        if codes:
            new = self._separator.join(self._symbols[code] for code in codes)
            self.text = f"{self.text}{self._separator}{new}" if self.text else new
        return self.text


def parted(preprocessor: Preprocessor) -> tuple[LogMel, Preprocessor]:
    """Part what hears from what treats the rows that were heard.

    Parameters
    ----------
    preprocessor : Preprocessor
        Fitted.

    Returns
    -------
    LogMel
        The first treatment.
    Preprocessor
        Those after it, fitted.

    Raises
    ------
    OptionError
        If the first is none that hears samples as they come.
    """
    first, *rest = preprocessor.treatments or (None,)
    if not isinstance(first, LogMel) or not first.causal:
        message = f"stream() hears samples as they come by LogMel, but the first is {first!r}"
        raise OptionError(f"{message}. Learn from signals, with treatments=[LogMel(), Scale()].")
    after = Preprocessor(rest)
    after.learned_ = preprocessor.learned_[1:]
    return first, after


def _sound(samples: Any) -> Floats:
    """Check some samples, and bring them to parts of full scale."""
    given = np.asarray(samples)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "if"):
        what = f"shape {given.shape} and type {given.dtype}"
        raise OptionError(f"step() reads one array of samples, but {what} came.")
    sound = as_sound(given)
    odd = np.flatnonzero(~np.isfinite(sound))
    if odd.size:
        message, value = "A sample is no finite number", float(sound[odd[0]])
        hint = "Write 0 where there is silence."
        raise DataError(message, code="not_finite", row=int(odd[0]), value=value, hint=hint)
    return sound
