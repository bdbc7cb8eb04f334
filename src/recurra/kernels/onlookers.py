"""Who looks on while a layer runs: what must see each operation cannot look into compiled code."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd import forward_ad

__all__ = ["onlooker", "transformed"]

_PLAIN = frozenset({Tensor, torch.nn.Parameter, type(None)})


def transformed() -> str | None:
    """Name the transformation of functions that is at work, if one is.

    Returns
    -------
    str or None
        ``torch.func`` or forward-mode differentiation, as the subject of a sentence.

    Examples
    --------
    >>> _ = torch.func.vmap(lambda x: (print(transformed()), x)[1])(torch.ones(3))
    torch.func (vmap, …)
    >>> transformed() is None
    True
    """
    if torch._C._functorch.get_dynamic_layer_stack_depth():
        return "torch.func (vmap, …)"
    if forward_ad._current_level >= 0:
        return "forward-mode autograd"
    return None


def onlooker(x: Tensor, weights: Sequence[Sequence[Tensor | None]] = ()) -> str | None:
    """Name what must see every operation and would see none of the native engine's, if anything.

    ``torch.compile`` and ``torch.export`` are none: they see the engine as an operator.

    Parameters
    ----------
    x : Tensor
        The input.
    weights : sequence of Weights
        The weights, or the first of them.

    Returns
    -------
    str or None
        A trace, a mode, a type of tensor: as the subject of a sentence.

    Examples
    --------
    >>> onlooker(torch.ones(1)) is None
    True
    >>> from torch.utils.flop_counter import FlopCounterMode
    >>> with FlopCounterMode(display=False):
    ...     onlooker(torch.ones(1))
    'a dispatch mode'
    """
    found = transformed()
    if found is not None or torch.compiler.is_compiling():
        return found
    if torch._C._len_torch_dispatch_stack():
        return "a dispatch mode"
    if torch._C._is_tracing():
        return "torch.jit.trace"
    for run in ((x,), *weights):
        if not _PLAIN.issuperset(map(type, run)):
            return next(type(one).__name__ for one in run if type(one) not in _PLAIN)
    return None
