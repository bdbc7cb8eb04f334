"""Jordan's layer: what it puts out is what it remembers."""

from __future__ import annotations

from typing import Any, final

from recurra.errors import OptionError, near
from recurra.kernels import Stack
from recurra.layers.recurrent import Recurrent

__all__ = ["Jordan"]

_ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")


@final
class Jordan(Recurrent):
    """Jordan's recurrent layer: the output, not the hidden layer, is fed back.

    ::

        h_t = act(W_ih x_t + b_ih + W_hh y_{t-1} + b_hh)
        y_t = act_out(W_ho h_t + b_ho)

    Parameters
    ----------
    input_size : int
        Width of the input.
    hidden_size : int
        Width of the hidden layer.
    num_layers : int, default 1
        Layers on layers, each with its own output.
    nonlinearity : {"tanh", "relu", "sigmoid", "identity"}, default "tanh"
        The activation of the hidden layer.
    bias : bool, default True
        Whether there are biases.
    batch_first : bool, default False
        Whether ``x`` is (batch, time, inputs) instead of (time, batch, inputs).
    dropout : float, default 0.0
        Probability of dropping a value between two layers while training.
    bidirectional : bool, default False
        Whether each layer also reads backwards.
    device : device, optional
        Of the parameters.
    dtype : dtype, optional
        Of the parameters.
    output_size : int, optional
        Width of the output and of the state; without it ``hidden_size``.
    output_nonlinearity : {"identity", "tanh", "relu", "sigmoid"}, default "identity"
        The activation of the output.
    learn_initial_state : bool, default False
        Whether the output before the first step is learned.
    initialisation : {"torch", "orthogonal"}, default "torch"
        How the weights begin.

    References
    ----------
    M. I. Jordan, Serial order: a parallel distributed processing approach, ICS Report 8604, 1986.

    Examples
    --------
    >>> import torch
    >>> layer = Jordan(3, 8, output_size=2, batch_first=True)
    >>> output, y = layer(torch.ones(4, 5, 3))
    >>> torch.equal(output[:, -1], y[0])
    True
    """

    gates = 1
    letters = ("y",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        output_size: int | None = None,
        output_nonlinearity: str = "identity",
        learn_initial_state: bool = False,
        initialisation: str = "torch",
    ) -> None:
        for name in (nonlinearity, output_nonlinearity):
            if name not in _ACTIVATIONS:
                raise OptionError(
                    f"There is no nonlinearity {name!r}. {near(str(name), _ACTIVATIONS)}"
                )
        super().__init__(
            Stack("jordan", num_layers, bidirectional, dropout, nonlinearity, output_nonlinearity),
            input_size,
            hidden_size,
            (hidden_size if output_size is None else output_size,),
            bias=bias,
            batch_first=batch_first,
            learn_initial_state=learn_initial_state,
            initialisation=initialisation,
            device=device,
            dtype=dtype,
        )

    @property
    def nonlinearity(self) -> str:
        """The activation of the hidden layer."""
        return self.stack.activation

    @property
    def output_nonlinearity(self) -> str:
        """The activation of the output."""
        return self.stack.output_activation

    def arguments(self) -> dict[str, Any]:
        """Name the width of one direction's output in `Recurrent.arguments`.

        Returns
        -------
        dict of str to object
            Of the constructor, by name.
        """
        return super().arguments() | {"output_size": self.state_sizes[0]}

    def shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """Add the map from hidden to output to `Recurrent.shapes`.

        Parameters
        ----------
        inputs : int
            Width of what the layer reads.

        Returns
        -------
        dict of str to tuple of int
            In the order of the fields.
        """
        outputs = self.state_sizes[0]
        shapes = super().shapes(inputs) | {"weight_ho": (outputs, self.hidden_size)}
        return shapes | ({"bias_ho": (outputs,)} if self.bias else {})
