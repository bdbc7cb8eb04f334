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
    recurrent_dropout : float, default 0.0
        Probability of dropping, while training, a unit of the h_{t-1} that ``W_hh`` reads; drawn
        once a call, the same at all steps of a record: ``W_hh (h_{t-1} ⊙ m)``, m being 0 or
        1 / (1 - p) (arXiv:1512.05287).
    zoneout : float, default 0.0
        Probability that a unit of h keeps its former value, drawn at each step while training:
        ``h_t = k ⊙ h_{t-1} + (1 - k) ⊙ h̃_t``, k being 0 or 1, or p when not training
        (arXiv:1606.01305).
    zoneout_cell : float, default 0.0
        The same for c. The h̃_t of that step is computed from the new c, before it is zoned out.
    layer_norm : bool, default False
        Whether both products are normalised, over all rows together: ``LN(W_ih x_t) + b_ih`` and
        ``LN(W_hh h_{t-1}) + b_hh``, with the gains ``gain_ih`` and ``gain_hh``;
        and c where it is read: ``tanh(LN(c_t) + b_c)``, with ``gain_c`` and ``bias_c``
        (arXiv:1607.06450).
    peephole : bool, default False
        Whether the gates see the cell (Gers and Schmidhuber, IJCNN 2000): ``weight_ch`` has a row
        each for i, f and o; ``p_i ⊙ c_{t-1}``, ``p_f ⊙ c_{t-1}`` and ``p_o ⊙ c_t`` are added.
    coupled : bool, default False
        Whether the cell writes what it forgets (arXiv:1503.04069, CIFG): 1 - σ(f) for σ(i), and
        three gates (f, g, o) in all weights; peepholes are then those of f and o.
    heads : int, default 1
        Groups of units that feed back within themselves only, as in the sLSTM of arXiv:2405.04517:
        ``weight_hh`` has ``hidden_size / heads`` columns, and each of its rows reads the h of its
        own group.
    recompute : bool, default False
        Whether to keep only the states for the way back and to compute the gates again: less
        memory, about a third more time.

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
    >>> LSTM(3, 8, peephole=True, coupled=True, zoneout=0.05, zoneout_cell=0.5)
    LSTM(3, 8, zoneout=0.05, zoneout_cell=0.5, peephole=True, coupled=True)
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
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        zoneout_cell: float = 0.0,
        layer_norm: bool = False,
        peephole: bool = False,
        coupled: bool = False,
        heads: int = 1,
        recompute: bool = False,
    ) -> None:
        if not 0 <= proj_size < hidden_size:
            raise OptionError(
                f"proj_size is {proj_size}, but must be below hidden_size={hidden_size}, or 0 for "
                "no projection."
            )
        if forget_bias is not None and not bias:
            raise OptionError("forget_bias needs bias=True.")
        if proj_size and heads != 1:
            raise OptionError(
                "proj_size mixes the units that heads keep apart. Use heads=1, or proj_size=0."
            )
        self.proj_size = proj_size
        self.forget_bias = forget_bias
        self.gates = 3 if coupled else 4
        stack = Stack(
            "lstm",
            num_layers,
            bidirectional,
            dropout,
            recurrent_dropout=recurrent_dropout,
            zoneout=zoneout,
            zoneout_cell=zoneout_cell,
            layer_norm=layer_norm,
            peephole=peephole,
            coupled=coupled,
            heads=heads,
            projected=proj_size > 0,
            recompute=recompute,
        )
        super().__init__(
            stack,
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
        """Add projection, peepholes and the norm of c to `Recurrent.shapes`.

        Parameters
        ----------
        inputs : int
            Width of what the layer reads.

        Returns
        -------
        dict of str to tuple of int
            In the order of the fields.
        """
        shapes = super().shapes(inputs)
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        if self.stack.peephole:
            shapes["weight_ch"] = (self.gates - 1, self.hidden_size)
        if self.stack.layer_norm:
            shapes["gain_c"] = (self.hidden_size,)
            shapes |= {"bias_c": (self.hidden_size,)} if self.bias else {}
        return shapes

    def reset_parameters(self) -> None:
        """Draw the weights anew, as the constructor did, and open the forget gate as asked."""
        super().reset_parameters()
        if self.forget_bias is None:
            return
        first = (self.gates - 3) * self.hidden_size  # after i, if the gates are not coupled
        forget = slice(first, first + self.hidden_size)
        with torch.no_grad():
            for weights in self._weights():
                if weights.bias_ih is not None and weights.bias_hh is not None:
                    weights.bias_ih[forget] = self.forget_bias
                    weights.bias_hh[forget] = 0
