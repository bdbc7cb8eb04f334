"""A network that says a label at each step, on its own or as a sequence that hangs together."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from recurra.errors import OptionError
from recurra.models.records.crf import CRF
from recurra.models.records.encoders import Encoder
from recurra.models.records.network_plan import Input, NetworkPlan
from recurra.models.records.records import RecordBatch
from recurra.models.records.sequence_network import SequenceNetwork
from recurra.models.records.word_encoders import LetterEncoder, WordEncoder

__all__ = ["TaggingNetwork"]

WORD, LETTER, SPELLING = 96, 32, 48


class TaggingNetwork(SequenceNetwork):
    r"""Reads records as `SequenceNetwork` does, and says a label at each step.

    .. math:: p(y_t = k \mid x) = \mathrm{softmax}_k(W h_t + b)

    or, with a conditional random field, :math:`p(y \mid x)` as in `CRF`, where :math:`W h_t + b`
    is what each step says for each label. Tokens are read by a `WordEncoder`, streams of letters
    by a `LetterEncoder`.

    Parameters
    ----------
    plan : NetworkPlan
        With one answer, of level ``"step"``.
    layer : callable
        Makes a recurrent layer, as for `SequenceNetwork`.
    crf : bool
        Whether labels depend on their neighbours.
    """

    def __init__(
        self, plan: NetworkPlan, layer: Callable[..., nn.Module], crf: bool = False
    ) -> None:
        if [each.level for each in plan.answers.values()] != ["step"]:
            raise OptionError(f"One answer, for each step, is planned here, not {plan.answers}.")
        made = {name: _encoder(each, plan.dropout) for name, each in plan.inputs.items()}
        super().__init__(plan, layer, {k: each for k, each in made.items() if each is not None})
        ((self.name, answer),) = plan.answers.items()
        self.stream = str(answer.stream)
        self.crf = CRF(answer.classes) if crf else None

    def set_counts(self, name: str, counts: Tensor) -> None:
        """Say how often each word was seen in training.

        Parameters
        ----------
        name : str
            The stream of words.
        counts : Tensor, shape (vocabulary,)
            By code.
        """
        place = list(self.plan.inputs).index(name)
        encoder = self.encoders[place]
        assert isinstance(encoder, WordEncoder)
        encoder.counts.copy_(counts)

    def emissions(self, batch: RecordBatch) -> Tensor:
        """Say what each step says for each label.

        Parameters
        ----------
        batch : RecordBatch
            Some records.

        Returns
        -------
        Tensor, shape (batch, time, classes)
            Logits; anything on padding.
        """
        return self(batch)[self.name][:, :, 0]

    def losses(self, batch: RecordBatch) -> dict[str, tuple[Tensor, Tensor]]:
        """Add up how improbable the labels are that are known.

        Parameters
        ----------
        batch : RecordBatch
            Some records, with targets.

        Returns
        -------
        dict of str to (Tensor, Tensor)
            Of the target: the sum, in nats, and how many labels are known; what is padding or
            unknown has no part in it.
        """
        return {self.name: self._improbability(self.emissions(batch), batch)}

    def judge(self, batch: RecordBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Count the labels that are wrong, and add up how improbable the right ones are.

        Parameters
        ----------
        batch : RecordBatch
            Some records, with targets.

        Returns
        -------
        wrong : Tensor
            How many of the known labels would be answered wrongly.
        total, count : Tensor
            As those of `losses`.
        """
        scores, target = self.emissions(batch), batch.targets[self.name][..., 0]
        wrong = ((self._best(scores, batch) != target) & (target >= 0)).sum()
        return wrong, *self._improbability(scores, batch)

    def probabilities(self, batch: RecordBatch) -> Tensor:
        """Say how probable each label is at each step.

        Parameters
        ----------
        batch : RecordBatch
            Some records.

        Returns
        -------
        Tensor, shape (batch, time, classes)
            Of sum 1 at each step; anything on padding. With a random field, the marginals.
        """
        scores = self.emissions(batch)
        if self.crf is None:
            return torch.softmax(scores, -1)
        return self.crf.marginals(scores, self._lengths(batch))

    def labels(self, batch: RecordBatch) -> Tensor:
        """Say the best labels.

        Parameters
        ----------
        batch : RecordBatch
            Some records.

        Returns
        -------
        Tensor of int64, shape (batch, time)
            The most probable label of each step, or, with a random field, the most probable
            sequence of labels; anything on padding.
        """
        return self._best(self.emissions(batch), batch)

    def _best(self, scores: Tensor, batch: RecordBatch) -> Tensor:
        if self.crf is None:
            return scores.argmax(-1)
        return self.crf.best(scores, self._lengths(batch))

    def _improbability(self, scores: Tensor, batch: RecordBatch) -> tuple[Tensor, Tensor]:
        target = batch.targets[self.name][..., 0]
        known, weights = target >= 0, batch.weights
        if self.crf is None:
            each = functional.cross_entropy(scores[known], target[known], reduction="none")
            weights = None if weights is None else weights[:, None].expand_as(target)[known]
        else:
            each = -self.crf.log_likelihood(scores, target, self._lengths(batch))
        if weights is not None:
            each = each * weights.to(each.dtype)
        return each.sum(), known.sum()

    def _lengths(self, batch: RecordBatch) -> Tensor:
        return batch.streams[self.stream].lengths


def _encoder(read: Input, dropout: float) -> Encoder | None:
    """Make the encoder of words and of their letters; other streams have their usual one."""
    if read.kind == "tokens":
        return WordEncoder(read.cardinalities[0], read.width or WORD, dropout)
    inner = read.inner
    if inner is not None and inner.kind == "tokens":
        half = SPELLING if inner.width is None else -(-inner.width // 2)
        return LetterEncoder(inner.cardinalities[0], LETTER, half, dropout)
    return None
