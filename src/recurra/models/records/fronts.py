"""What may stand between an encoder and its recurrent layer: causal convolutions.

A front keeps the contract of the encoders: padding, whatever it holds, changes nothing; at
evaluation no record reads another; and going step by step gives what the whole pass gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from recurra.errors import OptionError
from recurra.models.records.encoders import Encoded

__all__ = ["KERNELS", "ConvolutionFront", "FrontState", "StepNorm"]

KERNELS = (8, 5, 3)


class FrontState(NamedTuple):
    """What a front remembers between two steps.

    Attributes
    ----------
    rows : tuple of Tensor, each of shape (batch, kernel − 1, width)
        The last inputs of each convolution, zero before the first.
    read : int
        How many steps were read.
    """

    rows: tuple[Tensor, ...]
    read: int


class StepNorm(nn.BatchNorm1d):
    r"""Batch normalisation over the real steps of all records.

    .. math:: y = γ \frac{x - μ}{\sqrt{σ^2 + ε}} + β

    While training, mean and variance are those of the real steps of the batch; at evaluation, their
    averages over the batches so far, the last ones counting most, so that no record reads another.
    After Ioffe & Szegedy 2015
    (arXiv:1502.03167).

    Parameters
    ----------
    width : int
        Channels.

    Examples
    --------
    >>> norm = StepNorm(1)
    >>> norm(torch.tensor([[[1.0], [3.0], [99.0]]]), torch.tensor([2])).detach().round(decimals=2)
    tensor([[[-1.],
             [ 1.],
             [ 0.]]])
    """

    def __init__(self, width: int) -> None:
        super().__init__(width)

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        """Normalise.

        Parameters
        ----------
        values : Tensor, shape (batch, time, width)
            Anything on padding.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        Tensor, shape (batch, time, width)
            Zero on padding.
        """
        valid = torch.arange(values.shape[1]) < lengths[:, None]
        if valid.all():
            return self._rows(values.flatten(0, 1)).view_as(values)
        places = valid.flatten().nonzero()[:, 0]
        rows = self._rows(values.flatten(0, 1).index_select(0, places))
        whole = rows.new_zeros(valid.numel(), values.shape[-1]).index_copy(0, places, rows)
        return whole.view_as(values)

    def _rows(self, rows: Tensor) -> Tensor:
        """Normalise real steps, shape (steps, width); a single one says nothing of the spread."""
        training, momentum = self.training and len(rows) > 1, self.momentum or 0.0
        if training and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
            momentum = max(momentum, 1 / int(self.num_batches_tracked))  # at first, a plain mean
        return functional.batch_norm(
            rows,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training,
            momentum,
            self.eps,
        )


class ConvolutionFront(nn.Module):
    r"""Causal convolutions, each with batch normalisation and a rectifier.

    .. math:: y_t = \max\Bigl(0, \mathrm{norm}\bigl(\textstyle\sum_{k=0}^{K-1} W_k x_{t-k}\bigr)
              \Bigr)

    A step sees itself and those before it. This is the FCN of Wang et al. 2017 (arXiv:1611.06455),
    padded on the left alone. With a stride of s, the first convolution gives a step for the input
    steps 0, s, 2s, …: n steps become n / s, rounded up.

    Parameters
    ----------
    inputs : int
        Width of what it reads.
    widths : sequence of int
        Channels of each convolution.
    kernels : sequence of int
        How many steps each of them sees.
    stride : int
        Input steps to a step of the output.

    Examples
    --------
    >>> front = ConvolutionFront(2, (8, 16, 8)).eval()
    >>> x = torch.randn(1, 5, 2)
    >>> whole = front(Encoded(x, torch.tensor([5]))).values
    >>> state = None
    >>> for t in range(5):
    ...     last, state = front.step(x[:, t], state)
    >>> torch.allclose(last, whole[:, -1], atol=1e-6)
    True
    """

    def __init__(
        self,
        inputs: int,
        widths: Sequence[int] = (64, 128, 64),
        kernels: Sequence[int] = KERNELS,
        stride: int = 1,
    ) -> None:
        super().__init__()
        if not widths or len(widths) != len(kernels) or min(*widths, *kernels, stride) < 1:
            raise OptionError(
                f"widths={tuple(widths)!r}, kernels={tuple(kernels)!r}, stride={stride!r}, but "
                "there is one kernel for each width, and all are 1 or more."
            )
        self.stride, self.width = stride, widths[-1]
        sizes = [inputs, *widths]
        self.weights = nn.ParameterList(
            torch.empty(sizes[k + 1], sizes[k], kernel) for k, kernel in enumerate(kernels)
        )
        for weight in self.weights:
            nn.init.kaiming_uniform_(weight, nonlinearity="relu")
        self.norms = nn.ModuleList(StepNorm(width) for width in widths)

    def forward(self, encoded: Encoded) -> Encoded:
        """Read all steps.

        Parameters
        ----------
        encoded : Encoded
            What an encoder gave; anything on padding.

        Returns
        -------
        Encoded
            Zero on padding.
        """
        values, lengths = encoded
        if not values.shape[1]:
            return Encoded(values.new_zeros(len(values), 0, self.width), lengths)
        valid = torch.arange(values.shape[1]) < lengths[:, None]
        values = torch.where(valid[..., None], values, 0.0)
        for place, (weight, norm) in enumerate(zip(self.weights, self.norms, strict=True)):
            stride = self.stride if place == 0 else 1
            lengths = torch.div(lengths + stride - 1, stride, rounding_mode="floor")
            values = functional.pad(values, (0, 0, weight.shape[2] - 1, 0))
            values = torch.relu(norm(_convolved(values, weight, stride), lengths))
        return Encoded(values, lengths)

    def step(
        self, row: Tensor, state: FrontState | None = None
    ) -> tuple[Tensor | None, FrontState]:
        """Read one step more.

        Parameters
        ----------
        row : Tensor, shape (batch, inputs)
            The step.
        state : FrontState, optional
            What was read before; None for nothing.

        Returns
        -------
        output : Tensor, shape (batch, width), or None
            The step that this one completes; None between the steps of a stride.
        state : FrontState
            To go on with.
        """
        if state is None:
            state = FrontState(tuple(self._before(row)), 0)
        due, rows, now = state.read % self.stride == 0, [], row
        for place, (weight, norm) in enumerate(zip(self.weights, self.norms, strict=True)):
            if place and not due:
                rows.append(state.rows[place])
                continue
            seen = torch.cat([state.rows[place], now[:, None]], 1)
            rows.append(seen[:, 1:])
            if due:
                whole = norm(_convolved(seen, weight, 1), torch.ones(len(row), dtype=torch.int64))
                now = torch.relu(whole)[:, 0]
        return now if due else None, FrontState(tuple(rows), state.read + 1)

    def _before(self, row: Tensor) -> list[Tensor]:
        """Zeros, where there was nothing yet."""
        return [
            row.new_zeros(len(row), weight.shape[2] - 1, weight.shape[1]) for weight in self.weights
        ]


def _convolved(values: Tensor, weight: Tensor, stride: int) -> Tensor:
    """Convolve along time; channels stay last, where the kernels are fastest."""
    image = values[:, None].permute(0, 3, 1, 2)
    kernel = weight[:, :, None].contiguous(memory_format=torch.channels_last)
    return functional.conv2d(image, kernel, stride=(1, stride)).permute(0, 2, 3, 1)[:, 0]
