"""What networks share that know their own way back: who may take it, and linear maps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_modules

__all__ = ["Watch", "back_through"]

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Watch:
    """Looks whether a network is still as it was, and its gradients may be written past autograd.

    Parameters
    ----------
    network : torch.nn.Module
        The network, with all its parts.

    Examples
    --------
    >>> layer = nn.Linear(3, 1)
    >>> watch = Watch(layer)
    >>> watch.same(), watch.plain(), layer.weight.grad
    (True, True, tensor([[0., 0., 0.]]))
    >>> _ = layer.register_forward_hook(print)
    >>> watch.plain()
    False
    >>> layer.bias = nn.Parameter(torch.ones(1))
    >>> watch.same()
    False
    """

    def __init__(self, network: nn.Module) -> None:
        parts = [*network.modules()]
        self._hooks: list[dict[int, Any]] = [
            getattr(part, name) for part in parts for name in _HOOKS
        ]
        named: list[dict[str, Any]] = [part._parameters for part in parts if part._parameters]
        named += [part._modules for part in parts if part._modules]
        self._members = [(names, [*map(id, names.values())]) for names in named]
        self._parameters = [*network.parameters()]

    def same(self) -> bool:
        """Say whether parts and parameters are those that were there.

        Returns
        -------
        bool
            False if one was replaced, added or taken away.
        """
        return all([*map(id, names.values())] == known for names, known in self._members)

    def plain(self) -> bool:
        """Say whether gradients may be written without autograd; make room for them.

        Returns
        -------
        bool
            False if a parameter is frozen or not a plain one on the CPU, or if there is a hook,
            which would not be called.
        """
        if any(self._hooks) or torch_modules._has_any_global_hook():
            return False
        return all(map(_plain, self._parameters))


def _plain(parameter: Tensor) -> bool:
    if type(parameter) is not nn.Parameter or not parameter.requires_grad:
        return False
    if parameter._backward_hooks or parameter._post_accumulate_grad_hooks:
        return False
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.is_cpu and parameter.is_contiguous() and parameter.grad.is_contiguous()


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
    >>> _ = Watch(layer).plain()
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
