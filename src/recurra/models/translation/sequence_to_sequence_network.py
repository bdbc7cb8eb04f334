"""A network from one sequence to another: an encoder, attention, a decoder of symbols."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from recurra.errors import OptionError, near
from recurra.layers import LSTM
from recurra.layers.attention import AdditiveAttention, Attention, DotAttention, Memory
from recurra.models.records.encoders import (
    Encoded,
    Encoder,
    FrameEncoder,
    SignalEncoder,
    TokenEncoder,
    ValueEncoder,
)
from recurra.models.records.network_plan import Input
from recurra.models.records.pooling import Pooling
from recurra.models.records.records import RecordBatch, StreamBatch
from recurra.models.translation.attentive_decoder import AttentiveDecoder, DecoderState

__all__ = ["ATTENTIONS", "Answering", "SequenceToSequenceNetwork", "SequenceToSequencePlan"]

ATTENTIONS = ("additive", "dot")
RISE = 1000  # batches in which the share of the network's own symbols rises


@dataclass(frozen=True)
class SequenceToSequencePlan:
    """What a network from one sequence to another is made of.

    Parameters
    ----------
    source : Input
        What is read.
    symbols : int
        How many symbols answers are made of. One more stands for their beginning and end.
    hidden_size, num_layers : int
        Of the encoder, in each direction, and of the decoder.
    bidirectional : bool
        Whether the encoder also reads backwards.
    attention : {"additive", "dot"}
        How steps of the source are scored.
    input_feeding : bool
        Whether the decoder reads what it said the step before, besides its symbol.
    dropout : float
        Probability of dropping, while training, a unit of what the encoder reads, between layers,
        and before a symbol is said.
    label_smoothing : float
        Share of the target that is spread over all symbols (Szegedy et al., arXiv:1512.00567).
    scheduled_sampling : float
        Share of the network's own symbols among those read while training.
    """

    source: Input
    symbols: int
    hidden_size: int = 128
    num_layers: int = 1
    bidirectional: bool = True
    attention: Literal["additive", "dot"] = "additive"
    input_feeding: bool = True
    dropout: float = 0.0
    label_smoothing: float = 0.0
    scheduled_sampling: float = 0.0


class Answering(NamedTuple):
    """Where the answers to some sources stand: `SequenceToSequenceNetwork.begin` and `say`.

    Parameters
    ----------
    memory : Memory
        The encoded sources, which do not change.
    decoder : DecoderState
        What the decoder carries on.
    """

    memory: Memory
    decoder: DecoderState

    def take(self, rows: Tensor) -> Answering:
        """Pick answers.

        Parameters
        ----------
        rows : Tensor of int64, shape (rows,)
            Their places in the batch; one may come several times.

        Returns
        -------
        Answering
            Of those.
        """
        return Answering(self.memory.take(rows), self.decoder.take(rows))


class SequenceToSequenceNetwork(nn.Module):
    r"""Reads a sequence and says another, symbol by symbol.

    .. math:: e = \mathrm{RNN}_{↔}(\mathrm{encode}(x)), \quad
              a_u = \mathrm{decode}(E[y_{u-1}], e, a_{u-1}), \quad
              p(y_u \mid y_{<u}, x) = \mathrm{softmax}(W a_u + b)

    The code ``plan.symbols`` begins and ends every answer. Sutskever et al. (arXiv:1409.3215), with
    the attention of Bahdanau et al. (arXiv:1409.0473) or Luong et al. (arXiv:1508.04025).

    Parameters
    ----------
    plan : SequenceToSequencePlan
        What it is made of.
    layer : callable
        Makes a recurrent layer; takes the arguments of `recurra.layers.GRU`.
    """

    seen: Tensor

    def __init__(self, plan: SequenceToSequencePlan, layer: Callable[..., nn.Module]) -> None:
        super().__init__()
        hidden = plan.hidden_size
        out = hidden * (1 + plan.bidirectional)
        self.plan, self.boundary = plan, plan.symbols
        self.encoder = _encoder(plan.source, hidden)
        between = plan.dropout if plan.num_layers > 1 else 0.0
        self.reader = layer(
            self.encoder.width,
            hidden,
            num_layers=plan.num_layers,
            bidirectional=plan.bidirectional,
            batch_first=True,
            dropout=between,
        )
        self.pooling = Pooling(("last",), out, plan.bidirectional)
        self.parts = 2 if layer is LSTM else 1
        self.bridge = nn.Linear(out, self.parts * plan.num_layers * hidden)
        self.symbols = nn.Embedding(plan.symbols + 1, hidden)
        self.decoder = AttentiveDecoder(
            layer,
            hidden,
            hidden,
            _attention(plan, out),
            num_layers=plan.num_layers,
            input_feeding=plan.input_feeding,
            dropout=plan.dropout,
        )
        self.dropout = nn.Dropout(plan.dropout)
        self.head = nn.Linear(hidden, plan.symbols + 1)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def begin(self, source: StreamBatch) -> Answering:
        """Read sources, to the end, before the first symbol is said.

        Parameters
        ----------
        source : StreamBatch
            The sources.

        Returns
        -------
        Answering
            Where the answers stand.
        """
        return self.begin_read(self.encoder(source))

    def begin_read(self, source: Encoded) -> Answering:
        """Read sources that were encoded already, to the end.

        Parameters
        ----------
        source : Encoded
            What ``encoder`` makes of the sources.

        Returns
        -------
        Answering
            Where the answers stand.
        """
        read, lengths = source
        outputs, _ = self.reader(self.dropout(read), lengths=lengths)
        memory = self.decoder.attention.remember(outputs, lengths)
        summary = torch.tanh(self.bridge(self.pooling(outputs, lengths)))
        count, layers = len(lengths), self.plan.num_layers
        parts = summary.view(count, self.parts, layers, -1).permute(1, 2, 0, 3).contiguous()
        hidden = parts[0] if self.parts == 1 else tuple(parts.unbind(0))
        return Answering(memory, self.decoder.initial_state(count, hidden))

    def say(self, symbols: Tensor, state: Answering) -> tuple[Tensor, Tensor, Answering]:
        """Say how probable each symbol is to come next; constant time in the answer.

        Parameters
        ----------
        symbols : Tensor of int64, shape (batch,)
            The symbols before; ``boundary`` where nothing was said yet.
        state : Answering
            Where the answers stand.

        Returns
        -------
        log_probabilities : Tensor, shape (batch, symbols + 1)
            Of each symbol; the last is the end.
        weights : Tensor, shape (batch, time)
            What of the sources was attended to.
        state : Answering
            Where the answers stand now.
        """
        said, weights, decoder = self.decoder.step(
            self.symbols(symbols), state.memory, state.decoder
        )
        return self.head(said).log_softmax(-1), weights, Answering(state.memory, decoder)

    def forward(self, source: StreamBatch, answers: Tensor) -> tuple[Tensor, Tensor]:
        """Say, for given answers, how probable each symbol was after those before it.

        Parameters
        ----------
        source : StreamBatch
            The sources.
        answers : Tensor of int64, shape (batch, symbols)
            The answers; anything below 0 is padding.

        Returns
        -------
        logits : Tensor, shape (batch, symbols + 1, codes)
            Before each symbol, and after the last.
        weights : Tensor, shape (batch, symbols + 1, time)
            What of the sources was attended to.
        """
        return self.answer(self.begin(source), answers)

    def answer(self, state: Answering, answers: Tensor) -> tuple[Tensor, Tensor]:
        """Say the same of sources that were read already.

        Parameters
        ----------
        state : Answering
            Before the first symbol.
        answers : Tensor of int64, shape (batch, symbols)
            As for `forward`.

        Returns
        -------
        logits, weights : Tensor
            As `forward` gives them.
        """
        before = functional.pad(answers, (1, 0), value=self.boundary)
        before = torch.where(before < 0, self.boundary, before)
        if self.training and self.plan.scheduled_sampling:
            before = self._mixed(before, state)
        said, weights, _ = self.decoder(self.symbols(before), state.memory, state.decoder)
        return self.head(self.dropout(said)), weights

    def loss(
        self,
        batch: RecordBatch,
        state: None = None,  # noqa: ARG002 - the loop hands one to every model
    ) -> tuple[Tensor, Tensor, None]:
        """Add up the cross-entropy of all symbols of the answers, their ends included.

        Parameters
        ----------
        batch : RecordBatch
            Some records, with one target of level ``"labels"``.
        state : None
            There is none between batches.

        Returns
        -------
        total : Tensor
            The sum; padding has no part in it.
        count : Tensor
            How many symbols, with ends.
        state : None
            None.
        """
        (source,), (target,) = batch.streams.values(), batch.targets.values()
        answers = target[..., 0]
        logits, _ = self(source, answers)
        real, wanted = ended(answers, self.boundary)
        smoothing = self.plan.label_smoothing if self.training else 0.0
        each = functional.cross_entropy(
            logits[real], wanted[real], reduction="none", label_smoothing=smoothing
        )
        if batch.weights is not None:
            weights = batch.weights[:, None].expand_as(wanted)
            each = each * weights[real].to(each.dtype)
        if self.training:
            self.seen += 1
        return each.sum(), real.sum(), None

    @torch.no_grad()
    def log_probability(self, source: StreamBatch, answers: Tensor) -> Tensor:
        """Say how probable whole answers are, ends included.

        Parameters
        ----------
        source : StreamBatch
            The sources.
        answers : Tensor of int64, shape (batch, symbols)
            The answers; -1 is padding.

        Returns
        -------
        Tensor of float64, shape (batch,)
            The logarithm.
        """
        logits, _ = self(source, answers)
        real, wanted = ended(answers, self.boundary)
        return torch.where(real, said_of(logits, wanted), 0.0).sum(1)

    def _mixed(self, before: Tensor, state: Answering) -> Tensor:
        """Put the network's own symbols in the place of some.

        What it says after the right symbols is found first, in one pass over all steps (Duckworth
        et al. 2019, arXiv:1906.04331).
        """
        share = self.plan.scheduled_sampling * min(int(self.seen) / RISE, 1.0)
        with torch.no_grad():
            said, _, _ = self.decoder(self.symbols(before), state.memory, state.decoder)
            own = self.head(said[:, :-1]).argmax(-1)
        own = functional.pad(own, (1, 0), value=self.boundary)
        return torch.where(torch.rand(before.shape) < share, own, before)


def ended(answers: Tensor, boundary: int) -> tuple[Tensor, Tensor]:
    """Put the end after each answer.

    Parameters
    ----------
    answers : Tensor of int64, shape (batch, symbols)
        Below 0 is padding, on the right.
    boundary : int
        The code of the end.

    Returns
    -------
    real : Tensor of bool, shape (batch, symbols + 1)
        Where there is a symbol, or the end.
    wanted : Tensor of int64, shape (batch, symbols + 1)
        The symbols; the end from there on.

    Examples
    --------
    >>> ended(torch.tensor([[4, 2], [1, -1]]), 9)[1]
    tensor([[4, 2, 9],
            [1, 9, 9]])
    """
    wanted = functional.pad(answers, (0, 1), value=-1)
    lengths = (answers >= 0).sum(1)
    real = torch.arange(wanted.shape[1]) <= lengths[:, None]
    return real, torch.where(wanted < 0, boundary, wanted)


def said_of(logits: Tensor, wanted: Tensor) -> Tensor:
    """Say how probable symbols are.

    Parameters
    ----------
    logits : Tensor, shape (batch, symbols, codes)
        What a network says.
    wanted : Tensor of int64, shape (batch, symbols)
        The symbols.

    Returns
    -------
    Tensor of float64, shape (batch, symbols)
        The logarithms of their probabilities.
    """
    return logits.double().log_softmax(-1).gather(-1, wanted[..., None])[..., 0]


def _attention(plan: SequenceToSequencePlan, width: int) -> Attention:
    """Make the attention."""
    match plan.attention:
        case "additive":
            return AdditiveAttention(plan.hidden_size, width)
        case "dot":
            return DotAttention(plan.hidden_size, width)
    raise OptionError(
        f"There is no attention {plan.attention!r}. {near(plan.attention, ATTENTIONS)}"
    )


def _encoder(source: Input, hidden: int) -> Encoder:
    """Make the encoder of the source; an unknown token is read as zeros."""
    match source.kind:
        case "values":
            return ValueEncoder(source.channels, source.cardinalities, source.width)
        case "tokens":
            encoder = TokenEncoder(source.cardinalities[0], source.width or hidden)
            nn.init.zeros_(encoder.table.weight[0])
            return encoder
        case "signal":
            return SignalEncoder(len(source.channels), source.width or hidden)
        case "frames":
            return FrameEncoder(len(source.channels), source.width or hidden)
    raise OptionError(f"A stream of {source.kind!r} cannot be answered with a sequence.")
