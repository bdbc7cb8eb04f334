"""Pooling forward and back without autograd: outputs are 0 beyond a record's length."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from recurra.kernels.threads import few_threads
from recurra.models.gradients import back_through
from recurra.models.records.pooling import Pooling

__all__ = ["PoolingGradients"]


class PoolingGradients:
    r"""Does what `Pooling` does, once forward and once back.

    With the gradient :math:`g` of what was pooled, attention :math:`a = \mathrm{softmax}_t(s)`,
    :math:`s_t = w^\top k_t`, :math:`k_t = \tanh(W h_t + b)` gives

    .. math:: \partial s_t = a_t \Bigl(h_t^\top g - \sum_u a_u h_u^\top g\Bigr), \quad
              \partial h_t = a_t g + W^\top \bigl(\partial s_t\, w \odot (1 - k_t^2)\bigr)

    Parameters
    ----------
    pooling : Pooling
        The module; the gradients of its weights grow.

    Examples
    --------
    >>> outputs, lengths = torch.tensor([[[1.0], [3.0], [0.0]]]), torch.tensor([2])
    >>> pools = PoolingGradients(Pooling(("last", "mean"), 1))
    >>> pools.forward(outputs, outputs[:, 1:2], lengths)
    tensor([[3., 2.]])
    >>> rooms = torch.empty(1, 3, 1), torch.empty(1, 1, 1)
    >>> pools.backward(pools.incoming(rooms).fill_(1.0), rooms)
    (tensor([[[0.5000], [0.5000], [0.5000]]]), tensor([[[1.]]]))
    """

    def __init__(self, pooling: Pooling) -> None:
        self.pooling, self.runs = pooling, 1 + pooling.bidirectional
        self.takes_last = pooling.ways == ("last",)
        self.outputs = self.lengths = self.state = torch.empty(0)  # of the last pass forward
        self.highest = self.keys = self.shares = self.state  # filled by those that need them

    def __getstate__(self) -> dict[str, Any]:
        """What a forward pass has left is not for a copy to spend."""
        return PoolingGradients(self.pooling).__dict__

    def forward(self, outputs: Tensor, state: Tensor, lengths: Tensor) -> Tensor:
        """Pool.

        Parameters
        ----------
        outputs : Tensor, shape (batch, time, width)
            What the layer says, 0 beyond a record's length.
        state : Tensor, shape (layers·directions, batch, width / directions)
            What it said after each record's last step, whichever way it was read.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        Tensor, shape (batch, ways · width)
            One vector for each record.
        """
        self.outputs, self.state, self.lengths = outputs, state, lengths
        if self.takes_last:
            return self._last()
        with torch.no_grad(), few_threads(outputs.numel()):
            return torch.cat([*map(self._pool, self.pooling.ways)], -1)

    def incoming(self, rooms: tuple[Tensor, Tensor]) -> Tensor:
        """Give room for the gradient of what was pooled, to be filled for `backward`.

        Parameters
        ----------
        rooms : tuple of Tensor
            As for `backward`.

        Returns
        -------
        Tensor, shape (batch, ways · width)
            Of unknown content.
        """
        if self.takes_last and self.runs == 1:
            return rooms[1][0]
        batch, _, width = self.outputs.shape
        return self.outputs.new_empty(batch, len(self.pooling.ways) * width)

    def backward(
        self, incoming: Tensor, rooms: tuple[Tensor, Tensor]
    ) -> tuple[Tensor | None, Tensor | None]:
        """Go back.

        Parameters
        ----------
        incoming : Tensor, shape (batch, ways · width)
            The gradient of what was pooled: what `incoming` gave, filled.
        rooms : tuple of Tensor
            Memory for both that are returned.

        Returns
        -------
        outputs : Tensor or None, shape (batch, time, width)
            The gradient of the outputs, apart from the last: anything on padding.
        last : Tensor or None, shape (directions, batch, width / directions)
            That of the last.
        """
        room, before = rooms
        if self.takes_last:
            return None, before if self.runs == 1 else self._back_to_last(incoming)
        found = last = None
        parts = incoming.split(self.outputs.shape[-1], -1)
        with torch.no_grad(), few_threads(self.outputs.numel()):
            for way, part in zip(self.pooling.ways, parts, strict=True):
                if way == "last":
                    last = self._back_to_last(part)
                    continue
                each = self._back_to_all(way, part)
                found = room.copy_(each) if found is None else found.add_(each)
        return found, last

    def _last(self) -> Tensor:
        if self.runs == 1:
            return self.state[-1]
        return torch.cat(self.state[-self.runs :].unbind(), -1)

    def _back_to_last(self, incoming: Tensor) -> Tensor:
        return incoming[None] if self.runs == 1 else torch.stack(incoming.chunk(self.runs, -1))

    def _pool(self, way: str) -> Tensor:
        match way:
            case "last":
                return self._last()
            case "mean":
                return self.outputs.sum(1) / self._count()
            case "max":
                self.highest = self._real(-torch.inf).amax(1)
                return torch.where((self.lengths > 0)[:, None], self.highest, 0.0)
            case _:
                return self._attend()

    def _back_to_all(self, way: str, incoming: Tensor) -> Tensor:
        match way:
            case "mean":
                return (incoming / self._count())[:, None]
            case "max":
                which = (self._real(-torch.inf) == self.highest[:, None]).to(incoming.dtype)
                return which * (incoming / which.sum(1))[:, None]  # shared by those alike
            case _:
                return self._look_back(incoming)

    def _attend(self) -> Tensor:
        keys, query = self.pooling.keys, self.pooling.query
        self.keys = functional.linear(self.outputs, keys.weight, keys.bias).tanh_()
        scores = (self.keys @ query.weight[0]).masked_fill_(self._padding(), -torch.inf)
        self.shares = torch.softmax(scores, 1).nan_to_num_(0.0)  # a record may have no steps
        return torch.bmm(self.shares[:, None], self.outputs)[:, 0]

    def _look_back(self, incoming: Tensor) -> Tensor:
        keys, query = self.pooling.keys, self.pooling.query
        each = (self.outputs * incoming[:, None]).sum(-1)
        slope = each.sub_(torch.linalg.vecdot(self.shares, each)[:, None]).mul_(self.shares)
        flat, width = slope.reshape(-1, 1), self.keys.shape[-1]
        said = self.keys.view(-1, width)
        back_through(query, said, flat)
        inner = torch.ops.aten.tanh_backward(flat * query.weight, said)
        back_through(keys, self.outputs.reshape(-1, width), inner)
        found = (inner @ keys.weight).view_as(self.outputs)
        return found.addcmul_(self.shares[..., None], incoming[:, None])

    def _count(self) -> Tensor:
        return self.lengths[:, None].clamp(min=1).to(self.outputs.dtype)

    def _padding(self) -> Tensor:
        return torch.arange(self.outputs.shape[1]) >= self.lengths[:, None]

    def _real(self, padding: float) -> Tensor:
        """The outputs, with something else on padding."""
        return self.outputs.masked_fill(self._padding()[..., None], padding)
