"""A recurrent layer walked through once more, step by step, by its definition: states and gates."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from recurra.diagnosing.listening import Call
from recurra.kernels.recurrence import State, Weights, fed_back, fed_in
from recurra.kernels.reference import kernel_of
from recurra.kernels.stack import Stack, draw_masks
from recurra.layers import GRUD

__all__ = ["MOST_RECORDS", "MOST_STEPS", "Walk", "walked"]

MOST_STEPS, MOST_RECORDS = 512, 64  # that are walked: a second of work for a usual layer


@dataclass(frozen=True)
class Walk:
    """One layer in one direction, as it went through some records.

    Attributes
    ----------
    name : str
        Which layer: ``"layers.0"``, with its number where layers lie on layers, and its way.
    cell : str
        ``"elman"``, ``"jordan"``, ``"lstm"`` or ``"gru"``.
    activation : str
        Of its units.
    inputs : Tensor, shape (time, batch, inputs)
        What it read, in the order in which it read.
    states : tuple of tuple of Tensor, each (batch, size)
        Before the first step and after each; float64, and autograd knows each by the one before.
        Of a record that has ended, the last one again.
    lengths : Tensor of int64, shape (batch,)
        Real steps of each record.
    gates : dict of str to Tensor, shape (time, batch, hidden)
        Between 0 and 1, by name; none of the Elman and Jordan cells, and of GRU-D.
    weights : Weights
        Its weights, float64.
    keeps : str, optional
        The gate that keeps the state.
    """

    name: str
    cell: str
    activation: str
    inputs: Tensor
    states: tuple[State, ...]
    lengths: Tensor
    weights: Weights
    gates: dict[str, Tensor] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Steps of the longest record."""
        return len(self.states) - 1

    @property
    def real(self) -> Tensor:
        """Which steps are real, shape (time, batch)."""
        return torch.arange(self.steps)[:, None] < self.lengths

    @property
    def hidden(self) -> Tensor:
        """What the layer says at each step, shape (time, batch, outputs)."""
        return torch.stack([state[0].detach() for state in self.states[1:]])

    @property
    def keeps(self) -> str | None:
        """The gate that keeps the state."""
        return {"lstm": "forget", "gru": "update"}.get(self.cell)


def walked(call: Call, records: int = MOST_RECORDS, steps: int = MOST_STEPS) -> list[Walk]:
    """Walk through what a layer was given: each of its layers, each of its directions.

    Parameters
    ----------
    call : Call
        What it was given.
    records, steps : int
        The most that are walked through: the first.

    Returns
    -------
    list of Walk
        In torch's order: layer 0 forward, layer 0 backwards, layer 1 …

    Examples
    --------
    >>> from recurra.diagnosing.listening import listening
    >>> from recurra.layers import LSTM
    >>> layer = LSTM(3, 8)
    >>> with listening(layer) as calls:
    ...     y, _ = layer(torch.ones(5, 2, 3))
    >>> (walk,) = walked(calls[0])
    >>> bool((walk.hidden - y).abs().max() < 1e-6), sorted(walk.gates)
    (True, ['forget', 'input', 'output'])
    """
    x = call.x[:steps, :records]
    lengths = call.lengths[:records].clamp(max=steps)
    longest = int(lengths.max()) if len(lengths) else 0
    x = x[:longest]
    layer: Any = call.layer
    state = layer.initial_state(call.x.shape[1]) if call.state is None else call.state
    parts = (state,) if isinstance(state, Tensor) else tuple(state)
    parts = tuple(part.detach()[:, :records] for part in parts)
    if isinstance(layer, GRUD):
        beside = {name: each[:longest, :records] for name, each in call.beside.items()}
        return [_decaying(call.name, layer, x, lengths, parts, beside)]
    return _stacked(call.name, layer, x.double(), lengths, tuple(part.double() for part in parts))


