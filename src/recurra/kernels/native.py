"""Backend "native": the compiled engine, one call for each layer and both its directions.

`recurra.kernels.calls` tells the engine where torch's tensors lie; this file says when, and gives
autograd its gradients. What forward keeps for backward lies in a block of the engine's own memory,
which backward spends: it overwrites the gates with their gradients. Who goes back twice, or asks
for `Stack.recompute`, pays for a second forward. A gradient of a gradient is left to the reference,
and so is the layer norm in the cell. What chance decides is drawn here, in the reference's order.

Products round what they multiply to bfloat16 where torch's switches say so, and where the processor
has such products: ``torch.set_float32_matmul_precision("medium")`` or its newer names in
``torch.backends.mkldnn``, autocast to bfloat16, tensors of bfloat16. Sums and states stay float32.
``"high"`` takes two parts of bfloat16 for a float32, forward, where the processor has AMX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from recurra.kernels.calls import (
    ACTIVATIONS,
    CELLS,
    Calls,
    Form,
    backward_calls,
    count_weights,
    forward_calls,
    operands_of,
)
from recurra.kernels.recurrence import Masks, State, Weights
from recurra.kernels.reference import kernel_of
from recurra.kernels.stack import Stack, draw_masks, zero_state
from recurra.native import (
    BFLOAT16,
    BFLOAT16_TWICE,
    engine,
    instruction_set,
    missing,
    multiplies_bfloat16,
)

__all__ = ["again", "by_reference", "is_mapped", "judge", "one_layer", "refuse", "run"]


def judge(stack: Stack, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]:  # noqa: ARG001
    """Say whether this backend runs an input.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input.
    lengths : Tensor of int64, shape (batch,), or None
        The real steps of each record; None if all fill the time axis.

    Returns
    -------
    able : bool
        Whether it does.
    reason : str
        Why, or why not, as half a sentence.

    Examples
    --------
    >>> judge(Stack("jordan"), torch.ones(5, 2, 3), None)[0]
    False
    """
    refusal = refuse(stack, x)
    if refusal is None and torch._C._are_functorch_transforms_active():
        refusal = "torch.func (vmap, jvp, …) cannot look into the native engine"
    if refusal is not None:
        return False, refusal
    return True, f"the compiled engine ({instruction_set()}){_words(x)}"


def refuse(stack: Stack, x: Tensor) -> str | None:
    """Say why the engine cannot run an input, in words that ``torch.compile`` can trace.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input.

    Returns
    -------
    str or None
        None if it can.
    """
    if engine is None:
        return missing
    if x.device.type != "cpu":
        return f"the native engine computes on the CPU, not on {x.device}"
    autocast = torch.is_autocast_enabled("cpu")
    if x.dtype not in (torch.float32, torch.float64, torch.bfloat16):
        return f"the native engine has no {x.dtype}"
    if stack.cell not in CELLS:
        return f"the native engine has no {stack.cell} cell"
    if stack.activation not in ACTIVATIONS:
        return f"the native engine has no Elman cell with {stack.activation}"
    if stack.layer_norm:
        return "the native engine has no layer norm in the cell: it would need a whole row at once"
    if stack.projected and (stack.cell != "lstm" or stack.heads > 1):
        return "the native engine projects an LSTM without heads only"
    if torch.compiler.is_compiling() and (stack.projected or stack.options):
        names = (*stack.options, *("proj_size" for _ in range(stack.projected)))
        return f"the native engine does not know {' and '.join(names)} where torch compiles"
    if autocast or x.dtype == torch.bfloat16:
        return _refuse_bfloat16(stack, x, autocast)
    return None


def _refuse_bfloat16(stack: Stack, x: Tensor, autocast: bool) -> str | None:
    kind = f"autocast of {x.dtype}" if autocast else str(x.dtype)
    if torch.compiler.is_compiling():
        return f"under torch.compile the native engine has no {kind}"
    if stack.options or stack.projected:
        return f"the native engine has options of cells without {kind} only"
    if not multiplies_bfloat16():
        return f"the native engine has no {kind} on this processor"
    if autocast and torch.get_autocast_dtype("cpu") != torch.bfloat16:
        return f"the native engine has no autocast to {torch.get_autocast_dtype('cpu')}"
    if x.dtype == torch.float64:
        return f"the native engine has no {kind}"
    return None


def _words(x: Tensor) -> str:
    """What there is to say about precision below float32 that was asked for."""
    operands = operands_of(x)
    if operands == BFLOAT16:
        if multiplies_bfloat16():
            return ", products of bfloat16 with sums in float32"
        return ", in float32: it has no products of bfloat16 here"
    if operands == BFLOAT16_TWICE:
        if multiplies_bfloat16(twice=True):
            return ", forward in products of bfloat16 in two parts, sums in float32"
        return ", in float32: it has nothing between that and bfloat16 here"
    return ""


def run(
    stack: Stack,
    x: Tensor,
    state: State | None,
    weights: Sequence[Weights],
    lengths: Tensor | None,
    training: bool,
    decay: Tensor | None = None,
) -> tuple[Tensor, State]:
    """Run a stack on an input that `judge` has let pass.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : tuple of Tensor, each (layers·directions, batch, size), or None
        Before the first step; None for zeros, which then cost nothing.
    weights : sequence of Weights
        One for each layer and direction.
    lengths : Tensor of int64, shape (batch,), or None
        The real steps of each record; None if all fill the time axis.
    training : bool
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
    >>> weights, zero = Weights(torch.ones(4, 3), torch.eye(4)), torch.zeros(1, 2, 4)
    >>> output, (h,) = run(Stack("elman"), torch.ones(5, 2, 3), (zero,), [weights], None, False)
    >>> output.shape
    torch.Size([5, 2, 4])
    """
    if x.dtype == torch.bfloat16 or torch.is_autocast_enabled("cpu"):
        return _run_bfloat16(stack, x, state, weights, lengths, training)
    operands = None  # read when the graph runs
    if not torch.compiler.is_compiling():
        operands = operands_of(x)
    return _run(stack, x, state, weights, lengths, training, operands, decay)


def _run_bfloat16(
    stack: Stack,
    x: Tensor,
    state: State | None,
    weights: Sequence[Weights],
    lengths: Tensor | None,
    training: bool,
) -> tuple[Tensor, State]:
    """Tensors of bfloat16, or autocast to it: float32 around the engine loses nothing.

    Under autocast results have the dtype that torch gives to those of a padded batch.
    """
    dtype = x.dtype
    if torch.is_autocast_enabled("cpu") and stack.cell != "gru":
        dtype = torch.bfloat16
    if state is not None:
        state = tuple(part.float() for part in state)
    weights = [Weights(*map(_float32, each)) for each in weights]  # type: ignore[arg-type]
    output, after = _run(stack, x.float(), state, weights, lengths, training, BFLOAT16)
    return output.to(dtype), tuple(part.to(dtype) for part in after)


def _run(
    stack: Stack,
    x: Tensor,
    state: State | None,
    weights: Sequence[Weights],
    lengths: Tensor | None,
    training: bool,
    operands: int | None,
    decay: Tensor | None = None,
) -> tuple[Tensor, State]:
    runs, states = stack.directions, 2 if stack.cell == "lstm" else 1
    chance = bool(stack.recurrent_dropout or stack.zoneout or stack.zoneout_cell)
    if chance and state is None:
        state = zero_state(stack, x, weights)
    finals: list[State] = []
    for layer in range(stack.num_layers):
        if layer and training and stack.dropout:
            x = F.dropout(x, stack.dropout)
        here = slice(layer * runs, (layer + 1) * runs)
        before: Sequence[Tensor | None] = (None,) * states
        masks: _Drawn = ()
        if state is not None:
            before = state if stack.num_layers == 1 else [part[here] for part in state]
            if chance:
                ways = zip(*before, strict=True)
                masks = tuple(draw_masks(stack, x, way, training=training) for way in ways)
        left = decay if decay is None or stack.num_layers == 1 else decay[here]
        x, *after = one_layer(stack, x, before, weights[here], lengths, masks, operands, left)
        finals.append(tuple(after))
    if len(finals) == 1:
        return x, finals[0]
    return x, tuple(torch.cat(parts) for parts in zip(*finals, strict=True))


_Drawn = Sequence[Masks | None]  # of each direction; empty where nothing was drawn


def one_layer(
    stack: Stack,
    x: Tensor,
    state: Sequence[Tensor | None],
    weights: Sequence[Weights],
    lengths: Tensor | None = None,
    masks: Sequence[Masks | None] = (),
    operands: int | None = None,
    decay: Tensor | None = None,
) -> tuple[Tensor, ...]:
    """Run one layer of a stack, with what chance has decided.

    Parameters
    ----------
    stack : Stack
        The plan; how many layers it has, and its chances, do not count here.
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : sequence of Tensor or None, each (directions, batch, size)
        Before the first step; None for zeros.
    weights : sequence of Weights
        One for each direction.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.
    masks : sequence of Masks or None, optional
        One for each direction.
    operands : int, optional
        0, `BFLOAT16` or `BFLOAT16_TWICE`; without it torch's switches say.
    decay : Tensor, shape (directions, time, batch, outputs), optional
        Of a plan with decay.

    Returns
    -------
    tuple of Tensor
        The output, (time, batch, directions·outputs), then the state after each record's last step.

    Examples
    --------
    >>> weights = Weights(torch.ones(12, 3), torch.ones(12, 2), weight_hr=torch.ones(2, 3))
    >>> plan, x = Stack("lstm", projected=True), torch.ones(5, 1, 3)
    >>> [part.shape for part in one_layer(plan, x, (None, None), [weights])]
    [torch.Size([5, 1, 2]), torch.Size([1, 1, 2]), torch.Size([1, 1, 3])]
    """
    flat = [weight for one in weights for weight in one[:4]]
    if count_weights(stack) > 4:
        flat = [weight for one in weights for weight in _of(stack, one)]
    if decay is not None:
        flat.append(decay)
    if torch.compiler.is_compiling():
        return _compiled(stack, lengths, x, *state, *flat)
    return _eager(stack, lengths, masks, operands, None, x, *state, *flat)


def _of(stack: Stack, weights: Weights) -> list[Tensor | None]:
    """The weights that the engine takes: torch's four, then those of the options."""
    hr, ch = [weights.weight_hr] * stack.projected, [weights.weight_ch] * stack.peephole
    return [*weights[:4], *hr, *ch]


