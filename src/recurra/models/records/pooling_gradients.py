"""Pooling forward and back without autograd: outputs are 0 beyond a record's length."""

from __future__ import annotations

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
    outputs : Tensor, shape (batch, time, width)
        What the layer says, 0 beyond a record's length.
    state : Tensor, shape (layers·directions, batch, width / directions)
        What it said after each record's last step, whichever way it was read.
    lengths : Tensor of int64, shape (batch,)
        Real steps of each record.

    Examples
    --------
    >>> outputs, lengths = torch.tensor([[[1.0], [3.0], [0.0]]]), torch.tensor([2])
    >>> pools = PoolingGradients(Pooling(("last", "mean"), 1), outputs, outputs[:, 1:2], lengths)
    >>> pools.forward()
    tensor([[3., 2.]])
    >>> pools.backward(torch.ones(1, 2), torch.empty(1, 3, 1))
    (tensor([[[0.5000], [0.5000], [0.5000]]]), tensor([[[1.]]]))
    """

    def __init__(self, pooling: Pooling, outputs: Tensor, state: Tensor, lengths: Tensor) -> None:
        self.pooling, self.outputs, self.lengths = pooling, outputs, lengths
        self.runs = 1 + pooling.bidirectional
        self.last = state[-self.runs :]
        self.highest = self.keys = self.shares = self.last  # filled by those that need them

    def forward(self) -> Tensor:
        """Pool.

        Returns
        -------
        Tensor, shape (batch, ways · width)
            One vector for each record.
        """
        if self.pooling.ways == ("last",):
            return self._last()
        with few_threads(self.outputs.numel()):
            return torch.cat([*map(self._pool, self.pooling.ways)], -1)

    def backward(self, incoming: Tensor, room: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Go back.

        Parameters
        ----------
        incoming : Tensor, shape (batch, ways · width)
            The gradient of what was pooled.
        room : Tensor, shape (batch, time, width)
            Memory for the gradient of the outputs.

        Returns
        -------
        outputs : Tensor or None, shape (batch, time, width)
            The gradient of the outputs, apart from the last: anything on padding.
        last : Tensor or None, shape (directions, batch, width / directions)
            That of the last.
        """
        if self.pooling.ways == ("last",):
            return None, self._back_to_last(incoming)
        found = last = None
        parts = incoming.split(self.outputs.shape[-1], -1)
        with few_threads(self.outputs.numel()):
            for way, part in zip(self.pooling.ways, parts, strict=True):
                if way == "last":
                    last = self._back_to_last(part)
                    continue
                each = self._back_to_all(way, part)
                found = room.copy_(each) if found is None else found.add_(each)
        return found, last

    def _last(self) -> Tensor:
        return self.last[0] if self.runs == 1 else torch.cat(self.last.unbind(), -1)

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
