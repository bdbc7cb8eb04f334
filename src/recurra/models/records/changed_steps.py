"""Answers for a long record with each step changed in its turn, without reading it as often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from recurra.layers.carried import Carried
from recurra.layers.recurrent import Recurrent
from recurra.models.records.encoders import TokenEncoder, ValueEncoder
from recurra.models.records.looked_up import encode_changed
from recurra.models.records.records import RecordBatch
from recurra.models.records.sequence_network import Inputs, SequenceNetwork

__all__ = ["FULL", "changed_steps"]

AHEAD = 1  # steps that are read after a changed one, before what follows is taken to be linear
FULL = 8  # steps, those that move the answer most, for which the record is read in full


@torch.no_grad()
def changed_steps(
    network: SequenceNetwork,
    numbers: Mapping[str, Tensor],
    other: Tensor,
    batch: RecordBatch,
    pick: Callable[[Mapping[str, Tensor]], Tensor],
) -> Tensor | None:
    r"""Answer for a record with each of its steps changed in its turn.

    The state before each step is carried over from reading the record once, the changed step is
    read from there with the `AHEAD` after it, and what the state is worth then comes from going
    back once; see `Carried`. That takes what follows to be linear, which it is not where a step
    moves much: for the `FULL` steps that move the answer most the record is read in full.

    Parameters
    ----------
    network : SequenceNetwork
        Of one stream, read by a plain recurrent layer; in evaluation mode.
    numbers : dict of str to Tensor, each of shape (1, steps, numbers)
        What `look_up` gave of one record.
    other : Tensor, shape (1, steps, numbers)
        What stands in place of a step of the stream.
    batch : RecordBatch
        The record.
    pick : callable
        Finds the answer, shape (records,), in what the network says.

    Returns
    -------
    Tensor, shape (steps,), or None
        The answers; None where the network has other parts, or the engine does not run it.
    """
    if not _is_plain(network):
        return None
    (name,), layer = network.reads, network.layers[0]
    inputs, _ = encode_changed(network, numbers, batch)
    changed, _ = encode_changed(network, {**numbers, name: other}, batch)
    carried, record = Carried(layer), _read(inputs, name)  # type: ignore[arg-type]
    if not carried.able(record):
        return None
    output = carried.read(record).requires_grad_()
    with torch.enable_grad():
        answer = pick(_answered(network, output[None], inputs, name))
        (incoming,) = torch.autograd.grad(answer.sum(), output)
    carried.weigh(incoming)
    instead = _read(changed, name)
    moved = carried.changes(instead, AHEAD).double()
    found = answer.detach().double() + moved
    most = moved.abs().topk(min(FULL, len(moved))).indices
    found[most] = pick(_answered(network, carried.again(instead, most), inputs, name)).double()
    return found


def _answered(network: SequenceNetwork, outputs: Tensor, inputs: Inputs, name: str) -> Any:
    """Answer for rows that are one record, by what the layer says of them."""
    rows, aside = len(outputs), inputs.aside
    pooled = network.pools[0](outputs, inputs.streams[name].lengths.expand(rows))
    whole = network.joined([pooled], None if aside is None else aside.expand(rows, -1))
    return network.answered(whole, {name: outputs}, [])


def _is_plain(network: SequenceNetwork) -> bool:
    """Whether a step reaches the answer through one recurrent layer and its pooling alone."""
    plain = len(network.plan.inputs) == 1 and network.join is None and not any(network.skipping)
    if not plain or len(network.shortcuts) or network.counted:
        return False
    if type(network.fronts[0]) is not nn.Identity or not isinstance(network.layers[0], Recurrent):
        return False
    return type(network.encoders[0]) in (ValueEncoder, TokenEncoder)


def _read(inputs: Inputs, name: str) -> Tensor:
    """Give what the layer reads at each step, the static covariates beside it."""
    values = inputs.streams[name].values[0]
    if inputs.aside is None:
        return values.contiguous()
    return torch.cat([values, inputs.aside.expand(len(values), -1)], -1)
