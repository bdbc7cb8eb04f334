"""The gated recurrent unit, as ``torch.nn.GRU``."""

from __future__ import annotations

from typing import Any, final

from recurra.kernels import Stack
from recurra.layers.recurrent import Recurrent

__all__ = ["GRU"]


@final
class GRU(Recurrent):
    """Gated recurrent unit; takes the place of ``torch.nn.GRU``.

    ::

        r_t = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
        z_t = σ(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
        n_t = tanh(W_in x_t + b_in + r_t ⊙ (W_hn h_{t-1} + b_hn))
        h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}

    Parameters
    ----------
    input_size : int
        Width of the input.
    hidden_size : int
        Width of the hidden layer and of the output.
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
    K. Cho et al., Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078.

    Examples
    --------
    >>> import torch
    >>> layer = GRU(3, 8, num_layers=2, bidirectional=True, batch_first=True)
    >>> output, h = layer(torch.ones(2, 5, 3), lengths=[5, 2])
    >>> output.shape, h.shape
    (torch.Size([2, 5, 16]), torch.Size([4, 2, 8]))
    >>> GRU(3, 8, heads=2, layer_norm=True).weight_hh_l0.shape
    torch.Size([24, 4])
    """

    gates = 3
    letters = ("h",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
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
        stack = Stack(
            "gru",
            num_layers,
            bidirectional,
            dropout,
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
