"""The parts of a network of records, made as its plan says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import torch
from torch import Tensor, nn

from recurra.data.treatments.grams import tokens_of
from recurra.errors import OptionError
from recurra.layers import GRU, GRUD
from recurra.models.records.bags import Bag
from recurra.models.records.encoders import (
    Encoder,
    FrameEncoder,
    SignalEncoder,
    TokenEncoder,
    ValueEncoder,
)
from recurra.models.records.fronts import ConvolutionFront
from recurra.models.records.network_plan import Answer, Input, NetworkPlan
from recurra.models.records.ordinal import OrdinalHead
from recurra.models.records.pooling import Pooling
from recurra.models.records.records import StreamBatch

__all__ = [
    "RecordEncoder",
    "in_bag",
    "make_bags",
    "make_encoder",
    "make_fronts",
    "make_head",
    "make_layer",
    "make_shortcuts",
    "suited",
]

PAIRS = 4096  # codes of two tokens that a layer reads; the others are rare, and only counted
WIDER = 2  # vectors of tokens, which are sums, than the layer that reads them


class RecordEncoder(Encoder):
    """Records of records: each step is read by a recurrent network of its own.

    Parameters
    ----------
    inner : Encoder
        Of the records inside.
    layer : torch.nn.Module
        The recurrent layer that reads them.
    pooling : Pooling
        To one vector for each.
    """

    def __init__(self, inner: Encoder, layer: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.inner, self.layer, self.pooling, self.width = inner, layer, pooling, pooling.width

    def looked_up(self, batch: StreamBatch) -> Tensor:
        """Read each step's record, and pool it; see `Encoder`."""
        valid = batch.valid
        whole = torch.zeros(*valid.shape, self.width)
        if batch.inner is not None and len(batch.inner.lengths):
            read = self.inner(batch.inner)
            outputs, _ = self.layer(read.values, lengths=read.lengths)
            pooled = self.pooling(outputs, read.lengths)
            whole = whole.masked_scatter(valid[..., None], pooled)
        return whole


def make_encoder(plan: Input, network: NetworkPlan, layer: Callable[..., nn.Module]) -> Encoder:
    """Make the encoder of a stream.

    Parameters
    ----------
    plan : Input
        The stream.
    network : NetworkPlan
        What it is a part of.
    layer : callable
        Makes a recurrent layer, for records of records.

    Returns
    -------
    Encoder
        With random weights.

    Raises
    ------
    OptionError
        If there is none for such a stream.
    """
    match plan.kind:
        case "values":
            hidden = network.channel_dropout
            return ValueEncoder(plan.channels, plan.cardinalities, plan.width, hidden)
        case "tokens":
            return TokenEncoder(_embedded(plan), plan.width or WIDER * network.hidden_size)
        case "signal":
            return SignalEncoder(len(plan.channels), plan.width or network.hidden_size)
        case "frames":
            return FrameEncoder(len(plan.channels), plan.width or network.hidden_size)
        case "records" if plan.inner is not None:
            inner = make_encoder(plan.inner, network, layer)
            layer = GRU if layer is GRUD else layer
            out = network.hidden_size * (1 + network.bidirectional)
            pooling = Pooling(network.pooling, out, network.bidirectional)
            return RecordEncoder(inner, make_layer(layer, inner.width, network), pooling)
    raise OptionError(f"There is no encoder for a stream of {plan.kind!r}.")


def _embedded(plan: Input) -> dict[int, int]:
    """Say how many codes of each channel of tokens a layer reads: of pairs only the commonest."""
    sizes = {1: None, 2: PAIRS}
    return {
        k: min(plan.cardinalities[k], sizes[tokens_of(name)] or plan.cardinalities[k])
        for k, name in enumerate(plan.channels)
        if tokens_of(name) in sizes
    }


def make_bags(plan: NetworkPlan) -> dict[str, Bag]:
    """Make what counts the tokens of each stream of tokens.

    Parameters
    ----------
    plan : NetworkPlan
        With the inputs and the answers.

    Returns
    -------
    dict of str to Bag
        By stream; empty where the plan has no bags.
    """
    outputs = sum(answer.size for answer in plan.answers.values() if in_bag(answer))
    if not plan.bag or not outputs:
        return {}
    return {
        name: Bag([each.cardinalities[k] for k in range(len(each.channels))], outputs)
        for name, each in plan.inputs.items()
        if each.kind == "tokens"
    }