def _stacked(name: str, layer: Any, x: Tensor, lengths: Tensor, state: State) -> list[Walk]:
    """Walk through layers on layers, both ways."""
    stack, walks = layer._plan() if not layer.training else layer.stack, []
    for number in range(stack.num_layers):
        outputs = []
        for way in range(stack.directions):
            run = number * stack.directions + way
            weights = _doubled(layer._weights()[run])
            told = f"{name}, layer {number}" if stack.num_layers > 1 else name
            told += ", backwards" if way else ""
            read = _turned(x, lengths) if way else x
            before = tuple(part[run] for part in state)
            walk = _one_way(told, stack, read, lengths, before, weights)
            walks.append(walk)
            said = torch.where(walk.real[..., None], walk.hidden, 0.0)
            outputs.append(_turned(said, lengths) if way else said)
        x = torch.cat(outputs, -1)
    return walks


def _one_way(
    name: str, stack: Stack, x: Tensor, lengths: Tensor, state: State, weights: Weights
) -> Walk:
    kernel, on = kernel_of(stack), torch.arange(len(x))[:, None] < lengths
    x = torch.where(on[..., None], x, 0.0)
    state = tuple(part.clone().requires_grad_() for part in state)
    states = [state]
    with torch.enable_grad():
        for t in range(len(x)):
            now = x[t : t + 1]
            masks = draw_masks(stack, now, state, training=False)
            given: dict[str, Any] = {} if masks is None else {"masks": masks}
            _, after = kernel(now, state, weights, **given)
            real = on[t, :, None]
            state = tuple(
                torch.where(real, new, old) for new, old in zip(after, state, strict=True)
            )
            states.append(state)
    gates = _gates(stack, x, states, weights)
    return Walk(name, stack.cell, stack.activation, x, tuple(states), lengths, weights, gates)


@torch.no_grad()
def _gates(stack: Stack, x: Tensor, states: list[State], weights: Weights) -> dict[str, Tensor]:
    """Compute the gates of all steps at once from the states between them."""
    if stack.cell not in ("lstm", "gru") or not len(x):
        return {}
    before, after = states[:-1], states[1:]
    flat = torch.cat([each[0] for each in before])
    sums = fed_in(x, weights) + fed_back(flat, weights).view(*x.shape[:2], -1)
    if stack.cell == "gru":
        reset, update, _ = sums.chunk(3, -1)
        return {"reset": reset.sigmoid(), "update": update.sigmoid()}
    c, next_c = (torch.stack([each[1] for each in some]) for some in (before, after))
    *kept, _, output = sums.split(c.shape[-1], -1)
    if weights.weight_ch is not None:
        kept = [k + p * c for k, p in zip(kept, weights.weight_ch[:-1], strict=True)]
        output = output + weights.weight_ch[-1] * next_c
    names = ("forget",) if stack.coupled else ("input", "forget")
    found = dict(zip(names, kept, strict=True)) | {"output": output}
    return {gate: each.sigmoid() for gate, each in found.items()}


def _decaying(
    name: str, layer: GRUD, x: Tensor, lengths: Tensor, state: State, beside: dict[str, Tensor]
) -> Walk:
    """Walk through GRU-D by its own steps, which know how values and states decay."""
    again = deepcopy(layer).double().eval()
    again.batch_first = False
    x = x.double()
    first, *sighting = (part.double() for part in state)
    full: Any = type(again.initial_state(1))(first.clone().requires_grad_(), *sighting)
    states: list[State] = [(full[0][0],)]
    with torch.enable_grad():
        for t in range(len(x)):
            now = {key: each[t : t + 1] for key, each in beside.items()}
            _, full = again(x[t : t + 1], full, lengths=(lengths > t).long(), **now)
            states.append((full[0][0],))
    weights = _doubled(layer._weights()[0])
    read = torch.where((torch.arange(len(x))[:, None] < lengths)[..., None], x, 0.0)
    seen = beside["observed"] if "observed" in beside else ~read.isnan()
    read = torch.where(seen, read, 0.0)
    return Walk(name, "gru", "tanh", read, tuple(states), lengths, weights)


def _turned(x: Tensor, lengths: Tensor) -> Tensor:
    """Let each record begin with its own last step."""
    steps = torch.arange(len(x))[:, None]
    places = torch.where(steps < lengths, lengths - 1 - steps, steps)
    return x.gather(0, places[..., None].expand_as(x))


def _doubled(weights: Weights) -> Weights:
    parts = (None if part is None else part.detach().double() for part in weights)
    return Weights(*parts)  # type: ignore[arg-type]
