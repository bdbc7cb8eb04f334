"""Products rounded to bfloat16 while gradients are computed, and at no other time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import nn

__all__ = ["Precision", "at_precision", "bfloat16_products"]

Precision = Literal["bfloat16"]

Add = Callable[..., tuple[float, int, Any]]


def at_precision(add: Add, precision: Precision | None, model: nn.Module) -> Add:
    """Let a function that adds gradients round what it multiplies.

    Parameters
    ----------
    add : callable
        Adds the gradients of a batch, as `Splitting.add` does.
    precision : {"bfloat16"} or None
        To what; None for the function as it is.
    model : torch.nn.Module
        Says where it is computed.

    Returns
    -------
    callable
        Called as `add` is.
    """
    if precision is None:
        return add
    device = next((each.device.type for each in model.parameters()), "cpu")

    def lower(batch: Any, state: Any = None) -> tuple[float, int, Any]:
        with bfloat16_products(device):
            return add(batch, state)

    return lower


@contextmanager
def bfloat16_products(device: str = "cpu") -> Iterator[None]:
    """Round to bfloat16 what is multiplied in here.

    On the CPU it is what ``torch.set_float32_matmul_precision("medium")`` does: tensors, sums and
    states stay float32, and only the operands of products are rounded, by the engine and, where it
    thinks it worthwhile, by torch. Where the processor has no such products, nothing changes. On a
    GPU it is autocast (Kalamkar et al. 2019, arXiv:1905.12322).

    Parameters
    ----------
    device : str
        Where it is computed.

    Examples
    --------
    >>> with bfloat16_products():
    ...     torch.backends.mkldnn.matmul.fp32_precision
    'bf16'
    """
    if device != "cpu":
        with torch.autocast(device, torch.bfloat16):
            yield
        return
    switches = [getattr(torch.backends.mkldnn, name) for name in ("matmul", "rnn", "conv")]
    before = [each.fp32_precision for each in switches]
    try:
        for each in switches:
            each.fp32_precision = "bf16"
        yield
    finally:
        for each, was in zip(switches, before, strict=True):
            each.fp32_precision = was
