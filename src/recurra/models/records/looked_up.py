"""A network of records between looking up and reading: numbers that may be changed one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from recurra.data.sequences import STATIC
from recurra.layers import GRUD
from recurra.models.records.records import RecordBatch, StreamBatch
from recurra.models.records.sequence_network import Inputs, SequenceNetwork

__all__ = [
    "attended",
    "decays",
    "encode_changed",
    "look_up",
    "read_changed",
    "repeated",
    "spread",
]


def look_up(network: SequenceNetwork, batch: RecordBatch) -> dict[str, Tensor]:
    """Give all that a network reads as numbers.

    Parameters
    ----------
    network : SequenceNetwork
        The network.
    batch : RecordBatch
        Some records.

    Returns
    -------
    dict of str to Tensor, each of shape (batch, time, numbers)
        By stream: what its encoder looked up; beside it, where tokens are counted, the weights of
        their codes; and for a layer that decays the mask, with 0 for what is not observed.
        ``"static"`` is the static covariates, of one step.
    """
    found = {}
    counts = dict(zip(network.counted, network.bags, strict=True))
    for name, encoder in zip(network.plan.inputs, network.encoders, strict=True):
        stream = batch.streams[name]
        parts = [encoder.looked_up(stream)]  # type: ignore[operator]
        if name in counts:
            parts.append(counts[name].looked_up(stream.values, stream.lengths))  # type: ignore[operator]
        if decays(network, name):
            mask = stream.observed
            parts = [torch.where(mask, parts[0], 0.0), mask.to(parts[0].dtype)]
        found[name] = torch.cat(parts, -1)
    if network.static is not None and batch.static is not None:
        found[STATIC] = network.static.looked_up(batch.static)
    return found


def read_changed(
    network: SequenceNetwork, numbers: Mapping[str, Tensor], batch: RecordBatch
) -> dict[str, Tensor]:
    """Answer for changed records.

    Parameters
    ----------
    network : SequenceNetwork
        The network.
    numbers : dict of str to Tensor, each of shape (batch, time, numbers)
        What `look_up` gave, or changed; a mask is 1 where it is more than 0.
    batch : RecordBatch
        The records, as they were: how long they are, and when their steps were.

    Returns
    -------
    dict of str to Tensor
        As the network answers.
    """
    return network.read(*encode_changed(network, numbers, batch))


def attended(network: SequenceNetwork, batch: RecordBatch) -> dict[str, Tensor] | None:
    """Say how much each step of each stream is attended to.

    Parameters
    ----------
    network : SequenceNetwork
        The network.
    batch : RecordBatch
        Some records.

    Returns
    -------
    dict of str to Tensor, each of shape (batch, time), or None
        Of sum 1; of streams that are joined, each gets the same. Where convolutions make one step
        of several, these share its weight. None where steps are not pooled by attention.
    """
    if "attention" not in network.plan.pooling:
        return None
    found = network.attention(network.encoded(batch), batch)
    return {
        name: spread(found.get(name, found.get("all", torch.empty(0))), stream)
        for name, stream in batch.streams.items()
        if name in network.plan.inputs
    }


def spread(weights: Tensor, stream: StreamBatch) -> Tensor:
    """Share out the weight of each step of a layer among the steps it was made of.

    Parameters
    ----------
    weights : Tensor, shape (rows, steps of the layer)
        Of sum 1.
    stream : StreamBatch
        What the layer read.

    Returns
    -------
    Tensor, shape (rows, steps)
        Of sum 1.
    """
    steps = stream.times.shape[1]
    size = -(-steps // max(weights.shape[1], 1))
    owners = torch.arange(steps) // max(size, 1)
    shares = torch.zeros(weights.shape[1]).index_add_(0, owners, torch.ones(steps))
    return (weights / shares)[:, owners]


def encode_changed(
    network: SequenceNetwork, numbers: Mapping[str, Tensor], batch: RecordBatch
) -> tuple[Inputs, RecordBatch]:
    """Encode changed records.

    Parameters
    ----------
    network, numbers, batch
        As for `read_changed`.

    Returns
    -------
    inputs : Inputs
        What the layers read.
    batch : RecordBatch
        Where layers that decay find what is observed.
    """
    bags = dict(zip(network.counted, network.bags, strict=True))
    streams, read, counts = dict(batch.streams), {}, []
    for name, encoder in zip(network.plan.inputs, network.encoders, strict=True):
        stream, given = streams[name], numbers[name]
        if name in bags:
            bag: Any = bags[name]
            given, counted = given[..., : -bag.outputs], given[..., -bag.outputs :]
            counts.append(bag.scaled(counted.sum(1), stream.lengths[:, None]))
        if decays(network, name):
            given, mask = given.chunk(2, -1)
            streams[name] = stream = replace(stream, values=given, observed=mask > 0)
        read[name] = encoder.read(given, stream)  # type: ignore[operator]
    aside = None
    if network.static is not None and batch.static is not None:
        aside = network.static.read(numbers[STATIC], batch.static).values[:, 0]
    return Inputs(read, aside, counts), replace(batch, streams=streams)


def decays(network: SequenceNetwork, name: str) -> bool:
    """Say whether the layer of a stream reads what is observed by itself.

    Parameters
    ----------
    network : SequenceNetwork
        The network.
    name : str
        The stream.

    Returns
    -------
    bool
        True for GRU-D.
    """
    layers = dict(zip(network.reads, network.layers, strict=True))
    return network.join is None and isinstance(layers.get(name), GRUD)


def repeated(batch: RecordBatch, count: int) -> RecordBatch:
    """Write one record several times, without the records that its steps are.

    Parameters
    ----------
    batch : RecordBatch
        Of one record.
    count : int
        How often.

    Returns
    -------
    RecordBatch
        Its values are views.
    """
    streams = {name: _repeated(each, count) for name, each in batch.streams.items()}
    static = None if batch.static is None else _repeated(batch.static, count)
    return RecordBatch(streams, static, {})


def _repeated(stream: StreamBatch, count: int) -> StreamBatch:
    return StreamBatch(
        stream.values.expand(count, *stream.values.shape[1:]),
        stream.observed.expand(count, *stream.observed.shape[1:]),
        stream.lengths.repeat(count),
        stream.times.repeat(count, 1),
    )
