"""A network that writes symbols while it listens: convolution, recurrent layers, CTC."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from recurra.models.records.records import RecordBatch
from recurra.models.speech.distortion import Distortion

__all__ = ["Listening", "TranscriptionNetwork", "TranscriptionPlan"]


@dataclass(frozen=True)
class TranscriptionPlan:
    """What a network that transcribes is made of.

    Parameters
    ----------
    stream : str
        The stream that is read.
    inputs : int
        How many channels it has.
    symbols : int
        How many symbols there are; the blank comes before them, as symbol 0.
    hidden_size, num_layers : int
        Of the recurrent layers.
    bidirectional : bool
        Whether they also read backwards.
    width : int
        How many features the convolution makes.
    stride : int
        How many steps make a frame.
    before, ahead : int
        How many steps before and after its own a frame sees, too; in streaming it waits for the
        latter.
    dropout : float
        Probability of dropping a value before, between and after the recurrent layers in training.
    augment : bool
        Whether what is read is distorted in training.
    """

    stream: str
    inputs: int
    symbols: int
    hidden_size: int = 128
    num_layers: int = 2
    bidirectional: bool = False
    width: int = 128
    stride: int = 2
    before: int = 3
    ahead: int = 3
    dropout: float = 0.2
    augment: bool = True

    @property
    def kernel(self) -> int:
        """How many steps a frame sees."""
        return self.before + self.stride + self.ahead


class Listening(NamedTuple):
    """What a network has heard so far.

    Attributes
    ----------
    steps : Tensor, shape (batch, fewer than kernel, inputs)
        The last steps, which the next frame sees too.
    state : Tensor or tuple of Tensor, optional
        The state of the recurrent layers; None before the first frame.
    """

    steps: Tensor
    state: Any = None


class TranscriptionNetwork(nn.Module):
    r"""Reads steps, and says at each frame which symbol is heard, if any.

    .. math:: u_k = \mathrm{relu}(\mathrm{norm}(\mathrm{conv}(x)_k)), \quad
              h_k = \mathrm{RNN}(u)_k, \quad \log p_k = \mathrm{logsoftmax}(W h_k + b)

    Frame ``k`` sees the steps up to ``(k + 1) · stride - 1 + ahead`` and nothing later; before the
    first step and after the last there is silence. Where layers read forwards only, what lies ahead
    tells them which symbol begins before they have to say it (Amodei et al. 2016,
    arXiv:1512.02595).

    The loss is that of connectionist temporal classification (Graves et al. 2006): minus the
    logarithm of the probability of all ways to write the transcript, with blanks between.

    Parameters
    ----------
    plan : TranscriptionPlan
        What it is made of.
    layer : callable
        Makes a recurrent layer, as for `SequenceNetwork`.
    """

    def __init__(self, plan: TranscriptionPlan, layer: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.plan = plan
        self.distortion = Distortion()
        self.convolution = nn.Conv1d(plan.inputs, plan.width, plan.kernel, plan.stride)
        self.layers = layer(
            plan.width,
            plan.hidden_size,
            num_layers=plan.num_layers,
            bidirectional=plan.bidirectional,
            batch_first=True,
            dropout=plan.dropout if plan.num_layers > 1 else 0.0,
        )
        self.norm = nn.LayerNorm(plan.width)
        self.dropout = nn.Dropout(plan.dropout)
        self.head = nn.Linear(plan.hidden_size * (1 + plan.bidirectional), plan.symbols + 1)

    def forward(self, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Say how probable each symbol is at each frame.

        Parameters
        ----------
        values : Tensor, shape (batch, time, inputs)
            What was heard.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        Tensor, shape (batch, frames, 1 + symbols)
            The logarithms of the probabilities.
        Tensor of int64, shape (batch,)
            Real frames of each record.
        """
        plan = self.plan
        if self.training and plan.augment:
            values, lengths = self.distortion(values, lengths)
        frames = torch.div(lengths, plan.stride, rounding_mode="floor")
        valid = torch.arange(values.shape[1]) < lengths[:, None]
        heard = torch.where(valid[..., None], values, 0.0)
        heard = functional.pad(heard, (0, 0, plan.before, plan.ahead))
        most = int(frames.max())
        if not most:
            return values.new_zeros(len(values), 0, plan.symbols + 1), frames
        outputs, _ = self.layers(self._frames(heard)[:, :most], lengths=frames)
        return functional.log_softmax(self.head(self.dropout(outputs)), -1), frames

    def loss(
        self,
        batch: RecordBatch,
        state: None = None,  # noqa: ARG002 - the loop hands one to every model
    ) -> tuple[Tensor, Tensor, None]:
        """Add up the loss of the transcripts; one that no path leads to counts nothing.

        Parameters
        ----------
        batch : RecordBatch
            Some records, with a target of labels.
        state : None
            There is none between batches.

        Returns
        -------
        total : Tensor
            The sum.
        count : Tensor
            How many symbols there are, an empty transcript being one.
        state : None
            None.
        """
        stream = batch.streams[self.plan.stream]
        told, frames = self(stream.values, stream.lengths)
        (target,) = batch.targets.values()
        symbols = target[..., 0] + 1
        counts = (symbols > 0).sum(1)
        each = functional.ctc_loss(
            told.transpose(0, 1), symbols, frames, counts, reduction="none", zero_infinity=True
        )
        if batch.weights is not None:
            each = each * batch.weights.to(each.dtype)
        return each.sum(), counts.clamp(min=1).sum(), None

    def begin(self) -> Listening:
        """Say what is heard before the first step: silence.

        Returns
        -------
        Listening
            Of one record.
        """
        return Listening(torch.zeros(1, self.plan.before, self.plan.inputs))

    def step(self, values: Tensor, heard: Listening) -> tuple[Tensor, Listening]:
        """Read some more steps of one record.

        Parameters
        ----------
        values : Tensor, shape (1, any time, inputs)
            The steps that came.
        heard : Listening
            What was heard before.

        Returns
        -------
        Tensor, shape (1, whole frames, 1 + symbols)
            The logarithms of the probabilities of each frame that is whole by now.
        Listening
            What has been heard now.
        """
        plan = self.plan
        steps = torch.cat([heard.steps, values], 1)
        count = max((steps.shape[1] - plan.kernel) // plan.stride + 1, 0)
        if not count:
            return values.new_zeros(1, 0, plan.symbols + 1), heard._replace(steps=steps)
        outputs, state = self.layers(self._frames(steps), heard.state)
        told = functional.log_softmax(self.head(outputs), -1)
        return told, Listening(steps[:, count * plan.stride :], state)

    def _frames(self, steps: Tensor) -> Tensor:
        """Convolve, shape (batch, frames, width)."""
        heard = self.convolution(steps.transpose(1, 2)).transpose(1, 2)
        return self.dropout(torch.relu(self.norm(heard)))
