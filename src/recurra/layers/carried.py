"""What the state at each step of one record is worth for an answer: for changes of single steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from recurra.kernels import run
from recurra.kernels.passes import Passes
from recurra.kernels.recurrence import State, Weights
from recurra.kernels.stack import Stack
from recurra.layers.recurrent import Recurrent

__all__ = ["Carried"]


class _Run(NamedTuple):
    """One direction of the first layer, in the order in which it reads."""

    stack: Stack
    weights: Weights
    before: State  # of each step
    after: State
    worth: State  # the gradient of the answer with respect to `after`, apart from each other
    incoming: Tensor  # that part of the worth of what is said which the next step has no part in

    def on(self, x: Tensor, state: State) -> State:
        """Read a step of several rows, each from a state of its own."""
        _, after = run(self.stack, x[None], tuple(each[None] for each in state), [self.weights])
        return tuple(each[0] for each in after)


class Carried:
    r"""A record that was read once, forward and back, so that any step may be read otherwise.

    With the state :math:`s_t` after each step and its worth :math:`g_t = \partial a / \partial s_t`
    for an answer :math:`a`, another input :math:`x'_t` at one step alone makes

    .. math:: a' \approx a + g_t^\top (f(x'_t, s_{t-1}) - s_t)

    where :math:`f` is the layer's step as it is, and only what follows is taken to be linear; or
    what follows the steps after it that are read as well. All steps together take about as long as
    reading the record a few times, not once for each step.

    Parameters
    ----------
    layer : Recurrent
        RNN, LSTM or GRU as the engine runs them, in evaluation mode; of several layers the worth
        goes through those above.

    Examples
    --------
    >>> import recurra.layers
    >>> layer, x = recurra.layers.GRU(2, 4, batch_first=True), torch.randn(30, 2)
    >>> carried = Carried(layer)
    >>> if carried.able(x):
    ...     output = carried.read(x)
    ...     carried.weigh(torch.ones_like(output))
    ...     moved = carried.changes(torch.zeros_like(x))  # of the sum of all outputs
    """

    def __init__(self, layer: Recurrent) -> None:
        self._layer = layer
        self._weights = layer._weights()
        self._passes = Passes(layer.stack, self._weights)
        self._record = torch.empty(0)
        self._runs: list[_Run] = []

    def able(self, x: Tensor) -> bool:
        """Say whether a record can be read in this way.

        Parameters
        ----------
        x : Tensor, shape (steps, inputs)
            The record.

        Returns
        -------
        bool
            False for layers with options, on other devices, under a trace.
        """
        layer = self._layer
        if type(layer).forward is not Recurrent.forward or layer.training:
            return False
        if layer.learn_initial_state or "parametrizations" in layer._modules or len(x) < 2:
            return False
        return self._passes.able(x[None])

    @torch.no_grad()
    def read(self, x: Tensor) -> Tensor:
        """Read a record that it is `able` to read.

        Parameters
        ----------
        x : Tensor, shape (steps, inputs)
            The record.

        Returns
        -------
        Tensor, shape (steps, directions·outputs)
            What the layer says at each step.
        """
        self._record = x
        output, _ = self._passes.forward(x[None])
        return output[0].clone()

    @torch.no_grad()
    def weigh(self, incoming: Tensor) -> None:
        """Go back: what each state is worth.

        Parameters
        ----------
        incoming : Tensor, shape (steps, directions·outputs)
            The gradient of the answer with respect to what the layer says at each step.
        """
        stack = self._layer.stack
        one = replace(stack, num_layers=1, bidirectional=False, dropout=0.0)
        first, self._runs = self._passes.first_layer(incoming[None]), []
        for way, (gates, slopes) in enumerate(zip(first.gates, first.slopes, strict=True)):
            y, dy = (each.chunk(stack.directions, -1)[way] for each in (first.y, first.dy))
            said = (y.flip(0), dy.flip(0)) if way else (y, dy)
            self._runs.append(_worths(one, self._weights[way], *said, gates, slopes))

    @torch.no_grad()
    def changes(self, other: Tensor, ahead: int = 0) -> Tensor:
        """Say how the answer changes if one step is another, for each step by itself.

        Parameters
        ----------
        other : Tensor, shape (steps, inputs)
            What is read instead.
        ahead : int, default 0
            Steps after the changed one that are read as they are, before what follows is taken to
            be linear; fewer than the record has.

        Returns
        -------
        Tensor, shape (steps,)
            The answer for the record with that step changed, less that for the record.
        """
        total = other.new_zeros(len(other))
        for way, one in enumerate(self._runs):
            ways = total.flip(0) if way else total  # a copy, or the same
            x, record = (each.flip(0) if way else each for each in (other, self._record))
            state, left = one.before, len(x)
            for later in range(ahead + 1):
                # Rows whose record has ended need no worth of the end: nothing is fed back there.
                begun = tuple(each[:left] for each in state)
                state = one.on(record[later:] if later else x, begun)
                last = later == ahead
                pairs = zip(state, one.after, one.worth if last else [one.incoming], strict=False)
                for now, then, worth in pairs:
                    ways[:left] += torch.linalg.vecdot(now - then[later:], worth[later:])
                left -= 1
            total = ways.flip(0) if way else ways
        return total

    @torch.no_grad()
    def again(self, other: Tensor, places: Tensor) -> Tensor:
        """Read the record once more for each of some steps, that step being another.

        Parameters
        ----------
        other : Tensor, shape (steps, inputs)
            What is read instead.
        places : Tensor of int64, shape (rows,)
            Those steps.

        Returns
        -------
        Tensor, shape (rows, steps, directions·outputs)
            What the layer says at each step.
        """
        rows = self._record.repeat(len(places), 1, 1)
        rows[range(len(places)), places] = other[places]
        y, _ = run(self._layer.stack, rows.transpose(0, 1), None, self._weights)
        return y.transpose(0, 1)


def _worths(
    stack: Stack, weights: Weights, said: Tensor, incoming: Tensor, gates: Tensor, slopes: Tensor
) -> _Run:
    """Find states and worths of one direction from gates, and from the gradients of their sums."""
    before = _before(said)
    if stack.cell == "gru":
        worth = _gru(before, gates, slopes)
        return _Run(stack, weights, (before,), (said,), (worth,), incoming)
    fed_back = slopes[1:, : len(weights.weight_hh) // said.shape[-1]].flatten(1) @ weights.weight_hh
    h = incoming + functional.pad(fed_back, (0, 0, 0, 1))
    if stack.cell == "lstm":
        cell = gates[:, 4]
        earlier = _before(cell)
        worths = (h, _lstm(earlier, gates, slopes))
        return _Run(stack, weights, (before, earlier), (said, cell), worths, incoming)
    return _Run(stack, weights, (before,), (said,), (h,), incoming)


def _gru(before: Tensor, gates: Tensor, slopes: Tensor) -> Tensor:
    """Divide the slopes of the new value and of the update gate by how they depend on h."""
    new, _, update, _ = gates.unbind(1)
    ways = (_flat(new).mul_(1 - update), _steep(update).mul_(before - new))
    return _divided((slopes[:, 0], slopes[:, 2]), ways)


def _lstm(before: Tensor, gates: Tensor, slopes: Tensor) -> Tensor:
    """Divide the slopes of the gates by how they depend on c, and take what f lets through."""
    i, f, g, *_ = gates.unbind(1)
    ways = (_steep(i).mul_(g), _steep(f).mul_(before), _flat(g).mul_(i))
    found = _divided(slopes[:, :3].unbind(1), ways)
    return functional.pad(found[1:].mul_(f[1:]), (0, 0, 0, 1))


def _steep(gate: Tensor) -> Tensor:
    """Slope of a sigmoid where it is ``gate``."""
    return torch.addcmul(gate, gate, gate, value=-1)


def _flat(value: Tensor) -> Tensor:
    """Slope of a hyperbolic tangent where it is ``value``."""
    return (value * value).neg_().add_(1)


def _divided(slopes: Sequence[Tensor], ways: Sequence[Tensor]) -> Tensor:
    """Solve slope = worth · way for the worth, by least squares; 0 where no way leads there."""
    above, below = slopes[0] * ways[0], ways[0] * ways[0]
    for slope, way in zip(slopes[1:], ways[1:], strict=True):
        above.addcmul_(slope, way)
        below.addcmul_(way, way)
    return above.div_(below).nan_to_num_(0.0, 0.0, 0.0)


def _before(states: Tensor) -> Tensor:
    """Put zeros, the state before the first step, in front of all states but the last."""
    return functional.pad(states[:-1], (0, 0, 1, 0))
