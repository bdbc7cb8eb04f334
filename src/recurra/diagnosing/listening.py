"""What each recurrent layer read while a network computed its loss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from recurra.layers.recurrent import Recurrent

__all__ = ["Call", "listening"]


@dataclass(frozen=True)
class Call:
    """What a recurrent layer was given.

    Attributes
    ----------
    name : str
        Of the layer in the network: ``"layers.0"``.
    layer : Recurrent
        The layer.
    x : Tensor, shape (time, batch, inputs)
        What it read.
    lengths : Tensor of int64, shape (batch,)
        Real steps of each record.
    state : Tensor or tuple of Tensor, optional
        The state it went on from.
    beside : dict of str to Tensor, each of shape (time, batch, …)
        What else it read, where the layer knows of more: ``observed`` and ``times``.
    """

    name: str
    layer: Recurrent
    x: Tensor
    lengths: Tensor
    state: Any
    beside: dict[str, Tensor]


@contextmanager
def listening(network: nn.Module) -> Iterator[list[Call]]:
    """Hear what each recurrent layer of a network is given; the longest call of each is kept.

    Parameters
    ----------
    network : torch.nn.Module
        Any with layers of `recurra.layers` in it.

    Yields
    ------
    list of Call
        Empty at first; one for each layer that was called.

    Examples
    --------
    >>> from recurra.layers import GRU
    >>> network = nn.Sequential(nn.Linear(2, 3), GRU(3, 4))
    >>> with listening(network) as calls:
    ...     _ = network(torch.ones(5, 1, 2))
    >>> calls[0].name, calls[0].x.shape
    ('1', torch.Size([5, 1, 3]))
    """
    heard: dict[str, Call] = {}
    calls: list[Call] = []
    handles = [
        module.register_forward_pre_hook(_ear(name, heard), with_kwargs=True)
        for name, module in network.named_modules()
        if isinstance(module, Recurrent)
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
        calls += heard.values()


def _ear(name: str, heard: dict[str, Call]) -> Any:
    def hear(layer: Any, args: tuple[Any, ...], given: dict[str, Any]) -> None:
        names = ("x", "state")
        told = {**dict(zip(names, args, strict=False)), **given}
        call = _call(name, layer, **told)
        if name not in heard or call.x.shape[0] > heard[name].x.shape[0]:
            heard[name] = call

    return hear


def _call(
    name: str, layer: Recurrent, x: Any, state: Any = None, lengths: Any = None, **beside: Any
) -> Call:
    """Put what was given into one form: time first, detached, with lengths."""
    if isinstance(x, PackedSequence):
        x, lengths = pad_packed_sequence(x)
    else:
        if x.dim() == 2:  # a single record
            x, state = x[:, None], _each(state, lambda part: part[:, None])
        elif layer.batch_first:
            x = x.transpose(0, 1)
            beside = {k: v.transpose(0, 1) for k, v in beside.items() if v is not None}
    steps, batch = x.shape[:2]
    ends = torch.full((batch,), steps) if lengths is None else torch.as_tensor(lengths)
    there = {k: v.detach() for k, v in beside.items() if v is not None}
    state = _each(state, lambda part: part.detach())
    return Call(name, layer, x.detach(), ends.detach().cpu().long(), state, there)


def _each(state: Any, change: Any) -> Any:
    if state is None or isinstance(state, Tensor):
        return None if state is None else change(state)
    parts = [change(part) for part in state]
    return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
