"""What networks share that know their own way back: who may take it, and linear maps."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_modules

__all__ = ["back_through", "unwatched"]


def unwatched(parts: Iterable[nn.Module]) -> bool:
    """Say whether gradients may be written without autograd; make room for them.

    Parameters
    ----------
    parts : iterable of torch.nn.Module
        All modules that take part.

    Returns
    -------
    bool
        False if a parameter is frozen or not a plain one on the CPU, or if there is a hook, which
        would not be called.

    Examples
    --------
    >>> layer = nn.Linear(3, 1)
    >>> unwatched([layer]), layer.weight.grad
    (True, tensor([[0., 0., 0.]]))
    >>> _ = layer.register_forward_hook(print)
    >>> unwatched([layer])
    False
    """
    if torch_modules._has_any_global_hook():
        return False
    for part in parts:
        if part._forward_hooks or part._forward_pre_hooks:
            return False
        if part._backward_hooks or part._backward_pre_hooks:
            return False
        for each in part._parameters.values():
            if each is not None and not _plain(each):
                return False
    return True


def _plain(parameter: Tensor) -> bool:
    if type(parameter) is not nn.Parameter or not parameter.requires_grad:
        return False
    if parameter._backward_hooks or parameter._post_accumulate_grad_hooks:
        return False
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.is_cpu and parameter.grad.layout is torch.strided


def back_through(linear: nn.Linear, read: Tensor, incoming: Tensor) -> None:
    """Add the gradients of a linear map's weights.

    Parameters
    ----------
    linear : torch.nn.Linear
        The map.
    read : Tensor, shape (rows, inputs)
        What it read.
    incoming : Tensor, shape (rows, outputs)
        The gradient of what it gave.

    Examples
    --------
    >>> layer = nn.Linear(2, 1)
    >>> _ = unwatched([layer])
    >>> with torch.no_grad():
    ...     back_through(layer, torch.ones(5, 2), torch.ones(5, 1))
    >>> layer.weight.grad, layer.bias.grad
    (tensor([[5., 5.]]), tensor([5.]))
    """
    assert linear.weight.grad is not None
    linear.weight.grad.addmm_(incoming.t(), read)
    if linear.bias is not None:
        assert linear.bias.grad is not None
        linear.bias.grad.add_(incoming.sum(0))