def _eager(
    stack: Stack,
    lengths: Tensor | None,
    masks: _Drawn,
    operands: int | None,
    form: Form | None,
    x: Tensor,
    *rest: Tensor | None,
) -> tuple[Tensor, ...]:
    if torch.is_grad_enabled():
        return _Layer.apply(stack, lengths, masks, operands, form, x, *rest)
    return _forward(stack, lengths, masks, operands, form, x, rest)


def _forward(
    stack: Stack,
    lengths: Tensor | None,
    masks: _Drawn,
    operands: int | None,
    form: Form | None,
    x: Tensor,
    rest: Sequence[Tensor | None],
) -> tuple[Tensor, ...]:
    outputs, calls, held = _calls(stack, lengths, masks, operands, form, x, rest)
    assert engine is not None
    engine.forward(torch.get_num_threads(), *calls)
    del held
    return outputs


def _calls(
    stack: Stack,
    lengths: Tensor | None,
    masks: _Drawn,
    operands: int | None,
    form: Form | None,
    x: Tensor,
    rest: Sequence[Tensor | None],
) -> tuple[tuple[Tensor, ...], Calls, tuple[Tensor | None, ...]]:
    if form is None:
        return forward_calls(stack, lengths, x, rest, masks, operands)
    return form.calls(x, rest, lengths)