def in_bag(answer: Answer) -> bool:
    """Say whether a linear part is added to an answer.

    Parameters
    ----------
    answer : Answer
        The answer.

    Returns
    -------
    bool
        True for one of whole records whose classes have no order.
    """
    return answer.level == "record" and not answer.ordinal


def make_head(answer: Answer, width: int) -> nn.Module:
    """Make what answers for one target.

    Parameters
    ----------
    answer : Answer
        The target.
    width : int
        Width of what it reads.

    Returns
    -------
    torch.nn.Module
        Gives ``answer.size`` numbers.
    """
    if answer.ordinal:
        return OrdinalHead(width, answer.outputs, answer.classes)
    return nn.Linear(width, answer.size)


def make_fronts(plan: NetworkPlan, widths: dict[str, int]) -> list[nn.Module]:
    """Make the front of what each layer reads, which may be none.

    Parameters
    ----------
    plan : NetworkPlan
        With the fronts.
    widths : dict of str to int
        What the layers read, and how wide the encoders make it.

    Returns
    -------
    list of torch.nn.Module
        In the order of `widths`; an identity where there is none.

    Raises
    ------
    OptionError
        If a front has no stream, or a stride where there is an answer for each step.
    """
    for name, front in plan.fronts.items():
        if name not in widths:
            known = ", ".join(map(repr, widths))
            raise OptionError(f"There is a front for {name!r}, but what is read is {known}.")
        steps = [each.stream for each in plan.answers.values() if each.level == "step"]
        if front.stride > 1 and (name in steps or (name == "all" and steps)):
            raise OptionError(
                f"The front of {name!r} has stride={front.stride}, but there is an answer for each "
                "of its steps. Use stride=1."
            )
    return [
        ConvolutionFront(width, *astuple(plan.fronts[name])[:3])
        if name in plan.fronts
        else nn.Identity()
        for name, width in widths.items()
    ]


def make_shortcuts(plan: NetworkPlan, width: int) -> nn.ModuleList:
    """Make the linear part of each answer for a record, which starts at zero.

    Parameters
    ----------
    plan : NetworkPlan
        With the answers.
    width : int
        Width of the inputs of a step, all streams together.

    Returns
    -------
    torch.nn.ModuleList
        Empty where the plan has no shortcut.
    """
    if not plan.shortcut:
        return nn.ModuleList()
    records = [answer for answer in plan.answers.values() if answer.level == "record"]
    shortcuts = nn.ModuleList(nn.Linear(width, each.size, bias=False) for each in records)
    for each in shortcuts:
        nn.init.zeros_(each.weight)  # type: ignore[arg-type]
    return shortcuts


def suited(layer: Callable[..., nn.Module], plan: NetworkPlan, name: str) -> Callable[..., Any]:
    """Leave a layer that reads the mask to measurements; the others are read by a GRU.

    Parameters
    ----------
    layer : callable
        The layer that was asked for.
    plan : NetworkPlan
        With the streams.
    name : str
        The stream.

    Returns
    -------
    callable
        The layer that reads it.
    """
    reads = plan.inputs.get(name)
    plain = reads is not None and reads.kind == "values" and not reads.cardinalities
    return GRU if layer is GRUD and not plain else layer


def make_layer(layer: Callable[..., nn.Module], width: int, plan: NetworkPlan) -> nn.Module:
    """Make a recurrent layer; one that takes fewer options gets those it takes.

    Parameters
    ----------
    layer : callable
        Its class.
    width : int
        Width of what it reads.
    plan : NetworkPlan
        With its options.

    Returns
    -------
    torch.nn.Module
        With random weights.
    """
    if layer is GRUD:
        hidden, drop = plan.hidden_size, plan.recurrent_dropout
        return layer(width, hidden, batch_first=True, recurrent_dropout=drop)
    return layer(
        width,
        plan.hidden_size,
        num_layers=plan.num_layers,
        bidirectional=plan.bidirectional,
        batch_first=True,
        dropout=plan.dropout if plan.num_layers > 1 else 0.0,
        recurrent_dropout=plan.recurrent_dropout,
    )
