"""A recurrent layer forward and back without autograd; its parameters' ``.grad`` grow."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from recurra.kernels.passes import Passes
from recurra.layers.recurrent import LayerState, Recurrent

__all__ = ["LayerPasses"]


class LayerPasses:
    """Runs a layer as its `forward` does, and back, in memory that is kept from step to step.

    It holds as long as the layer's parameters are the same and stay where they are.

    Parameters
    ----------
    layer : torch.nn.Module
        The layer.

    Examples
    --------
    >>> import recurra.layers
    >>> layer = recurra.layers.GRU(3, 8, batch_first=True)
    >>> passes, x = LayerPasses(layer), torch.ones(2, 5, 3)
    >>> for each in layer.parameters():
    ...     each.grad = torch.zeros_like(each)
    >>> if passes.able(x):
    ...     output, state = passes.forward(x)
    ...     passes.backward(torch.ones_like(output))
    """

    def __init__(self, layer: torch.nn.Module) -> None:
        self._layer, self._passes = layer, None
        if isinstance(layer, Recurrent) and _has_its_own_weights(layer):
            weights = layer._weights()
            self._passes = Passes(layer.stack, weights)
            self._parameters = [one for run in weights for one in run if one is not None]

    def able(self, x: Tensor) -> bool:
        """Say whether the layer runs an input in this way.

        Parameters
        ----------
        x : Tensor, shape (batch, steps, inputs)
            The input.

        Returns
        -------
        bool
            False for what only autograd can do: a layer that learns its first state, that drops
            units of what is fed back, whose weights are made of others; a GPU.
        """
        return self._passes is not None and self._passes.able(x)

    def forward(
        self, x: Tensor, state: LayerState | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, LayerState]:
        """Read whole sequences that it was just found `able` to read.

        Parameters
        ----------
        x : Tensor, shape (batch, steps, inputs)
            The input.
        state : Tensor or tuple of Tensor, each (layers·directions, batch, size), optional
            The state to go on from; without it zeros.
        lengths : Tensor of int64, shape (batch,), optional
            The real steps of each record.

        Returns
        -------
        output : Tensor, shape (batch, longest, directions·outputs)
            0 beyond a record's length; the steps end with the longest record.
        state : Tensor or tuple of Tensor, each (layers·directions, batch, size)
            After each record's own last step. Both are lost at the next forward pass, which may
            begin with that state.
        """
        layer, before = self._recurrent()
        parts = (state,) if isinstance(state, Tensor) else state
        output, after = before.forward(x, parts, lengths, training=layer.training)
        return output, layer._public(after)

    def incoming(self) -> tuple[Tensor, Tensor]:
        """Give room for what `backward` reads, to be filled.

        Returns
        -------
        incoming : Tensor, shape (batch, longest, directions·outputs)
            Of unknown content.
        last : Tensor, shape (directions, batch, outputs)
            Of unknown content.
        """
        return self._recurrent()[1].incoming()

    def backward(
        self, incoming: Tensor | None = None, last: Tensor | None = None, *, inputs: bool = False
    ) -> Tensor | None:
        """Go back through the last forward pass, and add what is found to the gradients.

        Parameters
        ----------
        incoming : Tensor, shape (batch, longest, directions·outputs), optional
            The gradient of the output; without it 0.
        last : Tensor, shape (directions, batch, outputs), optional
            The gradient of what the last layer said at each record's own last step; without it 0.
        inputs : bool, default False
            Whether the gradient of the input is wanted.

        Returns
        -------
        Tensor or None, shape (batch, longest, inputs)
            The gradient of the input.
        """
        gradients: Any = [each.grad for each in self._parameters]
        return self._recurrent()[1].backward(gradients, incoming, last, inputs=inputs)

    def _recurrent(self) -> tuple[Recurrent, Passes]:
        assert isinstance(self._layer, Recurrent)
        assert self._passes is not None
        return self._layer, self._passes


def _has_its_own_weights(layer: Recurrent) -> bool:
    """Whether a layer reads what `Passes` reads, with weights that are not made of others."""
    if type(layer).forward is not Recurrent.forward or not layer.batch_first:
        return False
    return not layer.learn_initial_state and "parametrizations" not in layer._modules
