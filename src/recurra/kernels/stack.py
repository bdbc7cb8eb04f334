"""Layers on layers: what a stack is, and how a one-direction kernel runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from recurra.errors import OptionError, near
from recurra.kernels.recurrence import ACTIVATIONS, Kernel, Masks, State, Weights

__all__ = ["CELLS", "OPTIONS", "Stack", "draw_masks", "layer_by_layer", "zero_state"]

CELLS = ("elman", "jordan", "lstm", "gru")

OPTIONS: dict[str, tuple[str, ...]] = {
    "recurrent_dropout": ("elman", "lstm", "gru"),
    "zoneout": ("elman", "lstm", "gru"),
    "zoneout_cell": ("lstm",),
    "layer_norm": ("elman", "lstm", "gru"),
    "peephole": ("lstm",),
    "coupled": ("lstm",),
    "heads": ("elman", "lstm", "gru"),
    "decay": ("elman", "lstm", "gru"),
}
"""What torch's cells do not have, and which of ours do."""


@dataclass(frozen=True)
class Stack:
    """The plan of a stack: what stays the same from call to call.

    Parameters
    ----------
    cell : {"elman", "jordan", "lstm", "gru"}
        The recurrence.
    num_layers : int, default 1
        Layers on layers; each reads the output of the one below.
    bidirectional : bool, default False
        Whether each layer also reads backwards; its output is both, side by side.
    dropout : float, default 0.0
        Probability of dropping a value between two layers while training.
    activation : str, default "tanh"
        Of the Elman and Jordan cells.
    output_activation : str, default "identity"
        Of the Jordan cell.
    recurrent_dropout : float, default 0.0
        Probability of dropping, while training, a unit of what is fed back: for all of a call,
        each record, layer and direction for itself. See `recurra.kernels.recurrence.Masks`.
    zoneout : float, default 0.0
        Probability that a unit of h stays as it was, drawn at every step; the expectation when not
        training.
    zoneout_cell : float, default 0.0
        The same for an LSTM's c.
    layer_norm : bool, default False
        Whether both products are normalised, and an LSTM's c before it is read.
    peephole : bool, default False
        Whether the gates of an LSTM see c.
    coupled : bool, default False
        Whether an LSTM writes what it forgets: i = 1 - f, three gates (f, g, o).
    heads : int, default 1
        Groups of hidden units that feed back within themselves only.
    decay : bool, default False
        Whether the state decays before each step, by what `recurra.kernels.run` is then given; not
        where an LSTM projects.
    projected : bool, default False
        Whether an LSTM projects its h: its weights then hold ``weight_hr``.
    recompute : bool, default False
        Whether to keep only the states for the way back and to compute the gates again: less
        memory, more time. A matter of the native backend; the others keep what autograd keeps.

    Attributes
    ----------
    options : tuple of str
        The names of those of `OPTIONS` that are on.

    Examples
    --------
    >>> Stack("gru", num_layers=2, bidirectional=True).runs
    4
    """

    cell: str
    num_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    activation: str = "tanh"
    output_activation: str = "identity"
    recurrent_dropout: float = 0.0
    zoneout: float = 0.0
    zoneout_cell: float = 0.0
    layer_norm: bool = False
    peephole: bool = False
    coupled: bool = False
    heads: int = 1
    decay: bool = False
    projected: bool = False
    recompute: bool = False
    options: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        on = (name for name in OPTIONS if getattr(self, name) != getattr(Stack, name))
        object.__setattr__(self, "options", tuple(on))
        if self.cell not in CELLS:
            raise OptionError(f"There is no cell {self.cell!r}. {near(self.cell, CELLS)}")
        for name in (self.activation, self.output_activation):
            if name not in ACTIVATIONS:
                raise OptionError(f"There is no activation {name!r}. {near(name, ACTIVATIONS)}")
        for name in ("num_layers", "heads"):
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int):
                raise OptionError(f"{name} is {count!r}, but must be an integer.")
            if count < 1:
                raise OptionError(f"{name} is {count}, but must be 1 or more.")
        for name in ("dropout", "recurrent_dropout", "zoneout", "zoneout_cell"):
            chance = getattr(self, name)
            if isinstance(chance, bool) or not 0 <= chance <= 1:
                raise OptionError(f"{name} is {chance!r}, but is a probability from 0 to 1.")
        for name in ("layer_norm", "peephole", "coupled", "decay", "projected", "recompute"):
            if not isinstance(getattr(self, name), bool):
                raise OptionError(f"{name} is {getattr(self, name)!r}, but is True or False.")
        for name in self.options:
            if self.cell not in OPTIONS[name]:
                cells = ", ".join(repr(cell) for cell in OPTIONS[name])
                raise OptionError(
                    f"The cell {self.cell!r} has no {name}. Leave it away, or use one of: {cells}."
                )
        if self.decay and self.projected:
            raise OptionError(
                "decay acts on h and c alike, which differ in width where an LSTM projects. Leave "
                "one of both away."
            )

    @property
    def directions(self) -> int:
        """2 if the stack reads both ways, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def runs(self) -> int:
        """How many one-direction kernels run: layers times directions."""
        return self.num_layers * self.directions


def zero_state(stack: Stack, x: Tensor, weights: Sequence[Weights]) -> State:
    """Return the state of zeros before the first step.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input.
    weights : sequence of Weights
        One for each layer and direction.

    Returns
    -------
    tuple of Tensor, each (layers·directions, batch, size)
        One for the Elman cell and the GRU, two for the LSTM.

    Examples
    --------
    >>> weights = [Weights(torch.ones(16, 3), torch.ones(16, 4))]
    >>> [part.shape for part in zero_state(Stack("lstm"), torch.ones(5, 2, 3), weights)]
    [torch.Size([1, 2, 4]), torch.Size([1, 2, 4])]
    """
    fed_back = weights[0].weight_hh.shape[1] * stack.heads
    sizes: tuple[int, ...] = (fed_back,)
    if stack.cell == "lstm":
        sizes = (fed_back, weights[0].weight_ih.shape[0] // (3 if stack.coupled else 4))
    return tuple(x.new_zeros(stack.runs, x.shape[1], size) for size in sizes)


def draw_masks(stack: Stack, x: Tensor, state: State, *, training: bool) -> Masks | None:
    """Draw, from torch's global generator, what chance decides about one layer and one direction.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        What the layer reads; the time axis ends with the longest record, so that no amount of
        padding changes what is drawn.
    state : tuple of Tensor, each (batch, size)
        Before the first step.
    training : bool
        Whether to draw; else zoneout is its expectation, and recurrent dropout rests.

    Returns
    -------
    Masks or None
        None if nothing acts.

    Examples
    --------
    >>> import torch
    >>> stack, x, state = Stack("gru", zoneout=0.5), torch.ones(5, 2, 3), (torch.zeros(2, 4),)
    >>> draw_masks(stack, x, state, training=False).zoneout_h[4, 1]
    tensor([0.5000, 0.5000, 0.5000, 0.5000])
    >>> sorted(set(draw_masks(stack, x, state, training=True).zoneout_h.flatten().tolist()))
    [0.0, 1.0]
    """

    def kept(chance: float, part: Tensor) -> Tensor | None:
        if not chance:
            return None
        shape = (x.shape[0], *part.shape)
        if training:
            return part.new_empty(shape).bernoulli_(chance)
        return part.new_full((), chance).expand(shape)

    recurrent = None
    if training and stack.recurrent_dropout:
        recurrent = F.dropout(torch.ones_like(state[0]), stack.recurrent_dropout)
    masks = Masks(recurrent, kept(stack.zoneout, state[0]), kept(stack.zoneout_cell, state[-1]))
    return None if all(one is None for one in masks) else masks


def layer_by_layer(
    kernel: Kernel,
    stack: Stack,
    x: Tensor,
    state: State,
    weights: Sequence[Weights],
    lengths: Tensor | None = None,
    *,
    training: bool = False,
    decay: Tensor | None = None,
) -> tuple[Tensor, State]:
    """Run a stack with a kernel that knows one layer and one direction.

    Parameters
    ----------
    kernel : Kernel
        The implementation of the stack's cell.
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : tuple of Tensor, each (layers·directions, batch, size)
        Before the first step, in torch's order: layer 0 forward, layer 0 reverse, layer 1 …
    weights : sequence of Weights
        One for each layer and direction, in the same order.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.
    training : bool, default False
        Whether chance acts: dropout between layers, recurrent dropout, zoneout.
    decay : Tensor, shape (layers·directions, time, batch, outputs), optional
        Of a plan with decay: what is left of the state when each step begins.

    Returns
    -------
    output : Tensor, shape (time, batch, directions·outputs)
        Of the last layer.
    state : tuple of Tensor, each (layers·directions, batch, size)
        After each record's own last step.

    Examples
    --------
    >>> import torch
    >>> from recurra.kernels.elman import elman
    >>> one = Weights(torch.ones(1, 1), torch.zeros(1, 1))
    >>> two = Weights(torch.ones(1, 2), torch.zeros(1, 1))
    >>> stack = Stack("elman", num_layers=2, bidirectional=True)
    >>> x, zero = torch.ones(5, 3, 1), torch.zeros(4, 3, 1)
    >>> output, (h,) = layer_by_layer(elman, stack, x, (zero,), [one, one, two, two])
    >>> output.shape, h.shape
    (torch.Size([5, 3, 2]), torch.Size([4, 3, 1]))
    """
    finals: list[State] = []
    for layer in range(stack.num_layers):
        if layer and training and stack.dropout:
            x = F.dropout(x, stack.dropout)
        outputs = []
        for direction in range(stack.directions):
            run = layer * stack.directions + direction
            before = tuple(part[run] for part in state)
            masks = draw_masks(stack, x, before, training=training)
            given: dict[str, Any] = {"reverse": direction == 1}
            if masks is not None:  # Jordan's kernel takes none, nor a decay
                given["masks"] = masks
            if decay is not None:
                given["decay"] = decay[run]
            output, after = kernel(x, before, weights[run], lengths, **given)
            outputs.append(output)
            finals.append(after)
        x = torch.cat(outputs, dim=-1) if stack.bidirectional else outputs[0]
    return x, tuple(torch.stack(parts) for parts in zip(*finals, strict=True))
