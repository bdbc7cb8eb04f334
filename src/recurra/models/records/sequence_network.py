"""A network for whole records: encoders, recurrent layers, pooling, a head for each target."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from recurra.errors import OptionError, ShapeError
from recurra.layers import GRUD
from recurra.models.records.bags import hide_tokens
from recurra.models.records.encoders import Encoded, Encoder
from recurra.models.records.fronts import ConvolutionFront, StepNorm
from recurra.models.records.joining import Join
from recurra.models.records.network_parts import (
    in_bag,
    make_bags,
    make_encoder,
    make_fronts,
    make_head,
    make_layer,
    make_shortcuts,
    suited,
)
from recurra.models.records.network_plan import JOINS, NetworkPlan
from recurra.models.records.pooling import Pooling, last_step
from recurra.models.records.records import RecordBatch, StreamBatch
from recurra.models.records.sequence_gradients import SequenceGradients

__all__ = ["Inputs", "SequenceNetwork"]

SKIPPED = ("mean", "max")


class Inputs(NamedTuple):
    """What the layers of a network read of some records.

    Attributes
    ----------
    streams : dict of str to Encoded
        Every stream, encoded.
    aside : Tensor, shape (batch, width), optional
        The static covariates.
    counts : sequence of Tensor, each of shape (batch, outputs)
        What the tokens of each stream count, where they are counted.
    """

    streams: Mapping[str, Encoded]
    aside: Tensor | None
    counts: Sequence[Tensor]


class SequenceNetwork(nn.Module):
    r"""Reads records with one or more streams and answers for the record or for each step.

    .. math:: u^{(s)} = \mathrm{front}_s(\mathrm{encode}_s(x^{(s)})), \quad
              h^{(s)}_t = \mathrm{RNN}_s(u^{(s)})_t, \quad
              v = [\mathrm{pool}(h^{(1)}), …, \mathrm{pool}(h^{(k)}), \mathrm{static}], \quad
              \hat y = W v + b

    Where the plan has ``bag``, what a `Bag` counts in each stream of tokens is added to the answer.
    Where the plan has ``skip``, :math:`v` also holds the mean and the largest value of each
    :math:`u^{(s)}`, and is normalised. A front that stands beside its layer does not stand before
    it: the layer reads the encoder. Static covariates are also read at every step. With
    ``join="gated"`` the streams, which must be on one clock, are added up:
    :math:`\sum_s \sigma(G_s x^{(s)}_t) ⊙ V_s x^{(s)}_t` (after Arevalo et al. 2017,
    arXiv:1702.01992).

    Parameters
    ----------
    plan : NetworkPlan
        What it is made of.
    layer : callable
        Makes a recurrent layer: ``layer(input_size, hidden_size, num_layers=…, bidirectional=…,
        batch_first=True, recurrent_dropout=…)``.
    encoders : dict of str to Encoder, optional
        By stream: encoders that take the place of the usual ones.
    """

    def __init__(
        self,
        plan: NetworkPlan,
        layer: Callable[..., nn.Module],
        encoders: Mapping[str, Encoder] | None = None,
    ) -> None:
        super().__init__()
        if plan.join not in JOINS:
            raise OptionError(f"join={plan.join!r}, but it is one of {JOINS}.")
        self.plan = plan
        aside = self._make_encoders(layer, encoders or {})
        found = self._make_layers(layer, aside)
        self._make_answers(found, aside)
        self._gradients: SequenceGradients | None = None

    def _make_encoders(self, layer: Callable[..., nn.Module], own: Mapping[str, Encoder]) -> int:
        """Make what reads each stream by itself; return how wide the static covariates are."""
        plan = self.plan
        made = [
            own.get(name) or make_encoder(each, plan, layer) for name, each in plan.inputs.items()
        ]
        self.encoders = nn.ModuleList(made)
        self.static = None if plan.static is None else make_encoder(plan.static, plan, layer)
        self.reads, widths = tuple(plan.inputs), [encoder.width for encoder in made]
        self.join = None
        if plan.join != "late":
            self.join = Join(widths, plan.join)
            self.reads, widths = ("all",), [self.join.width]
        self.widths = tuple(widths)
        return 0 if self.static is None else self.static.width

    def _make_layers(self, layer: Callable[..., nn.Module], aside: int) -> list[int]:
        """Make fronts and recurrent layers; return how wide what each front finds is."""
        plan = self.plan
        fronts = make_fronts(plan, dict(zip(self.reads, self.widths, strict=True)))
        self.fronts = nn.ModuleList(fronts)
        found = [
            front.width if isinstance(front, ConvolutionFront) else width
            for front, width in zip(fronts, self.widths, strict=True)
        ]
        self.beside = tuple(n in plan.fronts and plan.fronts[n].beside for n in self.reads)
        fed = zip(self.reads, self.beside, self.widths, found, strict=True)
        self.layers = nn.ModuleList(
            make_layer(suited(layer, plan, name), (width if beside else front) + aside, plan)
            for name, beside, width, front in fed
        )
        return found

    def _make_answers(self, found: list[int], aside: int) -> None:
        """Make what pools the steps, and what answers."""
        plan = self.plan
        out = plan.hidden_size * (1 + plan.bidirectional)
        pools = [Pooling(plan.pooling, out, plan.bidirectional) for _ in self.widths]
        self.pools = nn.ModuleList(pools)
        self.dropout = nn.Dropout(plan.dropout)
        self.skipping = tuple(plan.skip or beside for beside in self.beside)
        skips = [
            Pooling(SKIPPED, width) for width, s in zip(found, self.skipping, strict=True) if s
        ]
        self.skips = nn.ModuleList(skips)
        whole = sum(pool.width for pool in (*pools, *skips)) + aside
        self.norm = StepNorm(whole) if skips else None
        self.heads = nn.ModuleList(
            make_head(answer, whole if answer.level == "record" else out)
            for answer in plan.answers.values()
        )
        self.shortcuts = make_shortcuts(plan, sum(self.widths))
        bags = make_bags(plan)
        self.bags, self.counted = nn.ModuleList(bags.values()), tuple(bags)

    def forward(self, batch: RecordBatch) -> dict[str, Tensor]:
        """Answer.

        Parameters
        ----------
        batch : RecordBatch
            Some records.

        Returns
        -------
        dict of str to Tensor
            By target, shape (batch, outputs) or (batch, time, outputs), with a last axis of classes
            for labels: numbers as they are, or the logits of the classes.
        """
        if self.training and self.plan.token_dropout:
            batch = self._with_tokens_hidden(batch)
        return self.read(self.encoded(batch), batch)

    def encoded(self, batch: RecordBatch) -> Inputs:
        """Encode every stream by itself.

        Parameters
        ----------
        batch : RecordBatch
            Some records.

        Returns
        -------
        Inputs
            For `read`.
        """
        aside = None if self.static is None else self.static(batch.static).values[:, 0]
        streams = zip(self.plan.inputs, self.encoders, strict=True)
        counted = [batch.streams[name] for name in self.counted]
        return Inputs(
            {name: encoder(batch.streams[name]) for name, encoder in streams},
            aside,
            [bag(s.values, s.lengths) for bag, s in zip(self.bags, counted, strict=True)],
        )

    def read(self, inputs: Inputs, batch: RecordBatch) -> dict[str, Tensor]:
        """Answer by what is encoded.

        Parameters
        ----------
        inputs : Inputs
            What `encoded` gave, or changed.
        batch : RecordBatch
            The same records: their times, and what is observed, for layers that read that.

        Returns
        -------
        dict of str to Tensor
            As `forward`.
        """
        joined, aside = self._joined_streams(inputs.streams, batch), inputs.aside
        fronted = self._fronted(joined)
        steps = self._steps(batch, self._fed(joined, fronted), aside)
        parts = [pool(*each) for pool, each in zip(self.pools, steps.values(), strict=True)]
        skipped = [each for each, s in zip(fronted.values(), self.skipping, strict=True) if s]
        parts += [pool(*each) for pool, each in zip(self.skips, skipped, strict=True)]
        whole = self.joined(parts, aside)
        outputs = {name: each.values for name, each in steps.items()}
        last = [last_step(*each) for each in joined.values()] if self.plan.shortcut else []
        return self.answered(whole, outputs, last, inputs.counts)

    def attention(self, inputs: Inputs, batch: RecordBatch) -> dict[str, Tensor]:
        """Say how much each step of the layers counts, where they are pooled by attention.

        Parameters
        ----------
        inputs : Inputs
            What `encoded` gave.
        batch : RecordBatch
            The same records.

        Returns
        -------
        dict of str to Tensor, each of shape (batch, time)
            By stream, ``"all"`` where they are joined; see `Pooling.attention`.
        """
        joined = self._joined_streams(inputs.streams, batch)
        steps = self._steps(batch, self._fed(joined, self._fronted(joined)), inputs.aside)
        pools = zip(self.pools, steps.items(), strict=True)
        return {name: pool.attention(*each) for pool, (name, each) in pools}  # type: ignore[operator]

    def joined(self, parts: Sequence[Tensor], aside: Tensor | None) -> Tensor:
        """Make one vector of all that was read of each record.

        Parameters
        ----------
        parts : sequence of Tensor, each of shape (batch, width)
            What was pooled: of the layers, then of what the head reads beside them.
        aside : Tensor, shape (batch, width), optional
            The static covariates.

        Returns
        -------
        Tensor, shape (batch, width)
            Side by side, and normalised where there is a norm.
        """
        whole = torch.cat([*parts] if aside is None else [*parts, aside], -1)
        if self.norm is None:
            return whole
        return self.norm(whole[:, None], torch.ones(len(whole), dtype=torch.int64))[:, 0]

    def answered(
        self,
        whole: Tensor,
        outputs: Mapping[str, Tensor],
        last: Sequence[Tensor],
        bags: Sequence[Tensor] = (),
    ) -> dict[str, Tensor]:
        """Answer by what was read.

        Parameters
        ----------
        whole : Tensor, shape (batch, width)
            What `joined` gave.
        outputs : dict of str to Tensor, shape (batch, …, width)
            What the layers say at each step, or at one.
        last : sequence of Tensor, each of shape (batch, width)
            The inputs of the last step, for the linear part, if there is one.
        bags : sequence of Tensor, each of shape (batch, outputs)
            What the tokens of each stream count, if they are counted.

        Returns
        -------
        dict of str to Tensor
            By target.
        """
        answers, shortcuts, begun = {}, iter(self.shortcuts), 0
        counted = torch.stack([*bags]).sum(0) if bags else None
        for head, (name, answer) in zip(self.heads, self.plan.answers.items(), strict=True):
            if answer.level == "step":
                which = "all" if self.join is not None else str(answer.stream)
                raw = head(self.dropout(outputs[which]))
            else:
                raw = head(self.dropout(whole))
                if self.plan.shortcut:
                    raw = raw + next(shortcuts)(torch.cat([*last], -1))
                if counted is not None and in_bag(answer):
                    raw = raw + counted[:, begun : begun + answer.size]
                    begun += answer.size
            shape = (answer.outputs, answer.classes) if answer.classes else (answer.outputs,)
            answers[name] = raw.unflatten(-1, shape)
        return answers

    def loss(
        self,
        batch: RecordBatch,
        state: None = None,  # noqa: ARG002 - the loop hands one to every model
    ) -> tuple[Tensor, Tensor, None]:
        """Add up the loss over all targets that are known: cross-entropy, or squared error.

        Parameters
        ----------
        batch : RecordBatch
            Some records, with targets.
        state : None
            There is none between batches.

        Returns
        -------
        total : Tensor
            The sum; what is padding or unknown has no part in it.
        count : Tensor
            How many targets were counted.
        state : None
            None.
        """
        totals, counts = zip(*self.losses(batch).values(), strict=True)
        return reduce(torch.add, totals), reduce(torch.add, counts), None

    def loss_and_gradients(
        self,
        batch: RecordBatch,
        state: None = None,  # noqa: ARG002 - as for `loss`
    ) -> tuple[float, int, None] | None:
        """Sum the loss as `loss` does, and add its gradients to ``.grad``, without autograd.

        Parameters
        ----------
        batch : RecordBatch
            As for `loss`.
        state : None
            There is none between batches.

        Returns
        -------
        tuple of (float, int, None), or None
            As `loss`; None where only autograd can tell (convolutions, several streams, answers for
            each step, a hook, a frozen parameter), and then nothing was done.
        """
        if type(self) is not SequenceNetwork:
            return None
        if self._gradients is None:
            self._gradients = SequenceGradients(self)
        with torch.no_grad():
            return self._gradients.add(batch)

    def losses(self, batch: RecordBatch) -> dict[str, tuple[Tensor, Tensor]]:
        """Add up the loss over what is known of each target.

        Parameters
        ----------
        batch : RecordBatch
            Some records, with targets.

        Returns
        -------
        dict of str to (Tensor, Tensor)
            By target: the sum, and how many were counted.
        """
        losses = {}
        for name, raw in self(batch).items():
            target = batch.targets[name]
            known = target >= 0 if self.plan.answers[name].classes else ~target.isnan()
            count = known.sum()
            picked: Any = ... if int(count) == known.numel() else known
            if self.plan.answers[name].classes:
                seen, wanted = raw[picked].flatten(0, -2), target[picked].flatten()
                each = functional.cross_entropy(seen, wanted, reduction="none")
            else:
                each = (raw[picked] - target[picked].to(raw.dtype)) ** 2
            if batch.weights is not None:
                weights = batch.weights.reshape(-1, *[1] * (target.dim() - 1)).expand_as(target)
                each = each * weights[picked].to(each.dtype).reshape(each.shape)
            losses[name] = each.sum(), count
        return losses

    def _with_tokens_hidden(self, batch: RecordBatch) -> RecordBatch:
        """Take some tokens for unknown."""
        share = self.plan.token_dropout
        streams = {
            name: hide_tokens(each, share) if self.plan.inputs[name].kind == "tokens" else each
            for name, each in batch.streams.items()
            if name in self.plan.inputs
        }
        return replace(batch, streams=streams)

    def _joined_streams(
        self, streams: Mapping[str, Encoded], batch: RecordBatch
    ) -> Mapping[str, Encoded]:
        """Join the streams that are read together."""
        if self.join is None:
            return streams
        joined = self.join(streams)
        _check_one_clock(batch)
        return {"all": joined}

    def _fronted(self, inputs: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """Find shapes."""
        fronts = zip(self.fronts, inputs.items(), strict=True)
        return {name: front(each) for front, (name, each) in fronts}

    def _fed(
        self, inputs: Mapping[str, Encoded], fronted: Mapping[str, Encoded]
    ) -> dict[str, Encoded]:
        """Choose what the layers read: the encoders, or the fronts that stand before them."""
        return {
            name: inputs[name] if beside else fronted[name]
            for name, beside in zip(fronted, self.beside, strict=True)
        }

    def _steps(
        self, batch: RecordBatch, inputs: dict[str, Encoded], aside: Tensor | None
    ) -> dict[str, Encoded]:
        """Read every stream, step by step."""
        read = {}
        for (name, (values, lengths)), layer in zip(inputs.items(), self.layers, strict=True):
            if isinstance(layer, GRUD):
                read[name] = self._decayed(layer, batch.streams[name], aside)
            else:
                outputs, _ = layer(_beside(self._dropped(values), aside), lengths=lengths)
                read[name] = Encoded(outputs, lengths)
        return read

    def _dropped(self, values: Tensor) -> Tensor:
        """Drop units of what the layers read, the same at all steps of a record."""
        if not (self.training and self.plan.input_dropout):
            return values
        ones = values.new_ones(len(values), 1, values.shape[-1])
        return values * functional.dropout(ones, self.plan.input_dropout)

    def _decayed(self, layer: nn.Module, stream: StreamBatch, aside: Tensor | None) -> Encoded:
        """Read a stream with a layer that decays by time and knows what was observed."""
        values, observed = stream.values, stream.observed
        if aside is not None:
            values = _beside(values, aside)
            seen = observed.new_ones(*observed.shape[:2], aside.shape[-1])
            observed = torch.cat([observed, seen], -1)
        if self.training and self.plan.channel_dropout:
            kept = torch.rand(len(values), 1, stream.values.shape[-1]) >= self.plan.channel_dropout
            hidden = functional.pad(~kept, (0, values.shape[-1] - kept.shape[-1]))
            observed = observed & ~hidden
        outputs, _ = layer(values, observed=observed, times=stream.times, lengths=stream.lengths)
        return Encoded(outputs, stream.lengths)


def _check_one_clock(batch: RecordBatch) -> None:
    """Refuse to join steps of different times, which have the same number by chance."""
    first, *others = batch.streams.items()
    for name, stream in others:
        if stream.times.shape != first[1].times.shape:
            continue  # a signal, whose steps are made by its encoder
        apart = ((stream.times != first[1].times) & stream.valid).any(1).nonzero()
        if len(apart):
            raise ShapeError(
                f"Streams {first[0]!r} and {name!r} have other times in row {int(apart[0])}. Put "
                'them on one clock with Align, or use join="late".'
            )


def _beside(values: Tensor, aside: Tensor | None) -> Tensor:
    """Write the static covariates beside every step."""
    if aside is None:
        return values
    return torch.cat([values, aside[:, None].expand(-1, values.shape[1], -1)], -1)
