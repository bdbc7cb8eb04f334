"""The native engine as operators of torch: what ``torch.compile`` and ``torch.export`` see of it.

``recurra::layer`` runs one layer, both its directions; ``recurra::layer_backward`` goes back.
Compiled code cannot hold a block of the engine's own memory: what forward keeps is here a tensor
among the outputs, and backward spends a copy of it. Its size does not depend on the instruction
set, so that a graph made on one machine runs on another. While a graph is made nobody knows the
lengths: the operators read them, and therefore check them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from recurra.errors import OptionError, ShapeError
from recurra.kernels.calls import GATES, Calls, backward_calls, forward_calls
from recurra.kernels.native import by_reference, is_mapped
from recurra.kernels.recurrence import State, Weights, extent
from recurra.kernels.stack import Stack
from recurra.native import engine, missing

__all__ = ["check_lengths", "fits"]

_KEPT = {"elman": 0, "lstm": 5, "gru": 4}  # arrays that forward keeps of a step
_SPENT = {"elman": 1, "lstm": 5, "gru": 4}  # arrays that backward writes for a step
_WIDEST = 64  # bytes of the widest vector: narrower ones need less

_library = torch.library.Library("recurra", "DEF")
_library.define(
    "layer(Tensor x, Tensor? h0, Tensor? c0, Tensor[] weights, Tensor? lengths, str cell,"
    " str activation, bool bidirectional, bool keep) -> (Tensor, Tensor, Tensor, Tensor)",
    tags=(torch.Tag.pt2_compliant_tag,),
)
_library.define(
    "layer_backward(Tensor? dy, Tensor? dhn, Tensor? dcn, Tensor saved, Tensor y, Tensor x,"
    " Tensor? h0, Tensor? c0, Tensor[] weights, Tensor? lengths, str cell, str activation,"
    " bool bidirectional, bool[] needed) -> Tensor[]",
    tags=(torch.Tag.pt2_compliant_tag,),
)


def check_lengths(lengths: Tensor, steps: int, batch: int) -> tuple[int, int]:
    """Read the lengths of a batch, and check them.

    Parameters
    ----------
    lengths : Tensor of int64, shape (batch,)
        The real steps of each record.
    steps : int
        The extent of the time axis.
    batch : int
        How many records there are.

    Returns
    -------
    tuple of int
        The shortest and the longest length.

    Raises
    ------
    ShapeError
        If the count is not the batch, or a length is negative or beyond the time axis.

    Examples
    --------
    >>> check_lengths(torch.tensor([3, 0]), steps=5, batch=2)
    (0, 3)
    >>> check_lengths(torch.tensor([3, 9]), steps=5, batch=2)
    Traceback (most recent call last):
    ...
    recurra.errors.ShapeError: lengths[1] is 9, but the time axis holds 5 steps. ...
    """
    _check_count(lengths, batch)
    shortest, longest = extent(lengths)
    if shortest < 0:
        row = int(lengths.argmin())
        raise ShapeError(f"lengths[{row}] is {shortest}, but a record has 0 steps or more.")
    if longest > steps:
        raise ShapeError(
            f"lengths[{int(lengths.argmax())}] is {longest}, but the time axis holds {steps} "
            "steps. Pad x further or clip the length."
        )
    return shortest, longest


def _check_count(lengths: Tensor, batch: int) -> None:
    if lengths.dim() != 1 or lengths.shape[0] != batch:
        raise ShapeError(
            f"lengths has shape {tuple(lengths.shape)}, but there are {batch} records. Give one "
            "length a record, and see that batch_first says which axis of x is the batch."
        )


def fits(
    stack: Stack,
    x: Tensor,
    state: State | None,
    weights: Sequence[Weights],
    mixed: bool = False,
) -> bool:
    """Say whether all have the shapes and the type that the engine takes for granted.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : tuple of Tensor, each (layers·directions, batch, size), or None
        Before the first step.
    weights : sequence of Weights
        One for each layer and direction.
    mixed : bool, default False
        Whether the types may differ, as under autocast.

    Returns
    -------
    bool
        Whether they fit.

    Examples
    --------
    >>> x, one = torch.ones(5, 2, 3), Weights(torch.ones(12, 3), torch.ones(12, 4))
    >>> fits(Stack("gru"), x, None, [one]), fits(Stack("lstm"), x, None, [one])
    (True, False)
    """
    gates = GATES[stack.cell] - stack.coupled
    hidden = weights[0].weight_ih.shape[0] // gates
    outputs = weights[0].weight_hh.shape[-1] * stack.heads
    if outputs != hidden and not stack.projected:
        return False
    rows, runs, directions = gates * hidden, stack.runs, stack.directions
    (_, batch, inputs), dtype, fed_back = x.shape, x.dtype, (rows, outputs // stack.heads)
    wanted: list[tuple[Tensor | None, tuple[int, ...]]] = [
        (part, (runs, batch, size))
        for part, size in zip(state or (), (outputs, hidden), strict=False)
    ]
    for number, one in enumerate(weights):
        width = inputs if number < directions else directions * outputs
        wanted += (
            (one.weight_ih, (rows, width)),
            (one.weight_hh, fed_back),
            (one.bias_ih, (rows,)),
            (one.bias_hh, (rows,)),
            (one.weight_hr, (outputs, hidden)),
            (one.weight_ch, (gates - 1, hidden)),
        )
    for tensor, shape in wanted:
        if tensor is not None and (
            tensor.shape != shape or not (mixed or tensor.dtype is dtype) or not tensor.is_cpu
        ):
            return False
    return True


def _plan(
    x: Tensor, state: Sequence[Tensor | None], weights: Sequence[Tensor], *names: Any
) -> Stack:
    """The plan of the layer, if it can run with what is given."""
    cell, activation, both = names
    stack = Stack(cell, bidirectional=both, activation=activation)
    each, over = divmod(len(weights), stack.directions)
    if over or each not in (2, 4):
        raise ShapeError(
            f"There are {len(weights)} weights. Give 2, or 4 with biases, a direction."
        )
    before = tuple(part for part in state if part is not None)
    named = [Weights(*weights[at : at + each]) for at in range(0, len(weights), each)]
    if not fits(stack, x, before, named):
        given = ", ".join(f"{tuple(one.shape)} {one.dtype}" for one in (x, *before, *weights))
        raise ShapeError(
            f"x, state and weights are {given}, which do not fit each other in a layer of {cell} "
            "cells. Give them as torch.nn has them, all of the type of x."
        )
    return stack


def _rest(
    stack: Stack, h0: Tensor | None, c0: Tensor | None, weights: Sequence[Tensor]
) -> list[Tensor | None]:
    """The state before and four weights a direction, as `forward_calls` takes them."""
    state = (h0, c0) if stack.cell == "lstm" else (h0,)
    each = len(weights) // stack.directions
    ways = [weights[way * each : (way + 1) * each] for way in range(stack.directions)]
    return [*state, *(one for way in ways for one in (*way, None, None)[:4])]


def _block(stack: Stack, x: Tensor, weights: Sequence[Tensor], parts: dict[str, int]) -> Tensor:
    """Room for what each direction keeps of each step, in the widest vectors there are."""
    lanes = _WIDEST // x.element_size()
    padded = (weights[1].shape[1] + lanes - 1) // lanes * lanes
    return x.new_empty(stack.directions, *x.shape[:2], parts[stack.cell] * padded)


def _keeping(calls: Calls, block: Tensor) -> Calls:
    return [(*call, way.data_ptr()) for call, way in zip(calls, block, strict=True)]


def _layer(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: list[Tensor],
    lengths: Tensor | None,
    *options: Any,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Run one layer: y, h_n, c_n and what backward wants back; empty what there is none of."""
    cell, activation, bidirectional, keep = options
    stack = _plan(x, (h0, c0), weights, cell, activation, bidirectional)
    lengths = _checked(lengths, x)
    rest = _rest(stack, h0, c0, weights)
    (y, *after), calls, held = forward_calls(stack, lengths, x, rest)
    saved = x.new_empty(0)
    if keep and _KEPT[cell]:
        saved = _block(stack, x, weights, _KEPT)
        for call, way in zip(calls, saved, strict=True):
            # What ragged records leave over: the same input gives the same bits everywhere.
            way.view(-1)[engine.saved_size(call) // x.element_size() :].zero_()
        calls = _keeping(calls, saved)
    engine.forward(torch.get_num_threads(), *calls)
    del held
    return y, after[0], after[1] if cell == "lstm" else x.new_empty(0), saved


def _layer_fake(
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: list[Tensor],
    lengths: Tensor | None,
    *options: Any,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    cell, activation, bidirectional, keep = options
    stack = _plan(x, (h0, c0), weights, cell, activation, bidirectional)
    if lengths is not None:
        _check_count(lengths, x.shape[1])
    (steps, batch, _), hidden = x.shape, weights[1].shape[1]
    y = x.new_empty(steps, batch, stack.directions * hidden)
    h, c = (x.new_empty(stack.directions, batch, hidden) for _ in range(2))
    kept = keep and _KEPT[cell]
    saved = _block(stack, x, weights, _KEPT) if kept else x.new_empty(0)
    return y, h, c if cell == "lstm" else x.new_empty(0), saved


def _layer_backward(*given: Any) -> list[Tensor]:
    """Compute those gradients that are needed, of x, h0, c0 and all weights, and only those."""
    dy, dhn, dcn, saved, y, x, h0, c0, weights, lengths, cell, activation, both, needed = given
    stack = _plan(x, (h0, c0), weights, cell, activation, both)
    lengths = _checked(lengths, x)
    rest = _rest(stack, h0, c0, weights)
    _, calls, held = forward_calls(stack, lengths, x, rest)
    spent = _block(stack, x, weights, _SPENT)
    calls = _keeping(calls, spent)
    if saved.numel():
        spent.copy_(saved)
    elif _KEPT[cell]:
        engine.forward(torch.get_num_threads(), *calls)
    states = 2 if cell == "lstm" else 1
    wanted = [*needed[: 1 + states], *[needed[3]] * (len(rest) - states)]
    incoming = (dy, dhn, dcn)[: 1 + states]
    # Only its shape counts here: the gradient of x is laid out as the fake one.
    like, y = x.new_empty(x.shape), y.contiguous()
    gradients, back, also_held = backward_calls(stack, calls, like, y, rest, incoming, wanted)
    engine.backward(torch.get_num_threads(), *back)
    del held, also_held
    return [one for one in gradients if one is not None]


def _layer_backward_fake(*given: Any) -> list[Tensor]:
    *_, x, h0, c0, weights, _, _, _, _, needed = given
    singles = [one for one, need in zip((x, h0, c0), needed[:3], strict=True) if need]
    wanted = [*singles, *(weights if needed[3] else [])]
    return [one.new_empty(one.shape) for one in wanted if one is not None]


def _checked(lengths: Tensor | None, x: Tensor) -> Tensor | None:
    """The lengths as the engine reads them."""
    if engine is None:
        raise OptionError(f"{missing}. Build it, or run the layer itself: it knows other backends.")
    if lengths is None:
        return None
    check_lengths(lengths, *x.shape[:2])
    return lengths.to(torch.int64).contiguous()


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, h0, c0, weights, lengths, *ctx.names, _ = inputs
    y, _, _, saved = output
    ctx.mark_non_differentiable(saved)
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(saved, y, x, h0, c0, lengths, *weights)


def _go_back(ctx: Any, *incoming: Tensor | None) -> tuple[Any, ...]:
    saved, y, x, h0, c0, lengths, *weights = ctx.saved_tensors
    of_x, of_h0, of_c0, of_weights, *_ = ctx.needs_input_grad
    needed = [of_x, of_h0, of_c0, any(of_weights)]
    if torch.is_grad_enabled() or any(is_mapped(one) for one in incoming):  # create_graph=True
        found = iter(_with_graph(ctx.names, x, (h0, c0), weights, lengths, incoming, needed))
    else:
        rest = (saved, y, x, h0, c0, weights, lengths, *ctx.names, needed)
        found = iter(torch.ops.recurra.layer_backward(*incoming[:3], *rest))
    singles = [next(found) if need else None for need in needed[:3]]
    of_all = list(found) if needed[3] else [None] * len(weights)
    return *singles, of_all, None, None, None, None, None


def _with_graph(
    names: list[Any],
    x: Tensor,
    state: Sequence[Tensor | None],
    weights: Sequence[Tensor],
    lengths: Tensor | None,
    incoming: Sequence[Tensor | None],
    needed: Sequence[bool],
) -> list[Tensor]:
    """The same gradients as functions that have gradients themselves."""
    stack = _plan(x, state, weights, *names)
    zeros = x.new_zeros(stack.directions, x.shape[1], weights[1].shape[1])
    h0, c0 = (zeros if one is None else one for one in state)
    rest = _rest(stack, h0, c0, weights)
    states = 2 if stack.cell == "lstm" else 1
    wanted = [*needed[: 1 + states], *(needed[3] and one is not None for one in rest[states:])]
    with torch.enable_grad():
        found = by_reference(stack, lengths, (), x, rest, incoming[: 1 + states], wanted)
    return [one for one in found if one is not None]


_library.impl("layer", _layer, "CPU")
_library.impl("layer_backward", _layer_backward, "CPU")
torch.library.register_fake("recurra::layer", _layer_fake, lib=_library)
torch.library.register_fake("recurra::layer_backward", _layer_backward_fake, lib=_library)
torch.library.register_autograd("recurra::layer", _go_back, setup_context=_remember, lib=_library)
