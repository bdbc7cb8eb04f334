"""The way back of a plain network of records: its loss and gradients without autograd.

Plain is one stream of measurements, a recurrent layer, pooling, and linear heads that answer for
the record. What has more parts goes by autograd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from recurra.kernels import learning
from recurra.layers.passes import LayerPasses
from recurra.models.gradients import Watch
from recurra.models.records.encoders import ValueEncoder
from recurra.models.records.pooling import Pooling
from recurra.models.records.pooling_gradients import PoolingGradients

if TYPE_CHECKING:
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
        if not self._is_plain:
            return
        self._reads, self._dropout = net.reads[0], net.dropout
        self._layer, self._pools = LayerPasses(net.layers[0]), PoolingGradients(net.pools[0])
        answers = zip(net.heads, net.plan.answers.items(), strict=True)
        self._heads = [
            (head.weight, head.bias, name, answer.classes) for head, (name, answer) in answers
        ]

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
        layer, pools = self._layer, self._pools
        stream = batch.streams[self._reads]
        if not layer.able(stream.values):
            return None
        read = self._network._dropped(stream.values)
        outputs, state = layer.forward(read, lengths=stream.lengths)
        state = state if isinstance(state, Tensor) else state[0]
        whole, rooms = pools.forward(outputs, state, stream.lengths), layer.incoming()
        incoming = pools.incoming(rooms)
        total, count = self._answer(whole, batch, incoming)
        layer.backward(*pools.backward(incoming, rooms))
        return total, count, None

    def _answer(self, whole: Tensor, batch: RecordBatch, incoming: Tensor) -> tuple[float, int]:
        """Let the heads answer, and write the gradient of what they read: loss, count."""
        total, count = 0.0, 0
        counts = None if batch.weights is None else batch.weights.to(whole.dtype)
        for k, (weight, bias, name, classes) in enumerate(self._heads):
            target = batch.targets[name]
            summed, known = learning.answer(
                whole,
                weight,
                bias,
                target if classes else target.to(whole.dtype),
                incoming,
                classes=classes,
                mask=self._mask(whole),
                counts=counts,
                add=k > 0,
            )
            total, count = total + summed, count + known
        return total, count

    def _mask(self, whole: Tensor) -> Tensor | None:
        """Draw what is dropped, as the dropout of the network does."""
        dropout = self._dropout
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
    if len({each.dtype for each in network.parameters()}) > 1:
        return False
    return all(answer.level == "record" and not answer.ordinal for answer in plan.answers.values())