def _compiled(
    stack: Stack, lengths: Tensor | None, x: Tensor, *rest: Tensor | None
) -> tuple[Tensor, ...]:
    states = 2 if stack.cell == "lstm" else 1
    h0, c0 = (*rest[:states], None)[:2]
    weights = [one for one in rest[states:] if one is not None]
    names = (stack.cell, stack.activation, stack.bidirectional)
    keep = torch.is_grad_enabled() and not stack.recompute
    outputs = torch.ops.recurra.layer(x, h0, c0, weights, lengths, *names, keep)
    return outputs[: 1 + states]


def again(
    stack: Stack,
    form: Form,
    x: Tensor,
    state: Sequence[Tensor | None],
    weights: Sequence[Tensor | None],
    lengths: Tensor | None,
) -> tuple[Tensor, ...]:
    """Run one layer on what has the form of an input before.

    Parameters
    ----------
    stack : Stack
        The plan.
    form : Form
        The form.
    x : Tensor, shape (time, batch, inputs)
        The input.
    state : sequence of Tensor or None, each (directions, batch, size)
        Before the first step, in one piece; None for zeros.
    weights : sequence of Tensor or None
        Four for each direction, the same as they were.
    lengths : Tensor of int64, shape (batch,), or None
        The real steps of each record.

    Returns
    -------
    tuple of Tensor
        As `one_layer` gives them.
    """
    return _eager(stack, lengths, (), 0, form, x, *state, *weights)


