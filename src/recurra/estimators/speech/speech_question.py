"""What is asked of a transcriber, for explanations: why this is written, at which sounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recurra.data import Preprocessor, SequenceDataset
from recurra.data.reading.transcripts import frames_needed
from recurra.data.treatments import LogMel
from recurra.errors import DataError, OptionError
from recurra.estimators.learning.explained import untrained
from recurra.estimators.speech.recordings import STREAM, read_said
from recurra.explaining import Question, Read
from recurra.models import TranscriptionNetwork
from recurra.models.speech.ctc_alignment import align

if TYPE_CHECKING:
    from recurra.types import Floats

__all__ = ["Said", "SpeechQuestion", "ask"]

QUIET = 0.1  # of the steps of a recording: its pauses
DECIBELS = 10 / np.log(10)  # of a natural logarithm of an energy


@dataclass(frozen=True)
class Said:
    """Symbols that are said between two frames.

    Attributes
    ----------
    symbols : tuple of int
        Their places among the symbols; none where nothing is said.
    start, stop : int
        The first frame, and the one after the last: with the pauses around them.
    asked : str
        What is asked of them.
    """

    symbols: tuple[int, ...]
    start: int
    stop: int
    asked: str


def ask(
    model: Any, X: Any, target: str | None, rate: float | None, baseline: Any
) -> SpeechQuestion:
    """Ask a fitted transcriber about one recording.

    Parameters
    ----------
    model : Transcriber
        The model.
    X : path, ndarray of shape (samples,), or as for `fit`
        One recording.
    target : str, optional
        A part of what the model writes, which is asked for where it lies; or another transcript of
        the whole. None for what the model writes.
    rate : float, optional
        Of arrays: samples a second.
    baseline : as X, optional
        A recording of the same length to compare with; None for the pauses of this one.

    Returns
    -------
    SpeechQuestion
        The question.

    Raises
    ------
    DataError
        If the recording is too short, or the target has a symbol that was never learned.
    OptionError
        If there are several recordings, or the target is longer than its frames allow.
    """
    record = model._one_to_ask(X, {"rate": rate})
    treated = model._treated_again(record)
    values = torch.from_numpy(np.asarray(treated.stream.values, np.float32))
    network = model.network_
    if len(values) < network.plan.stride:
        raise DataError(
            f"The recording has {len(values)} steps, which make no frame",
            code="too_short",
            record=record.ids[0],
            hint=f"A frame is made of {network.plan.stride} steps.",
        )
    names, shown = _bands(model, record, treated)
    base = torch.zeros_like(values) if shown is None else _pauses(values)
    if baseline is not None:
        beside = model._treated_again(model._one_to_ask(baseline, {"rate": rate}, "baseline"))
        if beside.stream.rows != treated.stream.rows:
            raise OptionError(
                f"The baseline has {beside.stream.rows} steps, but the recording has "
                f"{treated.stream.rows}. Give one of the same length."
            )
        base = torch.from_numpy(np.asarray(beside.stream.values, np.float32))
    with torch.no_grad():
        told, _ = network(values[None], torch.tensor([len(values)]))
    written = told[0].double().numpy()
    own = model._codes(written)
    steps = tuple(treated.stream.clock_times.tolist())
    spans = align(written, own)
    said = _said(model, target, own, spans, len(written), steps)
    marks = [(int(a + b) * network.plan.stride // 2, model.symbols_[code])
             for code, (a, b) in zip(own, spans, strict=True)]  # fmt: skip
    heard = Read(values, base, names, steps, shown, marks=tuple(marks))
    return SpeechQuestion(network, heard, said, lambda: model._built(network.plan))


class SpeechQuestion(Question):
    r"""How probable it is that something is said, in a recording or in a stretch of it.

    .. math:: \log \sum_{π \text{ writes } y} \prod_k p(π_k \mid x)

    over all ways to write the symbols in those frames, with blanks between: minus the loss of
    connectionist temporal classification.

    Where nothing is known of a sound, its band is as loud as in the pauses of the recording: as in
    the quietest tenth of its steps. Zeros, the mean of all that was learned from, would be sound.
    Of other numbers than sound, zeros stand for nothing.

    Parameters
    ----------
    network : TranscriptionNetwork
        In evaluation mode.
    heard : Read
        The treated recording.
    said : Said
        The symbols, and where.
    make : callable
        Makes a network of the same make.
    """

    def __init__(
        self,
        network: TranscriptionNetwork,
        heard: Read,
        said: Said,
        make: Callable[[], TranscriptionNetwork],
    ) -> None:
        self.network, self.said, self.asked = network, said, said.asked
        self._make = make
        self.reads = {STREAM: heard}

    def answer(self, values: Mapping[str, Tensor]) -> Tensor:
        """See `Question.answer`."""
        given = values[STREAM]
        told, _ = self.network(given, torch.full((len(given),), given.shape[1]))
        part = told[:, self.said.start : self.said.stop].double().transpose(0, 1)
        count, symbols = len(given), torch.tensor(self.said.symbols, dtype=torch.int64) + 1
        lengths = torch.full((count,), len(part)), torch.full((count,), len(symbols))
        return -functional.ctc_loss(part, symbols.expand(count, -1), *lengths, reduction="none")

    def randomised(self, seed: int) -> SpeechQuestion:
        """See `Question.randomised`."""
        fresh = untrained(self._make, seed)
        return SpeechQuestion(fresh, self.reads[STREAM], self.said, self._make)


def _said(
    model: Any,
    target: str | None,
    own: Sequence[int],
    spans: Any,
    frames: int,
    steps: tuple[Any, ...],
) -> Said:
    """Choose what is asked for: the whole, a part where it lies, or another whole."""
    wanted = tuple(own) if target is None else _symbols(model, target)
    text = model._separator.join(model.symbols_[code] for code in wanted)
    places = [k for k in range(len(own) - len(wanted) + 1)
              if tuple(own[k : k + len(wanted)]) == wanted]  # fmt: skip
    if wanted and places and len(wanted) < len(own):
        first, last = places[0], places[0] + len(wanted) - 1
        start = int(spans[first - 1, 1]) if first else 0
        stop = int(spans[last + 1, 0]) if last + 1 < len(own) else frames
        stride, seconds = model.network_.plan.stride, " s" if model.rate_ else ""
        begun, done = (steps[min(int(frame) * stride, len(steps) - 1)] for frame in
                       (spans[first, 0], spans[last, 1]))  # fmt: skip
        where = f"from {begun:g}{seconds} to {done:g}{seconds}"
        return Said(wanted, start, stop, f"log probability of {text!r} {where}")
    codes = np.array(wanted, np.int64).reshape(-1, 1)
    needed = int(frames_needed(codes, np.array([0, len(codes)]))[0])
    if needed > frames:
        raise OptionError(
            f"target={target!r} needs {needed} frames, but the recording has {frames}. Ask for "
            "less, or give the whole recording."
        )
    whole = f"the transcript {text!r}" if wanted else "an empty transcript"
    return Said(wanted, 0, frames, f"log probability of {whole}")


def _symbols(model: Any, target: Any) -> tuple[int, ...]:
    """Write a text as symbols, all of them learned."""
    if not isinstance(target, str):
        raise OptionError(f"target={target!r}, but it is what may be said: a text.")
    if not target.strip():
        return ()
    parted = read_said([target], model.unit, (0,))
    places = {symbol: code for code, symbol in enumerate(model.symbols_)}
    symbols = [str(parted.classes[code]) for code in parted.values[:, 0]]
    odd = [symbol for symbol in symbols if symbol not in places]
    if odd:
        raise DataError(
            f"target={target!r} has a symbol that was never learned, so it cannot be written",
            code="unseen_label",
            value=odd[0],
            hint=f"Give a text made of {list(model.symbols_)!r}.",
        )
    return tuple(places[symbol] for symbol in symbols)


def _pauses(values: Tensor) -> Tensor:
    """Give the loudness of each band in the pauses, at all steps."""
    quiet = np.quantile(values.numpy(), QUIET, axis=0).astype(np.float32)
    return torch.from_numpy(quiet).expand(len(values), -1).clone()


def _bands(
    model: Any, record: SequenceDataset, treated: SequenceDataset
) -> tuple[tuple[str, ...], Floats | None]:
    """Name bands by the frequency in their middle, and give their loudness in decibels."""
    names, preprocessor = treated.stream.channels, model.preprocessor_
    kinds = [isinstance(each, LogMel) for each in preprocessor.treatments]
    if True not in kinds:
        return names, None
    place = kinds.index(True)
    heard = Preprocessor(preprocessor.treatments[: place + 1])
    heard.learned_ = preprocessor.learned_[: place + 1]
    loud = heard.transform(record).stream
    if loud.channels != names or loud.rows != treated.stream.rows:
        return names, None
    mel: Any = preprocessor.treatments[place]
    return _in_hertz(mel.bank(model.rate_).centres), loud.values.astype(np.float64) * DECIBELS


def _in_hertz(centres: Floats) -> tuple[str, ...]:
    """Write frequencies, with as few digits as tell them apart."""
    for digits in range(4):
        names = tuple(f"{each:.{digits}f} Hz" for each in centres)
        if len(set(names)) == len(names):
            break
    return names
