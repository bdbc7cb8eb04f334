"""The way back of a plain network of records: its loss and gradients without autograd.

Plain is one stream of measurements, a recurrent layer, last, mean and largest outputs, and linear
heads that answer for the record. What has more parts goes by autograd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from recurra.layers.passes import LayerPasses
from recurra.models.gradients import back_through, unwatched
from recurra.models.records.encoders import ValueEncoder
from recurra.models.records.pooling import Pooling

if TYPE_CHECKING:
    from recurra.models.records.network_plan import Answer
    from recurra.models.records.records import RecordBatch

__all__ = ["SequenceGradients"]

WAYS = {"last", "mean", "max"}


class SequenceGradients:
    """Adds the gradients of the summed loss of a batch to those of a plain network.

    Parameters
    ----------
    network : SequenceNetwork
        The network, which holds this: so its class is not imported here.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._plain = _is_plain(network)
        self._layer = LayerPasses(network.layers[0])

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
        network = self._network
        stream = batch.streams[network.reads[0]]
        if not (self._plain and self._alone() and self._layer.able(stream.values)):
            return None
        read = network._dropped(stream.values)
        outputs, _ = self._layer.forward(read, lengths=stream.lengths)
        pools = _Pools(network.pools[0], outputs, stream.lengths)
        whole, incoming = pools.forward(), torch.zeros(())
        total, count = 0.0, 0
        answers = network.plan.answers.items()
        for head, (name, answer) in zip(network.heads, answers, strict=True):
            assert isinstance(head, nn.Linear)
            mask = self._mask(whole)
            seen = whole if mask is None else whole * mask
            raw = head(seen).unflatten(-1, _shape(answer))
            summed, known, slope = _loss(raw, batch.targets[name], batch.weights, answer)
            total, count = total + summed, count + known
            slope = slope.flatten(1)
            back_through(head, seen, slope)
            found = slope @ head.weight
            incoming = incoming + (found if mask is None else found * mask)
        self._layer.backward(pools.backward(incoming))
        return total, count, None

    def _alone(self) -> bool:
        """Whether all that takes part is as it was made."""
        net = self._network
        heads = [*net.heads]
        if any(type(head) is not nn.Linear for head in heads) or net.dropout.p >= 1.0:
            return False
        parts = (net.encoders[0], net.fronts[0], net.layers[0], net.pools[0], net.dropout)
        return type(net.dropout) is nn.Dropout and unwatched([net, *parts, *heads])

    def _mask(self, whole: Tensor) -> Tensor | None:
        """Draw what is dropped, as the dropout of the network does."""
        dropout = self._network.dropout
        if not (dropout.training and dropout.p):
            return None
        return functional.dropout(torch.ones_like(whole), dropout.p)


class _Pools:
    """What `Pooling` does, and back: outputs are 0 beyond a record's length."""

    def __init__(self, pooling: Pooling, outputs: Tensor, lengths: Tensor) -> None:
        self.ways, self.bidirectional = pooling.ways, pooling.bidirectional
        self.outputs, self.lengths = outputs, lengths
        self.count = lengths[:, None].clamp(min=1).to(outputs.dtype)
        self.there = (lengths > 0)[:, None]
        self.rows, self.last = torch.arange(len(lengths)), (lengths - 1).clamp(min=0)
        self.width = outputs.shape[-1]
        self.half = self.width // 2 if self.bidirectional else self.width
        self.highest = torch.empty(())

    def forward(self) -> Tensor:
        """Pool: one vector for each record, (batch, ways · width)."""
        parts = []
        for way in self.ways:
            if way == "mean":
                parts.append(self.outputs.sum(1) / self.count)
            elif way == "max":
                self.highest = self._real(-torch.inf).amax(1)
                parts.append(torch.where(self.there, self.highest, 0.0))
            else:
                found = self.outputs[self.rows, self.last]
                back = self.outputs[:, 0, self.half :]
                parts.append(torch.cat([found[:, : self.half], back], -1))
        return torch.cat(parts, -1)

    def backward(self, incoming: Tensor) -> Tensor:
        """From the gradient of the vectors to that of the outputs, anything on padding."""
        found = torch.zeros_like(self.outputs)
        for way, part in zip(self.ways, incoming.split(self.width, -1), strict=True):
            if way == "mean":
                found += (part / self.count)[:, None]
            elif way == "max":
                which = (self._real(-torch.inf) == self.highest[:, None]).to(part.dtype)
                found += which * (part / which.sum(1))[:, None]  # shared by those alike
            else:
                found[self.rows, self.last, : self.half] += part[:, : self.half]
                found[:, 0, self.half :] += part[:, self.half :]
        return found

    def _real(self, padding: float) -> Tensor:
        """The outputs, with something else on padding."""
        steps = torch.arange(self.outputs.shape[1])
        valid = (steps < self.lengths[:, None])[..., None]
        return torch.where(valid, self.outputs, padding)


def _is_plain(network: Any) -> bool:
    """Whether a network has no parts but those that are known here."""
    plan = network.plan
    if len(plan.inputs) != 1 or network.join is not None or plan.static is not None:
        return False
    if network.norm is not None or len(network.shortcuts) or len(network.bags):
        return False
    if plan.token_dropout or plan.channel_dropout or not WAYS.issuperset(plan.pooling):
        return False
    encoder = network.encoders[0]
    if type(encoder) is not ValueEncoder or encoder.codes or encoder.project is not None:
        return False
    if type(network.fronts[0]) is not nn.Identity or any(network.skipping):
        return False
    return all(answer.level == "record" and not answer.ordinal for answer in plan.answers.values())


def _shape(answer: Answer) -> tuple[int, ...]:
    return (answer.outputs, answer.classes) if answer.classes else (answer.outputs,)


def _loss(
    raw: Tensor, target: Tensor, weights: Tensor | None, answer: Answer
) -> tuple[float, int, Tensor]:
    """The summed loss, what was counted, and the gradient by what the head said."""
    if answer.classes:
        known = target >= 0
        code = target.clamp(min=0)[..., None]
        log_share = torch.log_softmax(raw, -1)
        each = -log_share.gather(-1, code)[..., 0]
        slope = log_share.exp().scatter_add_(-1, code, -torch.ones_like(each)[..., None])
    else:
        known = ~target.isnan()
        apart = raw - torch.where(known, target, 0.0).to(raw.dtype)
        each, slope = apart.square(), 2 * apart
    if weights is not None:
        by = weights.to(each.dtype)[:, None]
        each, slope = each * by, slope * (by[..., None] if answer.classes else by)
    kept = known[..., None] if answer.classes else known
    total = torch.where(known, each, 0.0).sum()
    return float(total), int(known.sum()), torch.where(kept, slope, 0.0)
