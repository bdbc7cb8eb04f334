"""The forecasting network's own way back: its loss and gradients without autograd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recurra.layers.dropout import Dropout, draw_mask
from recurra.layers.passes import LayerPasses
from recurra.models.gradients import Watch, back_through

if TYPE_CHECKING:
    from recurra.models.forecasting.batch import Batch, Inputs

__all__ = ["ForecastGradients"]


class ForecastGradients:
    r"""Adds the gradients of the summed loss of a batch to those of a network.

    With :math:`g = \partial L / \partial r` of the head, all else is matrices:

    .. math:: \partial W_o \mathrel{+}= g^\top h, \quad \partial h = g W_o, \quad
              \partial w \mathrel{+}= g_0^\top [\mathrm{clip}(u), e]

    and the recurrent stack knows its own way (`Passes`).

    Parameters
    ----------
    network : ForecastNetwork
        The network, which holds this: so its class is not imported here.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._look()

    def _look(self) -> None:
        """Look at all parts; what is found here holds until one is replaced."""
        net = self._network
        self._watch, self._layer = Watch(net), LayerPasses(net.layer)
        linear = (net.linear, net.output)
        self._is_plain = (
            all(type(each) is nn.Linear for each in linear)
            and all(type(each) is nn.Embedding for each in net.embeddings)
            and type(net.dropout) is Dropout
        )

    def add(self, batch: Batch, state: Any = None) -> tuple[float, int, Any] | None:
        """Go forward and back.

        Parameters
        ----------
        batch : Batch
            Windows; targets that are NaN are not counted.
        state : optional
            The state carried from the chunk before.

        Returns
        -------
        tuple of (float, int, state), or None
            The summed loss, how many targets were counted, the state after the batch; None where
            only autograd can tell, and then nothing was done.
        """
        net = self._network
        read = self._read(batch.inputs)
        if read is None:
            return None
        hidden, state = self._layer.forward(read, state)
        rows, width = hidden.numel() // hidden.shape[-1], hidden.shape[-1]
        seen, mask = hidden.view(rows, width), None
        if net.dropout.acts:
            mask = draw_mask((rows, width), net.dropout.p, seen)
            seen = seen * mask
        near = torch.cat([net.near(batch.inputs.local), batch.inputs.real], -1).view(rows, -1)
        raw = torch.addmm(net.output.bias[:, None], net.output.weight, seen.t())  # in columns
        raw[0] += torch.addmv(net.linear.bias.expand(rows), near, net.linear.weight[0])
        total, count, slope = self._loss(raw.t(), batch)
        back_through(net.output, seen, slope)
        back_through(net.linear, near, slope[:, :1])
        incoming = slope @ net.output.weight
        if mask is not None:
            incoming *= mask
        found = self._layer.backward(incoming.view(hidden.shape), inputs=self._embeds)
        self._embedded(batch.inputs.codes, found)
        return total, count, state

    @property
    def _embeds(self) -> bool:
        return len(self._network.embeddings) > 0

    def _read(self, inputs: Inputs) -> Tensor | None:
        """What the layer reads, if all that takes part is as it was made."""
        if not self._watch.same():
            self._look()
        if not (self._is_plain and self._watch.plain()):
            return None
        read: Tensor = self._network.joined(inputs)
        return read if self._layer.able(read) else None

    def _loss(self, raw: Tensor, batch: Batch) -> tuple[float, int, Tensor]:
        """The summed loss, what was counted, and the gradient by raw outputs, (rows, size)."""
        target, anchor, scale = (
            each.reshape(-1) for each in (batch.target, batch.anchor, batch.scale)
        )
        counted = ~target.isnan()
        value = torch.where(counted, target, anchor)
        head = self._network.head
        log_probability, slope = head.log_probability_and_slope(raw, value, anchor, scale)
        total = torch.where(counted, log_probability, 0.0).sum()
        return -float(total), int(counted.sum()), torch.where(counted[:, None], -slope, 0.0)

    def _embedded(self, codes: Tensor, incoming: Tensor | None) -> None:
        """Add the gradients of the vectors of categories, which stand last in what was read."""
        if incoming is None:
            return
        tables = [*self._network.embeddings]
        widths = [table.embedding_dim for table in tables]
        parts = incoming[..., -sum(widths) :].split(widths, -1)
        for k, (table, part) in enumerate(zip(tables, parts, strict=True)):
            size, nothing = table.num_embeddings, table.padding_idx
            found = torch.ops.aten.embedding_dense_backward(
                part.contiguous(), codes[..., k].contiguous(), size, nothing, False
            )
            table.weight.grad.add_(found)
