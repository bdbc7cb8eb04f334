"""The way back of a plain network of records: its loss and gradients without autograd.

Plain is one stream of measurements, a recurrent layer, pooling, and linear heads that answer for
the record. What has more parts goes by autograd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from recurra.kernels.threads import few_threads
from recurra.layers.passes import LayerPasses
from recurra.models.gradients import Watch, back_through
from recurra.models.records.encoders import ValueEncoder
from recurra.models.records.pooling import Pooling
from recurra.models.records.pooling_gradients import PoolingGradients

if TYPE_CHECKING:
    from recurra.models.records.network_plan import Answer
    from recurra.models.records.records import RecordBatch

__all__ = ["SequenceGradients"]


class SequenceGradients:
    """Adds the gradients of the summed loss of a batch to those of a plain network.

    Parameters
    ----------
    network : SequenceNetwork
        The network, which holds this: so its class is not imported here.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._look()

    def _look(self) -> None:
        """Look at all parts; what is found here holds until one is replaced."""
        net = self._network
        self._watch, self._is_plain = Watch(net), _is_plain(net)
        self._layer, self._pooling = LayerPasses(net.layers[0]), net.pools[0]
        self._heads = [*zip(net.heads, net.plan.answers.items(), strict=True)]

    def add(self, batch: RecordBatch) -> tuple[float, int, None] | None:
        """Go forward and back.

        Parameters
        ----------
        batch : RecordBatch
            Some records, with targets.

        Returns
        -------
        tuple of (float, int, None), or None
            The summed loss, and how many targets were counted; None where only autograd can tell,
            and then nothing was done.
        """
        if not self._watch.same():
            self._look()
        if not (self._is_plain and self._watch.plain()):
            return None
        network = self._network
        stream = batch.streams[network.reads[0]]
        if not self._layer.able(stream.values):
            return None
        read = network._dropped(stream.values)
        outputs, state = self._layer.forward(read, lengths=stream.lengths)
        state = state if isinstance(state, Tensor) else state[0]
        pools = PoolingGradients(self._pooling, outputs, state, stream.lengths)
        with few_threads(outputs.numel()):
            total, count, incoming = self._answer(pools.forward(), batch)
            back = pools.backward(incoming, self._layer.incoming())
        self._layer.backward(*back)
        return total, count, None

    def _answer(self, whole: Tensor, batch: RecordBatch) -> tuple[float, int, Tensor]:
        """Let the heads answer, and go back through them: loss, count, gradient of what is read."""
        incoming, total, count = torch.zeros_like(whole), 0.0, 0
        for head, (name, answer) in self._heads:
            mask = self._mask(whole)
            seen = whole if mask is None else whole * mask
            raw = functional.linear(seen, head.weight, head.bias)
            summed, known, slope = _loss(raw, batch.targets[name], batch.weights, answer)
            total, count = total + summed, count + known
            back_through(head, seen, slope)
            if mask is None:
                incoming.addmm_(slope, head.weight)
            else:
                incoming.addcmul_(slope @ head.weight, mask)
        return total, count, incoming

    def _mask(self, whole: Tensor) -> Tensor | None:
        """Draw what is dropped, as the dropout of the network does."""
        dropout = self._network.dropout
        if not (dropout.training and dropout.p):
            return None
        return functional.dropout(torch.ones_like(whole), dropout.p)


def _is_plain(network: Any) -> bool:
    """Whether a network has no parts but those that are known here."""
    plan = network.plan
    if len(plan.inputs) != 1 or network.join is not None or plan.static is not None:
        return False
    if network.norm is not None or len(network.shortcuts) or len(network.bags):
        return False
    if plan.token_dropout or plan.channel_dropout or type(network.pools[0]) is not Pooling:
        return False
    encoder, dropout = network.encoders[0], network.dropout
    if type(encoder) is not ValueEncoder or encoder.codes or encoder.project is not None:
        return False
    if type(network.fronts[0]) is not nn.Identity or any(network.skipping):
        return False
    if type(dropout) is not nn.Dropout or dropout.p >= 1.0:
        return False
    if any(type(head) is not nn.Linear for head in network.heads):
        return False
    return all(answer.level == "record" and not answer.ordinal for answer in plan.answers.values())


def _loss(
    raw: Tensor, target: Tensor, weights: Tensor | None, answer: Answer
) -> tuple[float, int, Tensor]:
    """The summed loss, what was counted, and the gradient by what the head said, as flat as it."""
    if answer.classes:
        return _cross_entropy(raw, target, weights, answer)
    target = target.to(raw.dtype)
    if weights is None:
        apart = raw - target
        flat = apart.view(-1)
        total = float(torch.dot(flat, flat))
        if total == total:  # all are known
            return total, len(flat), apart.mul_(2.0)
    known = ~target.isnan()
    apart = raw - torch.where(known, target, 0.0)
    apart = torch.where(known, apart, 0.0)
    slope = 2.0 * apart if weights is None else 2.0 * apart * weights.to(raw.dtype)[:, None]
    return float((slope * apart).sum()) / 2.0, int(known.sum()), slope


def _cross_entropy(
    raw: Tensor, target: Tensor, weights: Tensor | None, answer: Answer
) -> tuple[float, int, Tensor]:
    """The same for classes; each of several outputs has logits of its own, side by side."""
    log_share = torch.log_softmax(raw.view(-1, answer.classes), -1)
    code, known = target.reshape(-1, 1), target.reshape(-1, 1) >= 0
    counted = int(known.sum())
    slope = log_share.exp()
    by = known.to(raw.dtype)
    if weights is not None:
        by *= weights.to(raw.dtype).repeat_interleave(target.shape[1])[:, None]
    if counted < len(code):
        code = code.clamp(min=0)
    total = -float(log_share.gather(1, code).mul_(by).sum())
    slope.scatter_add_(1, code, slope.new_full((), -1.0).expand(code.shape))
    if counted < len(code) or weights is not None:
        slope.mul_(by)
    return total, counted, slope.view(raw.shape)
