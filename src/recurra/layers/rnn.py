"""Elman's layer, as ``torch.nn.RNN``: one state, one activation."""

from __future__ import annotations

from typing import Any, final

from recurra.errors import OptionError, near
from recurra.kernels import Stack
from recurra.layers.recurrent import Recurrent

__all__ = ["RNN"]

_NONLINEARITIES = ("tanh", "relu", "sigmoid")


@final
class RNN(Recurrent):
    """Elman's simple recurrent layer; takes the place of ``torch.nn.RNN``.

    ::

        h_t = act(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)

    Parameters
    ----------
    input_size : int
        Width of the input.
    hidden_size : int
        Width of the hidden layer and of the output.
    num_layers : int, default 1
        Layers on layers.
    nonlinearity : {"tanh", "relu", "sigmoid"}, default "tanh"
        The activation; torch has no ``"sigmoid"``.
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
    learn_initial_state : bool, default False
        Whether the state before the first step is learned.
    initialisation : {"torch", "orthogonal"}, default "torch"
        How the weights begin.
    recurrent_dropout : float, default 0.0
        Probability of dropping, while training, a unit of the h_{t-1} that ``W_hh`` reads; drawn
        once a call, the same at all steps of a record: ``W_hh (h_{t-1} ⊙ m)``, m being 0 or
        1 / (1 - p) (arXiv:1512.05287).
    zoneout : float, default 0.0
        Probability that a unit of h keeps its former value, drawn at each step while training:
        ``h_t = k ⊙ h_{t-1} + (1 - k) ⊙ h̃_t``, k being 0 or 1, or p when not training
        (arXiv:1606.01305).
    layer_norm : bool, default False
        Whether both products are normalised, over all rows together: ``LN(W_ih x_t) + b_ih`` and
        ``LN(W_hh h_{t-1}) + b_hh``, with the gains ``gain_ih`` and ``gain_hh``
        (arXiv:1607.06450).
    heads : int, default 1
        Groups of units that feed back within themselves only, as in the sLSTM of arXiv:2405.04517:
        ``weight_hh`` has ``hidden_size / heads`` columns, and each of its rows reads the h of its
        own group.
    recompute : bool, default False
        Whether to keep only the states for the way back and to compute the gates again: less
        memory, about a third more time.

    References
    ----------
    J. L. Elman, Finding structure in time, Cognitive Science 14(2), 1990.

    Examples
    --------
    >>> import torch
    >>> layer = RNN(3, 8, batch_first=True)
    >>> output, h = layer(torch.ones(2, 5, 3), lengths=[5, 2])
    >>> output.shape, h.shape
    (torch.Size([2, 5, 8]), torch.Size([1, 2, 8]))
    >>> RNN(3, 8, recurrent_dropout=0.25).eval().step(torch.ones(2, 3))[0].shape
    torch.Size([2, 8])
    """

    gates = 1
    letters = ("h",)

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
        learn_initial_state: bool = False,
        initialisation: str = "torch",
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        layer_norm: bool = False,
        heads: int = 1,
        recompute: bool = False,
    ) -> None:
        if nonlinearity not in _NONLINEARITIES:
            hint = near(str(nonlinearity), _NONLINEARITIES)
            raise OptionError(f"There is no nonlinearity {nonlinearity!r}. {hint}")
        stack = Stack(
            "elman",
            num_layers,
            bidirectional,
            dropout,
            activation=nonlinearity,
            recurrent_dropout=recurrent_dropout,
            zoneout=zoneout,
            layer_norm=layer_norm,
            heads=heads,
            recompute=recompute,
        )
        super().__init__(
            stack,
            input_size,
            hidden_size,
            (hidden_size,),
            bias=bias,
            batch_first=batch_first,
            learn_initial_state=learn_initial_state,
            initialisation=initialisation,
            device=device,
            dtype=dtype,
        )

    @property
    def nonlinearity(self) -> str:
        """The activation."""
        return self.stack.activation
