"""The long short-term memory, as ``torch.nn.LSTM``."""

from __future__ import annotations

from typing import Any, final

import torch

from recurra.errors import OptionError
from recurra.kernels import Stack
from recurra.layers.recurrent import Recurrent

__all__ = ["LSTM"]


@final
class LSTM(Recurrent):
    """Long short-term memory; takes the place of ``torch.nn.LSTM``.

    ::

        i, f, g, o = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
        c_t = σ(f) ⊙ c_{t-1} + σ(i) ⊙ tanh(g)
        h_t = σ(o) ⊙ tanh(c_t)

    Parameters
    ----------
    input_size : int
        Width of the input.
    hidden_size : int
        Width of the hidden layer, and of the output without a projection.
    num_layers : int, default 1
        Layers on layers.
    bias : bool, default True
        Whether there are biases.
    batch_first : bool, default False
        Whether ``x`` is (batch, time, inputs) instead of (time, batch, inputs).
    dropout : float, default 0.0
        Probability of dropping a value between two layers while training.
    bidirectional : bool, default False
        Whether each layer also reads backwards.
    proj_size : int, default 0
        If above 0, ``h_t`` is projected to this width (arXiv:1402.1128).
    device : device, optional
        Of the parameters.
    dtype : dtype, optional
        Of the parameters.
    learn_initial_state : bool, default False
        Whether the state before the first step is learned.
    initialisation : {"torch", "orthogonal"}, default "torch"
        How the weights begin.
    forget_bias : float, optional
        Where the bias of the forget gate begins, both biases together; 1.0 keeps a long memory
        open from the start (Jozefowicz et al., ICML 2015). Without it, what ``initialisation``
        draws.

    References
    ----------
    S. Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997.

    Examples
    --------
    >>> import torch
    >>> layer = LSTM(3, 8, batch_first=True, forget_bias=1.0)
    >>> output, (h, c) = layer(torch.ones(2, 5, 3), lengths=[5, 2])
    >>> output.shape, torch.equal(output[1, 1], h[0, 1])
    (torch.Size([2, 5, 8]), True)
    """

    gates = 4
    letters = ("h", "c")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        learn_initial_state: bool = False,
        initialisation: str = "torch",
        forget_bias: float | None = None,
    ) -> None:
        if not 0 <= proj_size < hidden_size:
            raise OptionError(
                f"proj_size is {proj_size}, but must be below hidden_size={hidden_size}, or 0 for "
                "no projection."
            )
        if forget_bias is not None and not bias:
            raise OptionError("forget_bias needs bias=True.")
        self.proj_size = proj_size
        self.forget_bias = forget_bias
        super().__init__(
            Stack("lstm", num_layers, bidirectional, dropout),
            input_size,
            hidden_size,
            (proj_size or hidden_size, hidden_size),
            bias=bias,
            batch_first=batch_first,
            learn_initial_state=learn_initial_state,
            initialisation=initialisation,
            device=device,
            dtype=dtype,
        )

    def shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """Add the projection to `Recurrent.shapes`.

        Parameters
        ----------
        inputs : int
            Width of what the layer reads.

        Returns
        -------
        dict of str to tuple of int
            In the order of the fields.
        """
        projection = {"weight_hr": (self.proj_size, self.hidden_size)} if self.proj_size else {}
        return super().shapes(inputs) | projection

    def reset_parameters(self) -> None:
        """Draw the weights anew, as the constructor did, and open the forget gate as asked."""
        super().reset_parameters()
        if self.forget_bias is None:
            return
        forget = slice(self.hidden_size, 2 * self.hidden_size)
        with torch.no_grad():
            for weights in self._weights():
                if weights.bias_ih is not None and weights.bias_hh is not None:
                    weights.bias_ih[forget] = self.forget_bias
                    weights.bias_hh[forget] = 0
