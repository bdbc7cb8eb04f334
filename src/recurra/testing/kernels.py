"""A fast kernel equals its reference: values, state and gradients, on ragged batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from recurra.kernels import Kernel, Stack, State, Weights, native
from recurra.kernels.stack import draw_masks
from recurra.testing.strategies import RaggedBatch, over_ragged_batches

__all__ = ["BACKENDS", "check_gradients", "check_kernel", "draw_weights"]

BACKENDS = ("native", "aten", "reference") if native.engine else ("aten", "reference")
"""The backends there are in this installation."""


def draw_weights(
    gates: int,
    inputs: int,
    hidden: int,
    *,
    outputs: int | None = None,
    projection: bool = False,
    output_map: bool = False,
    peephole: bool = False,
    layer_norm: bool = False,
    cell_norm: bool = False,
    heads: int = 1,
    dtype: torch.dtype = torch.float64,
) -> Weights:
    """Draw weights for one layer and one direction, from torch's global generator.

    Parameters
    ----------
    gates : int
        1 for Elman and Jordan, 3 for GRU and the coupled LSTM, 4 for LSTM.
    inputs, hidden : int
        Width of the input and of the hidden layer.
    outputs : int, optional
        Width of what is fed back; without it ``hidden``.
    projection : bool, default False
        Whether to draw the LSTM's ``weight_hr``.
    output_map : bool, default False
        Whether to draw Jordan's ``weight_ho`` and ``bias_ho``.
    peephole : bool, default False
        Whether to draw the LSTM's ``weight_ch``.
    layer_norm : bool, default False
        Whether to draw ``gain_ih`` and ``gain_hh``.
    cell_norm : bool, default False
        Whether to draw the LSTM's ``gain_c`` and ``bias_c``.
    heads : int, default 1
        Blocks of ``weight_hh``.
    dtype : dtype, default float64
        Of the weights.

    Returns
    -------
    Weights
        Leaves that ask for a gradient.

    Examples
    --------
    >>> draw_weights(4, inputs=2, hidden=3).weight_ih.shape
    torch.Size([12, 2])
    """

    def leaf(*shape: int) -> Tensor:
        return (0.5 * torch.randn(shape, dtype=dtype)).requires_grad_()

    rows, outputs = gates * hidden, outputs or hidden
    return Weights(
        leaf(rows, inputs),
        leaf(rows, outputs // heads),
        leaf(rows),
        leaf(rows),
        leaf(outputs, hidden) if projection else None,
        leaf(outputs, hidden) if output_map else None,
        leaf(outputs) if output_map else None,
        leaf(gates - 1, hidden) if peephole else None,
        leaf(rows) if layer_norm else None,
        leaf(rows) if layer_norm else None,
        leaf(hidden) if cell_norm else None,
        leaf(hidden) if cell_norm else None,
    )


def check_kernel(
    kernel: Kernel,
    reference: Kernel,
    weights: Weights,
    state_sizes: tuple[int, ...],
    *,
    both_ways: bool = True,
    stack: Stack | None = None,
    examples: int = 20,
) -> None:
    """Check a kernel against its reference over ragged batches that hypothesis draws.

    Parameters
    ----------
    kernel : Kernel
        The fast one.
    reference : Kernel
        The law.
    weights : Weights
        Leaves that ask for a gradient; their dtype sets the tolerance, 1e-12 or 1e-6 of the scale,
        5e-5 where a layer norm magnifies what rounding did.
    state_sizes : tuple of int
        Width of each tensor of the state.
    both_ways : bool, default True
        Whether the kernel also runs in reverse.
    stack : Stack, optional
        A plan whose recurrent dropout and zoneout act, as in training and as out of it, and whose
        state decays.
    examples : int, default 20
        Batches to draw.

    Raises
    ------
    AssertionError
        With what differs, by how much, and the smallest batch found that shows it.

    Examples
    --------
    >>> from recurra.kernels.gru import gru
    >>> check_kernel(gru, gru, draw_weights(3, inputs=2, hidden=3), (3,), examples=2)
    """
    inputs, dtype = weights.weight_ih.shape[1], weights.weight_ih.dtype
    tolerance = 1e-12 if dtype == torch.float64 else 1e-6 if weights.gain_ih is None else 5e-5

    def agree(batch: RaggedBatch) -> None:
        for lengths in (batch.lengths, None):
            for reverse in (False, True)[: 1 + both_ways]:
                for options in _drawn(stack, batch, state_sizes):
                    options["reverse"] = reverse
                    case = (batch, lengths, weights, state_sizes, options)
                    fast, law = _everything(kernel, *case), _everything(reference, *case)
                    for (name, ours), theirs in zip(fast.items(), law.values(), strict=True):
                        apart = float((ours - theirs).abs().max())
                        scale = max(1.0, float(theirs.abs().max()))
                        assert apart <= tolerance * scale, (
                            f"{name} differs by {apart:.2e} (lengths={lengths}, {options})"
                        )

    over_ragged_batches(agree, inputs, dtype=dtype, examples=examples)


def check_gradients(
    kernel: Kernel, weights: Weights, state_sizes: tuple[int, ...], lengths: list[int]
) -> None:
    """Check a kernel's gradients against finite differences, in both directions.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    weights : Weights
        Float64 leaves that ask for a gradient.
    state_sizes : tuple of int
        Width of each tensor of the state.
    lengths : list of int
        The real steps of each record.

    Examples
    --------
    >>> from recurra.kernels.gru import gru
    >>> check_gradients(gru, draw_weights(3, inputs=1, hidden=2), (2,), [2, 0, 1])
    """
    batch, counts = len(lengths), torch.tensor(lengths)
    x = torch.randn(max(lengths), batch, weights.weight_ih.shape[1], dtype=torch.float64)
    state = [torch.randn(batch, size, dtype=torch.float64) for size in state_sizes]
    present = [name for name, one in weights._asdict().items() if one is not None]

    for reverse in (False, True):

        def call(x: Tensor, *rest: Tensor, reverse: bool = reverse) -> tuple[Tensor, ...]:
            before, given = rest[: len(state)], rest[len(state) :]
            named = Weights(**dict(zip(present, given, strict=True)))
            output, after = kernel(x, before, named, counts, reverse=reverse)
            return (output, *after)

        leaves = [x, *state, *(one for one in weights if one is not None)]
        leaves = [one.detach().clone().requires_grad_() for one in leaves]
        assert torch.autograd.gradcheck(call, leaves)


def _drawn(
    stack: Stack | None, batch: RaggedBatch, state_sizes: tuple[int, ...]
) -> list[dict[str, Any]]:
    """The options of a call: none, or the masks of training and of inference."""
    if stack is None:
        return [{}]
    x = batch.values.transpose(0, 1)
    state = tuple(x.new_zeros(x.shape[1], size) for size in state_sizes)
    decay = {}
    if stack.decay:
        chance = torch.Generator().manual_seed(2)
        shape = (*x.shape[:2], state_sizes[0])
        decay["decay"] = torch.rand(shape, generator=chance, dtype=x.dtype).requires_grad_()
    return [{"masks": draw_masks(stack, x, state, training=one)} | decay for one in (True, False)]


def _everything(
    kernel: Callable[..., tuple[Tensor, State]],
    batch: RaggedBatch,
    lengths: Tensor | None,
    weights: Weights,
    state_sizes: tuple[int, ...],
    options: dict[str, Any],
) -> dict[str, Tensor]:
    """Output, state and every gradient of one call, by name."""
    x = batch.values.transpose(0, 1).clone().requires_grad_()
    chance = torch.Generator().manual_seed(1)
    state = tuple(
        torch.randn(x.shape[1], size, generator=chance, dtype=x.dtype).requires_grad_()
        for size in state_sizes
    )
    output, after = kernel(x, state, weights, lengths, **options)
    found = {"output": output, **{f"state[{n}]": part for n, part in enumerate(after)}}
    sources = {"x": x, **{f"state[{n}] before": part for n, part in enumerate(state)}}
    sources |= {name: one for name, one in weights._asdict().items() if one is not None}
    sources |= {name: one for name, one in options.items() if name == "decay"}
    loss = torch.stack([(part * part.detach().cos()).sum() for part in found.values()]).sum()
    gradients = torch.autograd.grad(loss, list(sources.values()), materialize_grads=True)
    found |= {f"gradient of {name}": one for name, one in zip(sources, gradients, strict=True)}
    return {name: one.detach() for name, one in found.items()}
