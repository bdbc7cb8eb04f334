"""The gated recurrent unit that knows how old its input is: missing values, uneven times."""

from __future__ import annotations

import inspect
import math
from typing import Any, ClassVar, NamedTuple, cast, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence

from recurra import kernels
from recurra.errors import OptionError
from recurra.kernels import Stack
from recurra.kernels.recurrence import extent
from recurra.layers.door import check_input, check_lengths, check_observed, check_state, check_times
from recurra.layers.observations import Sighting, look_back
from recurra.layers.recurrent import LayerState, Lengths, Recurrent

__all__ = ["GRUD", "GRUDState"]


class GRUDState(NamedTuple):
    """What `GRUD` carries from step to step.

    Parameters
    ----------
    h : Tensor, shape (1, batch, hidden)
        The hidden state.
    value : Tensor, shape (1, batch, inputs)
        The last observed value of each channel; the layer's ``mean`` before there was one.
    time : Tensor of float64, shape (1, batch, inputs)
        When that was; the time of the record's first step before there was one.
    steps : Tensor of float64, shape (1, batch, 1)
        How many steps the record has had.
    """

    h: Tensor
    value: Tensor
    time: Tensor
    steps: Tensor


@final
class GRUD(Recurrent):
    """Gated recurrent unit with decay, GRU-D: reads values that are missing, at uneven times.

    With m_t which channels of x_t are observed, x' the last value observed of each, and δ_t the
    time since then (since the record's first step, if there was none)::

        γx_t = exp(-max(0, w_dx ⊙ δ_t + b_dx))         what is left of a value
        γh_t = exp(-max(0, W_dh δ_t + b_dh))           what is left of the state
        x̂_t = m_t ⊙ x_t + (1 - m_t) ⊙ (γx_t ⊙ x' + (1 - γx_t) ⊙ mean)
        h_t = GRU([x̂_t, m_t], γh_t ⊙ h_{t-1})

    One layer, one direction: put a `GRU` on its output for more. A value that is not observed may
    be anything, NaN included: it is never felt.

    Parameters
    ----------
    input_size : int
        Width of the input: the channels.
    hidden_size : int
        Width of the hidden layer and of the output.
    num_layers : int, default 1
        Layers on layers: 1.
    bias : bool, default True
        Whether there are biases, those of the decays among them.
    batch_first : bool, default False
        Whether ``x`` is (batch, time, inputs) instead of (time, batch, inputs).
    bidirectional : bool, default False
        Whether it also reads backwards: False.
    device : device, optional
        Of the parameters.
    dtype : dtype, optional
        Of the parameters.
    initialisation : {"torch", "orthogonal"}, default "torch"
        How the weights of the GRU begin. The decays begin slow: their weights uniform from 0 to
        1/√hidden, those of h divided by the number of channels, their biases 0.
    recurrent_dropout : float, default 0.0
        As of `GRU`.
    zoneout : float, default 0.0
        As of `GRU`; what is kept is what decay has left.
    input_decay : bool, default True
        Whether a value decays towards the mean; else the last one stands until the next comes.
    state_decay : bool, default True
        Whether the state decays.
    recompute : bool, default False
        As of `GRU`.

    Attributes
    ----------
    mean : Tensor, shape (inputs,)
        What a channel decays to and begins with. A buffer of zeros, right for standardised values:
        ``layer.mean.copy_(mean)`` for others.
    time_scale : Tensor, shape ()
        What times are divided by before they meet a weight, to make a common gap about 1. A buffer
        of 1: ``layer.time_scale.fill_(60)`` counts minutes where times are seconds.

    References
    ----------
    Z. Che et al., Recurrent neural networks for multivariate time series with missing values,
    arXiv:1606.01865.

    Examples
    --------
    >>> import torch
    >>> layer = GRUD(3, 8, batch_first=True)
    >>> x = torch.randn(2, 5, 3)
    >>> x[0, 2:, 1] = float("nan")
    >>> times = torch.tensor([[0.0, 0.5, 3, 4, 9], [7, 8, 0, 0, 0]])
    >>> output, state = layer(x, times=times, lengths=[5, 2])
    >>> output.shape, state.time[0]
    (torch.Size([2, 5, 8]), tensor([[9.0000, 0.5000, 9.0000],
            [8.0000, 8.0000, 8.0000]], dtype=torch.float64))
    """

    gates = 3
    letters: ClassVar[tuple[str, ...]] = GRUDState._fields
    mean: Tensor
    time_scale: Tensor
    weight_ih_l0: Tensor
    weight_dx_l0: Tensor
    weight_dh_l0: Tensor
    bias_dx_l0: Tensor
    bias_dh_l0: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        initialisation: str = "torch",
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        input_decay: bool = True,
        state_decay: bool = True,
        recompute: bool = False,
    ) -> None:
        for name, given, usual in (
            ("num_layers", num_layers, 1),
            ("bidirectional", bidirectional, False),
        ):
            if given != usual:
                raise OptionError(
                    f"{name} is {given!r}, but GRUD is one layer that reads forward. Put a layer "
                    f"on top of its output: GRU({hidden_size}, {hidden_size}, {name}={given!r})."
                )
        self.input_decay, self.state_decay = input_decay, state_decay
        super().__init__(
            Stack(
                "gru",
                recurrent_dropout=recurrent_dropout,
                zoneout=zoneout,
                decay=state_decay,
                recompute=recompute,
            ),
            input_size,
            hidden_size,
            (hidden_size, input_size, input_size, 1),
            bias=bias,
            batch_first=batch_first,
            learn_initial_state=False,
            initialisation=initialisation,
            device=device,
            dtype=dtype,
        )
        self.register_buffer("mean", torch.zeros(input_size, device=device, dtype=dtype))
        self.register_buffer("time_scale", torch.ones((), device=device, dtype=dtype))

    def shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """Make room for the mask in `Recurrent.shapes`, and add the decays.

        Parameters
        ----------
        inputs : int
            How many channels there are.

        Returns
        -------
        dict of str to tuple of int
            In the order of the fields.
        """
        return super().shapes(2 * inputs) | self._decay_shapes()

    def reset_parameters(self) -> None:
        """Draw the weights anew, as the constructor did; ``mean`` and ``time_scale`` stay."""
        super().reset_parameters()
        bound = 1 / math.sqrt(self.hidden_size)
        for field, shape in self._decay_shapes().items():
            weight = getattr(self, f"{field}_l0")
            highest = bound / self.input_size if len(shape) > 1 else bound
            nn.init.uniform_(weight, 0, 0 if field.startswith("bias") else highest)

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: LayerState | None = None,
        *,
        observed: Tensor | None = None,
        times: Tensor | None = None,
        lengths: Lengths | None = None,
    ) -> tuple[Tensor, GRUDState]:
        """Read whole records.

        Parameters
        ----------
        x : Tensor, shape (time, batch, inputs)
            (batch, time, inputs) with ``batch_first=True``; anything where not observed.
        state : GRUDState, optional
            The state to go on from; without it that of `initial_state`.
        observed : Tensor of bool, laid out as ``x``, optional
            Which values there are; without it those that are not NaN.
        times : Tensor, shape (time, batch), optional
            The time of each step, in any unit; (batch, time) with ``batch_first=True``. It never
            falls along a record, nor from one call to the next that carries its state. Without it a
            record's steps are counted from 0.
        lengths : Tensor or sequence of int, shape (batch,), optional
            The real steps of each record, 0 to ``time``. What stands beyond is never felt.

        Returns
        -------
        output : Tensor, shape (time, batch, hidden)
            Laid out as ``x``; exactly 0 beyond a record's length.
        state : GRUDState
            After each record's own last step; the state before, if it has none.

        Examples
        --------
        >>> layer = GRUD(3, 8, batch_first=True)
        >>> x = torch.full((2, 5, 3), float("nan"))
        >>> x[:, ::2] = 1.0
        >>> output, state = layer(x, lengths=[5, 2])
        >>> output[1, 2:].any(), state.time[0, :, 0]
        (tensor(False), tensor([4., 0.], dtype=torch.float64))
        """
        check_input(self, cast("Tensor", x), self.weight_ih_l0, ragged=True)
        x = cast("Tensor", x)
        given = ~x.isnan() if observed is None else check_observed(self, observed, x)
        x, given = self._turned(x), self._turned(given)
        steps, batch, _ = x.shape
        counts = None if lengths is None else check_lengths(lengths, batch, steps)
        before = self._initial(batch, x)
        if state is not None:
            before = GRUDState(*check_state(self, state, (batch,), x, exact=("time", "steps")))
        ends = torch.full((batch,), steps) if counts is None else counts
        real = torch.arange(steps, device=x.device)[:, None] < ends.to(x.device)
        clock = self._clock(times, real, before)
        # Cut at the longest: no product may feel how much padding there is.
        longest = steps if counts is None else extent(counts)[1]
        output, after = x.new_zeros(0, batch, self.hidden_size), before
        if longest:
            x, given, clock, real = (one[:longest] for one in (x, given, clock, real))
            output, after = self._read(x, given, clock, real, counts, before)
        if longest < steps:
            output = F.pad(output, (0, 0, 0, 0, 0, steps - longest))
        return self._turned(output), after

    def step(
        self,
        x_t: Tensor,
        state: LayerState | None = None,
        *,
        observed: Tensor | None = None,
        times: Tensor | None = None,
    ) -> tuple[Tensor, GRUDState]:
        """Read one step of each record, in constant time and memory.

        Parameters
        ----------
        x_t : Tensor, shape (batch, inputs)
            The input of this step; anything where not observed.
        state : GRUDState, optional
            The state after the step before; without it that of `initial_state`.
        observed : Tensor of bool, shape (batch, inputs), optional
            Which values there are; without it those that are not NaN.
        times : Tensor, shape (batch,), optional
            The time of this step of each record; without it steps are counted.

        Returns
        -------
        y_t : Tensor, shape (batch, hidden)
            The output of this step.
        state : GRUDState
            The state after it.

        Raises
        ------
        OptionError
            If the layer drops, while training, units of what is fed back: see `Recurrent.step`.

        Examples
        --------
        >>> layer, state = GRUD(3, 8), None
        >>> for now in (0.0, 0.5, 7.0):
        ...     x_t, times = torch.tensor([[1.0, float("nan"), 2.0]]), torch.tensor([now])
        ...     y_t, state = layer.step(x_t, state, times=times)
        >>> y_t.shape, state.steps.item()
        (torch.Size([1, 8]), 3.0)
        """
        self._check_step(x_t)
        axis = 1 if self.batch_first else 0
        observed, times = (
            one.unsqueeze(axis) if isinstance(one, Tensor) else one for one in (observed, times)
        )
        y, after = self.forward(x_t.unsqueeze(axis), state, observed=observed, times=times)
        return y.squeeze(axis), after

    def extra_repr(self) -> str:
        """Describe the layer as ``torch.nn`` does: the sizes, and what is not as usual.

        Returns
        -------
        str
            What stands between the brackets of ``repr``.
        """
        parameters, given = inspect.signature(GRUD).parameters, self.arguments()
        _, _, *optional = given
        said = [
            f"{name}={given[name]!r}"
            for name in optional
            if given[name] != parameters[name].default
        ]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *said])

    def _clock(self, times: Tensor | None, real: Tensor, before: GRUDState) -> Tensor:
        """The time of each step, time first: as given, or counted."""
        if times is None:
            steps = torch.arange(len(real), device=real.device)
            times = self._turned(before.steps[0].T + steps[:, None])
        begun = torch.where(before.steps > 0, before.time, -torch.inf)
        return check_times(self, times, real, begun[0].amax(-1))

    def _read(
        self,
        x: Tensor,
        observed: Tensor,
        times: Tensor,
        real: Tensor,
        lengths: Tensor | None,
        before: GRUDState,
    ) -> tuple[Tensor, GRUDState]:
        """Read records whose longest fills the time axis, time first."""
        known = (observed & real[:, :, None]).contiguous()  # laid out as what is computed beside it
        sighting = Sighting(*(part[0] for part in before[1:]))
        filled, elapsed, sighting = look_back(x, known, times, real, sighting)
        elapsed, mask = (elapsed / self.time_scale).to(x.dtype), known.to(x.dtype)
        if self.input_decay:
            rate = elapsed * self.weight_dx_l0
            rate = rate + self.bias_dx_l0 if self.bias else rate
            # What is observed does not decay. A rate is finite, so that the mask may multiply.
            filled = torch.lerp(self.mean, filled, _left(rate * (1 - mask)))
        decay = None
        if self.state_decay:
            bias = self.bias_dh_l0 if self.bias else None
            decay = _left(F.linear(elapsed, self.weight_dh_l0, bias))[None]
        output, (h,) = kernels.run(
            self._plan(),
            torch.cat([filled, mask], dim=-1),
            (before.h,),
            self._weights(),
            lengths,
            training=self.training,
            decay=decay,
        )
        return output, GRUDState(h, *(part[None] for part in sighting))

    def _initial(self, batch: int, like: Tensor) -> GRUDState:
        return GRUDState(
            like.new_zeros(1, batch, self.hidden_size),
            self.mean.to(like.dtype).repeat(1, batch, 1),
            like.new_zeros(1, batch, self.input_size, dtype=torch.float64),
            like.new_zeros(1, batch, 1, dtype=torch.float64),
        )

    def _decay_shapes(self) -> dict[str, tuple[int, ...]]:
        channels, hidden = self.input_size, self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        if self.input_decay:
            shapes |= {"weight_dx": (channels,), "bias_dx": (channels,)}
        if self.state_decay:
            shapes |= {"weight_dh": (hidden, channels), "bias_dh": (hidden,)}
        return {name: one for name, one in shapes.items() if self.bias or "bias" not in name}

    def _saved_names(self) -> list[str]:
        decays = [f"{field}_l0" for field in self._decay_shapes()]
        return [*super()._saved_names(), *decays, "mean", "time_scale"]

    def _turned(self, tensor: Tensor) -> Tensor:
        """From the caller's layout to time first, and back."""
        return tensor.transpose(0, 1) if self.batch_first else tensor


def _left(rate: Tensor) -> Tensor:
    """What is left after a decay: exp(-max(0, rate))."""
    return rate.relu().neg().exp_()
