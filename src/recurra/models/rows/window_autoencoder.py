"""A recurrent autoencoder: a window of rows through a narrow code, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurra.models.rows.next_step_network import RowBatch

__all__ = ["AutoencoderPlan", "WindowAutoencoder"]


@dataclass(frozen=True)
class AutoencoderPlan:
    """What an autoencoder of windows is made of.

    Parameters
    ----------
    channels : int
        The channels that are told again, the first ones of a row.
    extras : int
        Further channels, which are only read.
    holes : bool
        Whether values may be missing: a flag for each channel is read, too.
    window : int
        Rows of a window.
    layer : str
        The recurrent layer.
    hidden_size, code_size : int
        Of both recurrent layers, and of what stands between them.
    dropout : float
        Probability of dropping a unit of the decoder's output, while training.
    """

    channels: int
    extras: int = 0
    holes: bool = False
    window: int = 32
    layer: str = "lstm"
    hidden_size: int = 16
    code_size: int = 4
    dropout: float = 0.0

    @property
    def width(self) -> int:
        """How many numbers the encoder reads at a step."""
        return self.channels * (1 + self.holes) + self.extras


class WindowAutoencoder(nn.Module):
    r"""Tells a window of rows again, from a code of a few numbers.

    .. math:: c = W_c\,\mathrm{encoder}(x_{t-n+1} … x_t)_t, \qquad
              \hat x = W_d\,\mathrm{decoder}(c, c, …, c)

    What is unlike the windows it learned from is told badly.

    Parameters
    ----------
    plan : AutoencoderPlan
        What it is made of.
    layer : callable
        Makes a recurrent layer.

    References
    ----------
    P. Malhotra et al., LSTM-based encoder-decoder for multi-sensor anomaly detection,
    arXiv:1607.00148.
    """

    def __init__(self, plan: AutoencoderPlan, layer: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.plan = plan
        self.encoder = layer(plan.width, plan.hidden_size, batch_first=True)
        self.code = nn.Linear(plan.hidden_size, plan.code_size)
        self.decoder = layer(plan.code_size, plan.hidden_size, batch_first=True)
        self.dropout = nn.Dropout(plan.dropout)
        self.head = nn.Linear(plan.hidden_size, plan.channels)

    def forward(self, batch: RowBatch) -> Tensor:
        """Tell windows again.

        Parameters
        ----------
        batch : RowBatch
            Windows, one a record; shorter ones end early.

        Returns
        -------
        Tensor, shape (batch, time, channels)
            As the rows of the window.
        """
        parts = [batch.values]
        if self.plan.holes:
            parts.append((~batch.observed[..., : self.plan.channels]).to(batch.values.dtype))
        read, _ = self.encoder(torch.cat(parts, -1), lengths=batch.lengths)
        last = (batch.lengths - 1).clamp(min=0)
        code = self.code(read[torch.arange(len(read)), last])
        steps = code[:, None].expand(-1, batch.values.shape[1], -1).contiguous()
        output, _ = self.decoder(steps, lengths=batch.lengths)
        told: Tensor = self.head(self.dropout(output))
        return told

    def loss(self, batch: RowBatch, state: None = None) -> tuple[Tensor, Tensor, None]:  # noqa: ARG002
        """Add up the absolute errors, squared near 0, of all values that are there.

        Parameters
        ----------
        batch : RowBatch
            Windows.
        state : None
            There is none between windows.

        Returns
        -------
        total : Tensor
            The sum.
        count : Tensor
            How many values were counted.
        state : None
            None.
        """
        there = batch.observed[..., : self.plan.channels]
        values = batch.values[..., : self.plan.channels]
        each = nn.functional.smooth_l1_loss(self(batch), values, reduction="none")
        return each[there].sum(), there.sum(), None
