"""A recurrent layer forward and back without autograd; its parameters' ``.grad`` grow."""

from __future__ import annotations

import torch
from torch import Tensor

from recurra.kernels.passes import Passes
from recurra.layers.recurrent import LayerState, Recurrent

__all__ = ["LayerPasses"]


class LayerPasses:
    """Runs a layer as its `forward` does, and back, in memory that is kept from step to step.

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
        self._layer = layer
        self._passes = Passes(layer.stack) if isinstance(layer, Recurrent) else None

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
        layer = self._layer
        if self._passes is None or not isinstance(layer, Recurrent):
            return False
        if type(layer).forward is not Recurrent.forward or not layer.batch_first:
            return False
        if layer.learn_initial_state or "parametrizations" in layer._modules:
            return False
        return self._passes.able(x, layer._weights())

    def forward(
        self, x: Tensor, state: LayerState | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, LayerState]:
        """Read whole sequences that it is `able` to read.

        Parameters
        ----------
        x : Tensor, shape (batch, steps, inputs)
            The input; it must not change until `backward` is done.
        state : Tensor or tuple of Tensor, each (layers·directions, batch, size), optional
            The state to go on from; without it zeros.
        lengths : Tensor of int64, shape (batch,), optional
            The real steps of each record.

        Returns
        -------
        output : Tensor, shape (batch, longest, directions·outputs)
            0 beyond a record's length; the steps end with the longest record. It is lost at the
            next forward pass.
        state : Tensor or tuple of Tensor, each (layers·directions, batch, size)
            After each record's own last step.
        """
        layer, before = self._recurrent()
        parts = (state,) if isinstance(state, Tensor) else state
        output, after = before.forward(x, layer._weights(), parts, lengths, training=layer.training)
        return output, layer._public(after)

    def backward(self, incoming: Tensor, *, inputs: bool = False) -> Tensor | None:
        """Go back through the last forward pass, and add what is found to the gradients.

        Parameters
        ----------
        incoming : Tensor, shape (batch, longest, directions·outputs)
            The gradient of the output.
        inputs : bool, default False
            Whether the gradient of the input is wanted.

        Returns
        -------
        Tensor or None, shape (batch, longest, inputs)
            The gradient of the input.
        """
        layer, passes = self._recurrent()
        weights = [each for run in layer._weights() for each in run if each is not None]
        gradients = [each.grad for each in weights]
        return passes.backward(incoming, gradients, inputs=inputs)  # type: ignore[arg-type]

    def _recurrent(self) -> tuple[Recurrent, Passes]:
        assert isinstance(self._layer, Recurrent)
        assert self._passes is not None
        return self._layer, self._passes