class _Kept(NamedTuple):
    """What forward leaves for backward besides tensors that autograd keeps."""

    calls: Calls
    blocks: list[Any]
    held: tuple[Tensor | None, ...]


def _forward_kept(
    stack: Stack,
    lengths: Tensor | None,
    masks: _Drawn,
    operands: int | None,
    form: Form | None,
    x: Tensor,
    rest: Sequence[Tensor | None],
) -> tuple[tuple[Tensor, ...], _Kept]:
    outputs, calls, held = _calls(stack, lengths, masks, operands, form, x, rest)
    assert engine is not None
    blocks = [engine.block(engine.saved_size(call)) for call in calls]
    calls = [(*call, block.address) for call, block in zip(calls, blocks, strict=True)]
    engine.forward(torch.get_num_threads(), *calls)
    return outputs, _Kept(calls, blocks, held)


class _Layer(torch.autograd.Function):
    """One layer, both directions: ``(y, h_n, c_n) = f(x, h_0, c_0, weights)``."""

    @staticmethod
    def forward(
        ctx: Any,
        stack: Stack,
        lengths: Tensor | None,
        masks: _Drawn,
        operands: int | None,
        form: Form | None,
        x: Tensor,
        *rest: Tensor | None,
    ) -> tuple[Tensor, ...]:
        ctx.kept = None
        operands = operands_of(x) if operands is None else operands
        given = (stack, lengths, masks, operands, form, x, rest)
        if any(ctx.needs_input_grad) and not stack.recompute:
            outputs, ctx.kept = _forward_kept(*given)
        else:
            outputs = _forward(*given)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, outputs[0], *rest)
        ctx.stack, ctx.lengths, ctx.masks, ctx.operands = stack, lengths, masks, operands
        return outputs

    @staticmethod
    def backward(ctx: Any, *incoming: Tensor | None) -> tuple[Tensor | None, ...]:
        x, y, *rest = ctx.saved_tensors
        needed = ctx.needs_input_grad[5:]
        nothing = (None, None, None, None, None)
        if torch.is_grad_enabled() or any(map(is_mapped, incoming)):  # create_graph=True
            asked = (ctx.stack, ctx.lengths, ctx.masks, x, rest)
            return *nothing, *by_reference(*asked, incoming, needed)
        kept, ctx.kept = ctx.kept, None
        if kept is None:
            given = (ctx.stack, ctx.lengths, ctx.masks, ctx.operands, None, x, rest)
            (y, *_), kept = _forward_kept(*given)
        gradients, calls, held = backward_calls(ctx.stack, kept.calls, x, y, rest, incoming, needed)
        assert engine is not None
        engine.backward(torch.get_num_threads(), *calls)
        del held
        return *nothing, *gradients


