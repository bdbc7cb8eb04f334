"""The forecasting network: inputs, a recurrent stack, a head, and the loss that joins them.

At step t it has read everything up to and including t, and says how the value of step t + 1 is
distributed. Forecasting further means drawing that value, reading it, and asking again: step k is
always decoded from the state after step k - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor, nn

from recurra.layers.dropout import Dropout
from recurra.models.forecasting.batch import Inputs
from recurra.models.forecasting.forecast_gradients import ForecastGradients
from recurra.models.forecasting.history import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recurra.models.forecasting.batch import Batch
    from recurra.models.forecasting.heads import Head
    from recurra.models.forecasting.history import LocalFeatures

__all__ = ["ForecastNetwork", "Origin", "roll_out", "take_state"]

LINEAR_REACH = 20.0  # the linear path reads local features up to this many scales


class ForecastNetwork(nn.Module):
    r"""A recurrent stack beside a linear autoregression, and a distribution of the next value.

    .. math:: r_t &= W_o\,\mathrm{RNN}(\mathrm{symlog}(u_t), e_t)_t + b_o \\
              r_t^{(0)} &\mathrel{+}= w^\top [\mathrm{clip}(u_t), e_t] + b

    with local features u, covariates e and symlog(u) = sign(u) log(1 + |u|). Both outputs start at
    zero, so before training the forecast is a random walk in every unit. The linear path follows
    LSTNet (Lai et al. 2018, arXiv:1703.07015); one network for all series and a recurrence on drawn
    values follow DeepAR
    (Salinas et al. 2020, arXiv:1704.04110).

    Parameters
    ----------
    layer : torch.nn.Module
        A one-directional recurrent layer with ``batch_first=True``: ``y, state = layer(x, state)``.
    head : Head
        The family of distributions.
    sizes : tuple of (int, int)
        Number of local features and of real covariates.
    cardinalities : sequence of int
        Number of categories of every categorical covariate, the unknown one included; that is
        embedded as zeros.
    dropout : float
        Probability of dropping an output of the stack while training.
    """

    def __init__(
        self,
        layer: nn.Module,
        head: Head,
        sizes: tuple[int, int],
        cardinalities: Sequence[int] = (),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.layer = layer
        self.head = head
        self.embeddings = nn.ModuleList(
            nn.Embedding(size, embedding_size(size), padding_idx=0) for size in cardinalities
        )
        self.linear = nn.Linear(sum(sizes), 1)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(layer.output_size, head.size)  # type: ignore[arg-type]
        for last in (self.linear, self.output):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self._gradients: ForecastGradients | None = None

    @staticmethod
    def width(sizes: tuple[int, int], cardinalities: Sequence[int]) -> int:
        """Return the input size of the layer; arguments as the constructor's."""
        return sum(sizes) + sum(map(embedding_size, cardinalities))

    def read(
        self, inputs: Inputs, state: Any = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        """Read steps with the recurrent stack.

        Parameters
        ----------
        inputs : Inputs
            With leading shape (batch, time).
        state : optional
            The layer's state before the first step.
        lengths : Tensor, shape (batch,), optional
            Valid steps of each row; needed only for the state of rows padded on the right.

        Returns
        -------
        Tensor, shape (batch, time, outputs)
            What the stack says at each step.
        state
            Its state after each row's last valid step.
        """
        return self.layer(self.joined(inputs), state, lengths=lengths)

    def embed(self, codes: Tensor) -> Tensor:
        """Look up the vectors of categories.

        Parameters
        ----------
        codes : Tensor, shape (..., categorical covariates), int64
            The categories.

        Returns
        -------
        Tensor, shape (..., widths of all embeddings)
            Their vectors, side by side.
        """
        return torch.cat([*self._vectors(codes), torch.zeros(*codes.shape[:-1], 0)], -1)

    def joined(self, inputs: Inputs) -> Tensor:
        """Put side by side what the stack reads at each step.

        Parameters
        ----------
        inputs : Inputs
            With leading shape (batch, time).

        Returns
        -------
        Tensor, shape (batch, time, inputs)
            Local features, squashed; real covariates; categories, embedded.
        """
        codes = inputs.codes
        embedded = [codes] if codes.is_floating_point() else self._vectors(codes)
        return torch.cat([symlog(inputs.local), inputs.real, *embedded], -1)

    def _vectors(self, codes: Tensor) -> list[Tensor]:
        return [table(codes[..., k]) for k, table in enumerate(self.embeddings)]

    @staticmethod
    def near(local: Tensor) -> Tensor:
        """Cut local features off where the linear path reads no farther."""
        return local.clamp(-LINEAR_REACH, LINEAR_REACH)

    def forward(self, inputs: Inputs, state: Any = None) -> tuple[Tensor, Any]:
        """Read steps and say how the value after each is distributed.

        Parameters
        ----------
        inputs : Inputs
            With leading shape (batch, time).
        state : optional
            The layer's state before the first step.

        Returns
        -------
        Tensor, shape (batch, time, head.size)
            Raw outputs of the head.
        state
            The layer's state after the last step.
        """
        hidden, state = self.read(inputs, state)
        raw = self.output(self.dropout(hidden))
        move = raw[..., :1] + self.linear(torch.cat([self.near(inputs.local), inputs.real], -1))
        return torch.cat([move, raw[..., 1:]], -1), state

    def loss(self, batch: Batch, state: Any = None) -> tuple[Tensor, Tensor, Any]:
        """Sum the negative log likelihood over the observed targets.

        Parameters
        ----------
        batch : Batch
            Windows; targets that are NaN are not counted.
        state : optional
            The state carried from the chunk before.

        Returns
        -------
        Tensor, scalar
            The sum.
        Tensor, scalar
            How many targets were counted.
        state
            The state after the batch.
        """
        raw, state = self(batch.inputs, state)
        counted = ~batch.target.isnan()
        value = torch.where(counted, batch.target, batch.anchor)
        log_probability = self.head.log_probability(raw, value, batch.anchor, batch.scale)
        total = torch.where(counted, -log_probability, 0.0).sum()
        return total, counted.sum(), state

    def loss_and_gradients(self, batch: Batch, state: Any = None) -> tuple[float, int, Any] | None:
        """Sum the loss as `loss` does, and add its gradients to ``.grad``, without autograd.

        Parameters
        ----------
        batch : Batch
            As for `loss`.
        state : optional
            As for `loss`.

        Returns
        -------
        tuple of (float, int, state), or None
            As `loss`; None where only autograd can tell (a layer that the engine does not run, a
            hook, a frozen parameter), and then nothing was done.
        """
        if type(self) is not ForecastNetwork:
            return None
        if self._gradients is None:
            self._gradients = ForecastGradients(self)
        with torch.no_grad():
            return self._gradients.add(batch, state)


def symlog(x: Tensor) -> Tensor:
    """Squash both tails: sign(x) log(1 + |x|)."""
    if x.requires_grad:  # the slope at 0 is 1, but that of a sign or a size is none
        return x.clamp_min(0.0).log1p() - (-x).relu().log1p()
    return x.abs().log1p_().copysign_(x)


def embedding_size(categories: int) -> int:
    """Width of an embedding: half the categories, between 2 and 16."""
    return min(16, max(2, (categories + 1) // 2))


@dataclass(frozen=True)
class Origin:
    """Where forecasts start, one row a series.

    The newest step is already in the history but not yet read by the layer: it is read together
    with what is known of the step after it.

    Attributes
    ----------
    history : History
        The past of every series, the newest step included.
    state
        The layer's state before the newest step; None if there was none.
    """

    history: History
    state: Any

    def take(self, rows: Tensor) -> Origin:
        """Return some rows; a row may be named more than once, for as many paths."""
        return Origin(self.history.take(rows), take_state(self.state, rows))


def take_state(state: Any, rows: Tensor) -> Any:
    """Return some rows of a recurrent state, whose batch is the second axis.

    Parameters
    ----------
    state : Tensor or tuple of Tensor, each (layers, batch, size)
        The state.
    rows : Tensor, int64
        Which rows.

    Returns
    -------
    Tensor or tuple of Tensor
        Those rows.
    """
    if isinstance(state, tuple):
        return tuple(each[:, rows] for each in state)
    return state[:, rows]


def roll_out(
    network: ForecastNetwork,
    local: LocalFeatures,
    origin: Origin,
    ahead: tuple[Tensor, Tensor],
    generator: Generator | None = None,
) -> Tensor:
    """Forecast step by step, reading each forecast value back before the next one.

    Autograd can follow it, unless it is told not to.

    Parameters
    ----------
    network : ForecastNetwork
        In evaluation mode.
    local : LocalFeatures
        The features it was trained on.
    origin : Origin
        Where the paths start.
    ahead : tuple of (Tensor, Tensor)
        Real covariates (batch, h, real) and codes (batch, h, categorical), as the network reads
        them when it forecasts each of the h steps.
    generator : torch.Generator, optional
        Draws random values; without one the point forecast is read back.

    Returns
    -------
    Tensor, shape (batch, h), float64
        One path for every row.
    """
    (recent, pace), state = origin.history, origin.state
    size, h = recent.shape[1], ahead[0].shape[1]
    values = torch.cat([recent, recent.new_empty(len(recent), h)], 1)
    for k in range(h):
        view = local.now(History(values[:, k : k + size], pace))
        step = Inputs(view.features[:, None], *(each[:, k, None] for each in ahead))
        raw, state = network(step, state)
        if generator is None:
            value = network.head.centre(raw[:, 0], view.anchor, view.scale)
        else:
            value = network.head.draw(raw[:, 0], view.anchor, view.scale, generator)
        values[:, k + size] = value
        pace = pace.along(value[:, None], local.decay).at(-1)
    return values[:, size:]
