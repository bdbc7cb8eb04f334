"""What networks share that know their own way back: who may take it, and linear maps."""

from __future__ import annotations

from itertools import chain
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
        members: list[dict[str, Any]] = [part._parameters for part in parts]
        members += [part._modules for part in parts]
        self._members = [*filter(None, members)]
        self._parameters = [*network.parameters()]
        self._are_plain = all(map(_is_plain, self._parameters))
        self._known = self._seen()

    def same(self) -> bool:
        """Say whether parts and parameters are those that were there, and lie where they did.

        Returns
        -------
        bool
            False if one was replaced, added, taken away or moved.
        """
        return self._seen() == self._known

    def _seen(self) -> list[int]:
        members = self._members
        seen = [*map(len, members), *map(id, chain.from_iterable(map(dict.values, members)))]
        return [*seen, *map(Tensor.data_ptr, self._parameters)] if self._are_plain else seen

    def plain(self) -> bool:
        """Say whether gradients may be written without autograd; make room for them.

        Returns
        -------
        bool
            False if a parameter is frozen or not a plain one on the CPU, or if there is a hook,
            which would not be called.
        """
        if not self._are_plain or any(self._hooks) or torch_modules._has_any_global_hook():
            return False
        for each in self._parameters:
            if each._backward_hooks or each._post_accumulate_grad_hooks or not each.requires_grad:
                return False
            if each.grad is None:
                each.grad = torch.zeros_like(each)
            if not (each.is_contiguous() and each.grad.is_contiguous()):
                return False
        return True


def _is_plain(parameter: Tensor) -> bool:
    return type(parameter) is nn.Parameter and parameter.is_cpu


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