def by_reference(
    stack: Stack,
    lengths: Tensor | None,
    masks: _Drawn,
    x: Tensor,
    rest: Sequence[Tensor | None],
    incoming: Sequence[Tensor | None],
    needed: Sequence[bool],
) -> list[Tensor | None]:
    """Compute gradients through the reference, as functions that have gradients themselves.

    Parameters
    ----------
    stack : Stack
        The plan.
    lengths : Tensor of int64, shape (batch,), or None
        The real steps of each record; None if all fill the time axis.
    masks : sequence
        What chance decided, for each direction; empty where it decided nothing.
    x : Tensor, shape (time, batch, inputs)
        The input.
    rest : sequence of Tensor or None
        The state before, the weights of each direction, and the decay where there is one.
    incoming : sequence of Tensor or None
        The gradients of the outputs and of the state after.
    needed : sequence of bool
        Of `x` and each of `rest`: whether its gradient is wanted.

    Returns
    -------
    list of Tensor or None
        The gradients, as wanted.
    """
    states, each = 2 if stack.cell == "lstm" else 1, count_weights(stack)
    optional = ("weight_hr",) * stack.projected + ("weight_ch",) * stack.peephole
    fields, kernel = (*Weights._fields[:4], *optional), kernel_of(stack)
    decay = rest[-1] if stack.decay else None
    ways = []
    with torch.enable_grad():
        for way in range(stack.directions):
            given = rest[states + each * way : states + each * way + each]
            weights = Weights(**dict(zip(fields, given, strict=True)))  # type: ignore[arg-type]
            zeros = zero_state(replace(stack, num_layers=1, bidirectional=False), x, [weights])
            before = tuple(
                zero[0] if part is None else part[way]
                for part, zero in zip(rest[:states], zeros, strict=True)
            )
            drawn = masks[way] if masks else None
            left = None if decay is None else decay[way]
            options: dict[str, Any] = {"reverse": way == 1, "masks": drawn, "decay": left}
            ways.append(kernel(x, before, weights, lengths, **options))
        outputs, finals = zip(*ways, strict=True)
        ends = (torch.stack(one) for one in zip(*finals, strict=True))
        values = (torch.cat(outputs, dim=-1), *ends)
    pairs = [
        (value, gradient)
        for value, gradient in zip(values, incoming, strict=True)
        if gradient is not None and value.requires_grad
    ]
    leaves = [one for one, need in zip((x, *rest), needed, strict=True) if need]
    if not pairs:  # no record has a step
        zero = iter([torch.zeros_like(one) for one in leaves])  # type: ignore[arg-type]
        return [next(zero) if need else None for need in needed]
    found = iter(
        torch.autograd.grad(
            [value for value, _ in pairs],
            leaves,  # type: ignore[arg-type]
            [gradient for _, gradient in pairs],
            create_graph=True,
            materialize_grads=True,
        )
    )
    return [next(found) if need else None for need in needed]


def _float32(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.float()


def is_mapped(gradient: Tensor | None) -> bool:
    """Say whether a gradient stands for many, as with ``is_grads_batched=True``.

    Parameters
    ----------
    gradient : Tensor or None
        The gradient.

    Returns
    -------
    bool
        True if it does: it has no address.

    Examples
    --------
    >>> is_mapped(torch.ones(2))
    False
    """
    return gradient is not None and (
        torch._C._functorch.is_legacy_batchedtensor(gradient)
        or torch._C._functorch.is_functorch_wrapped_tensor(gradient)
    )
