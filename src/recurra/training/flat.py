"""All parameters of a model as one piece of memory, and all gradients as another.

A small network is many small tensors, and each operation on a tensor costs a microsecond however
small it is. On one piece, setting gradients to zero, measuring and shortening them, and a step of
the optimizer are one operation each. The model notices nothing: its parameters are views.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Flat", "add_gradients", "flatten"]

RUN = 1024  # numbers whose squares are summed first; pieces are filled up to a multiple of it


class Flat:
    """A model's parameters and gradients, each in one piece for every type and device.

    Make one with `flatten`. It holds as long as the parameters stay where they are: after
    ``model.to(…)`` make another.

    Attributes
    ----------
    parameters : list of Tensor, each of shape (numbers,)
        The pieces; `torch.nn.Module.parameters` are views of them.
    gradients : list of Tensor, each of shape (numbers,)
        Their gradients; ``.grad`` of the parameters are views of these.
    views : list of Parameter
        The parameters themselves.
    """

    def __init__(
        self, parameters: list[Tensor], gradients: list[Tensor], views: list[nn.Parameter]
    ) -> None:
        self.parameters, self.gradients, self.views = parameters, gradients, views

    def zero(self) -> None:
        """Set all gradients to zero."""
        for each in self.gradients:
            each.zero_()

    def release(self) -> None:
        """Give each parameter memory of its own, without a gradient; the pieces are done with.

        A parameter that is a view takes the whole piece with it into a pickle.

        Examples
        --------
        >>> layer = nn.Linear(3, 2)
        >>> flatten(layer).release()
        >>> layer.bias.untyped_storage().nbytes(), layer.bias.grad
        (8, None)
        """
        for each in self.views:
            each.grad, each.data = None, each.data.clone()

    def norm(self) -> Tensor:
        r"""Measure the gradient.

        Returns
        -------
        Tensor, scalar
            :math:`\sqrt{\sum_i g_i^2}`, summed in runs of 1024, then over the runs, so that its
            bits do not depend on how many threads there are.

        Examples
        --------
        >>> layer = nn.Linear(2, 1)
        >>> flat = flatten(layer)
        >>> layer(torch.tensor([3.0, 4.0])).backward()
        >>> round(float(flat.norm()) ** 2)
        26
        """
        runs = [
            torch.linalg.vector_norm(torch.linalg.vector_norm(each.view(-1, RUN), dim=1))
            for each in self.gradients
        ]
        if len(runs) == 1:
            return runs[0]
        first = runs[0].device
        return torch.linalg.vector_norm(torch.stack([each.double().to(first) for each in runs]))


@torch.no_grad()
def flatten(module: nn.Module) -> Flat:
    """Lay the parameters of a model that are trained side by side, with gradients of zero.

    Parameters
    ----------
    module : torch.nn.Module
        The model; names, shapes and values of its parameters stay, and so does ``state_dict``.

    Returns
    -------
    Flat
        The pieces, filled up with zeros to a multiple of 1024 numbers.

    Examples
    --------
    >>> layer = nn.Linear(3, 2)
    >>> flat = flatten(layer)
    >>> _ = flat.parameters[0].fill_(0.5)
    >>> layer.bias.tolist()
    [0.5, 0.5]
    >>> layer(torch.ones(3)).sum().backward()
    >>> flat.gradients[0][:8].tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    kinds: dict[Any, list[nn.Parameter]] = {}
    for each in module.parameters():
        if each.requires_grad:
            kinds.setdefault((each.device, each.dtype), []).append(each)
    pieces, gradients, views = [], [], []
    for (device, dtype), parameters in kinds.items():
        count = -(-sum(each.numel() for each in parameters) // RUN) * RUN
        piece = torch.zeros(count, device=device, dtype=dtype)
        gradient = torch.zeros_like(piece)
        start = 0
        for each in parameters:
            here = slice(start, start + each.numel())
            piece[here] = each.reshape(-1)
            each.data = piece[here].view(each.shape)
            each.grad = gradient[here].view(each.shape)
            start = here.stop
        views += parameters
        pieces.append(piece)
        gradients.append(gradient)
    return Flat(pieces, gradients, views)


def add_gradients(model: nn.Module, batch: Any, state: Any = None) -> tuple[float, int, Any]:
    """Add the gradients of a batch's summed loss to ``.grad``: by the model itself, or autograd.

    Parameters
    ----------
    model : torch.nn.Module
        With ``loss(batch, state) -> (sum, count, state)``. It may also have
        ``loss_and_gradients(batch, state)``, which does all of this faster, or returns None where
        it cannot.
    batch : object
        As the model reads it.
    state : nested tuple of Tensor, or None
        What was carried from the chunk before.

    Returns
    -------
    total : float
        The summed loss.
    count : int
        How many targets were counted.
    state : nested tuple of Tensor, or None
        What is to be carried on, without a graph.

    Examples
    --------
    >>> class Squares(nn.Linear):
    ...     def loss(self, batch, state):
    ...         return self(batch).square().sum(), torch.tensor(len(batch)), None
    >>> model = Squares(1, 1, bias=False)
    >>> flat = flatten(model)
    >>> _ = flat.parameters[0][0].fill_(0.5)
    >>> add_gradients(model, torch.ones(4, 1)), flat.gradients[0][0].item()
    ((1.0, 4, None), 4.0)
    """
    fast = getattr(model, "loss_and_gradients", None)
    found = None if fast is None else fast(batch, state)
    if found is not None:
        total, count, state = found
        return total, count, state
    summed, counted, state = model.loss(batch, state)  # type: ignore[operator]
    summed.backward()
    return summed.item(), int(counted), _detached(state)


def _detached(state: Any) -> Any:
    if isinstance(state, tuple):
        return tuple(_detached(each) for each in state)
    return None if state is None else state.detach()
