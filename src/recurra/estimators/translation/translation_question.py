"""What is asked of a network from sequence to sequence, for explanations: why this answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recurra.data.batching import pad_records
from recurra.errors import DataError
from recurra.estimators.learning.explained import untrained
from recurra.estimators.records.record_looks import Looks
from recurra.estimators.records.wanted import chosen_step
from recurra.estimators.translation.sequence_answers import written
from recurra.explaining import Alignment, Question
from recurra.models import RecordBatch
from recurra.models.records.looked_up import repeated, spread
from recurra.models.translation.sequence_to_sequence_network import (
    SequenceToSequenceNetwork,
    ended,
    said_of,
)

__all__ = ["Answer", "TranslationQuestion", "ask"]

END = "end"


@dataclass(frozen=True)
class Answer:
    """An answer that is asked for.

    Attributes
    ----------
    codes : tuple of int
        Its symbols, as places among those learned.
    names : tuple of str
        What they are called, and the end.
    step : int, optional
        Which of them is asked for; None for all.
    asked : str
        What is asked.
    """

    codes: tuple[int, ...]
    names: tuple[str, ...]
    step: int | None
    asked: str


def ask(
    model: Any, X: Any, target: Any, step: int | None, how: Mapping[str, Any]
) -> TranslationQuestion:
    """Ask a fitted model about one source.

    Parameters
    ----------
    model : SequenceToSequence
        The model.
    X : as for `predict`
        One source.
    target : str or list, optional
        An answer; None for that of the model.
    step : int, optional
        Which of its symbols is asked for, counted from 0; the end comes after the last. None for
        the whole answer.
    how : dict
        Further arguments of `recurra.data.from_arrays`.

    Returns
    -------
    TranslationQuestion
        The question.

    Raises
    ------
    DataError
        If the source is empty, or the answer has a symbol that was never learned.
    OptionError
        If there are several sources, or no such step.
    """
    record = model._one_to_ask(X, how)
    treated = model._sources(record)
    (codes,), (known,) = model._answers(treated, None if target is None else [target])
    if not known:
        raise DataError(
            "The target is unknown, or has a symbol that was never learned",
            code="unseen_label",
            value=target,
            hint=f"Give an answer made of {list(model.symbols_)!r}.",
        )
    symbols = [model.symbols_[code] for code in codes]
    names = (*map(str, symbols), END)
    text, at = written(symbols, model._form), None
    asked = f"log probability of {text!r}"
    if step is not None:
        at = chosen_step(step, len(names))
        what = repr(symbols[at]) if at < len(codes) else "the end"
        asked = f"log odds of {what} at step {at} of {text!r}"
    looks = Looks.of(record, treated, model.preprocessor_)
    batch = RecordBatch.of(pad_records(treated, [0]))
    answer = Answer(tuple(codes), names, at, asked)
    plan = model.network_.plan
    return TranslationQuestion(model.network_, batch, looks, answer, lambda: model._built(plan))


class TranslationQuestion(Question):
    r"""How probable an answer is to a source, or one of its symbols after those before it.

    .. math:: \sum_u \log p(y_u \mid y_{<u}, x), \qquad
              \log \frac{p(y_u \mid y_{<u}, x)}{1 - p(y_u \mid y_{<u}, x)}

    Parameters
    ----------
    network : SequenceToSequenceNetwork
        In evaluation mode.
    batch : RecordBatch
        The source, treated.
    looks : Looks
        What its steps and channels are called, and hold.
    wanted : Answer
        What is asked for.
    make : callable
        Makes a network of the same make.
    """

    def __init__(
        self,
        network: SequenceToSequenceNetwork,
        batch: RecordBatch,
        looks: Looks,
        wanted: Answer,
        make: Callable[[], SequenceToSequenceNetwork],
    ) -> None:
        self.network, self.batch, self.looks, self.wanted = network, batch, looks, wanted
        self.asked, self._make = wanted.asked, make
        ((self._name, stream),) = batch.streams.items()
        with torch.no_grad():
            (found,) = network.encoder.looked_up(stream)
        base = torch.zeros_like(found)
        self.reads = {self._name: looks.read(network.encoder, self._name, found, base)}

    def answer(self, values: Mapping[str, Tensor]) -> Tensor:
        """See `Question.answer`."""
        logits, _ = self._said(values[self._name])
        step = self.wanted.step
        if step is None:
            _, goal = ended(self._codes(len(logits)), self.network.boundary)
            return said_of(logits, goal).sum(1)
        own = logits[:, step].double()
        code = (*self.wanted.codes, self.network.boundary)[step]
        others = torch.cat([own[:, :code], own[:, code + 1 :]], -1)
        return own[:, code] - torch.logsumexp(others, -1)

    def randomised(self, seed: int) -> TranslationQuestion:
        """See `Question.randomised`."""
        fresh = untrained(self._make, seed)
        return TranslationQuestion(fresh, self.batch, self.looks, self.wanted, self._make)

    def attention(self) -> dict[str, Tensor]:
        """See `Question.attention`; of several symbols the mean."""
        return {self._name: torch.from_numpy(self.alignment().weights).mean(0)}

    @torch.no_grad()
    def alignment(self) -> Alignment:
        """See `Question.alignment`; the end is there where it is asked for."""
        _, weights = self._said(self.reads[self._name].values[None])
        step, count = self.wanted.step, len(self.wanted.codes)
        rows = range(count or 1) if step is None else range(step, step + 1)
        (stream,) = self.batch.streams.values()
        table = spread(weights[0].double(), stream)[rows.start : rows.stop]
        return Alignment(tuple(self.wanted.names[k] for k in rows), table.numpy())

    def _said(self, given: Tensor) -> tuple[Tensor, Tensor]:
        """Let the network read changed sources, and say the answer."""
        (stream,) = repeated(self.batch, len(given)).streams.values()
        state = self.network.begin_read(self.network.encoder.read(given, stream))
        return self.network.answer(state, self._codes(len(given)))

    def _codes(self, count: int) -> Tensor:
        codes: Sequence[int] = self.wanted.codes
        return torch.tensor(codes, dtype=torch.int64).expand(count, -1)
