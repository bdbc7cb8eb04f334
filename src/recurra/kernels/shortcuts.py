"""Short ways: one step without a gradient, and a call like the ones before.

Everything here could be left away: `recurra.kernels.run` gives the same bits. It is what makes
small layers cost microseconds. A step keeps the packed weights from call to call, and the engine
looks at all the weights each time to see whether they are still the same. A call keeps what has
been found of an input of its shape. Where anything is unusual the call is left to the usual way,
which says what is the matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, empty_like

from recurra.kernels.calls import ACTIVATIONS, CELLS, GATES, Form, forward_calls, operands_of
from recurra.kernels.dispatch import choose, forced
from recurra.kernels.native import again, refuse
from recurra.kernels.onlookers import onlooker, transformed
from recurra.kernels.operators import fits
from recurra.kernels.recurrence import State, Weights
from recurra.kernels.stack import Stack
from recurra.native import engine

__all__ = ["Repeating", "Stepping"]


class Stepping:
    """Steps a stack of one direction, and keeps what is packed for it.

    Parameters
    ----------
    stack : Stack
        The plan; nothing in it may drop.

    Examples
    --------
    >>> weights, h = [(torch.ones(12, 3), torch.ones(12, 4))], torch.zeros(1, 2, 4)
    >>> stepping = Stepping(Stack("gru"))
    >>> with torch.no_grad():
    ...     found = stepping.step(torch.ones(2, 3), (h,), weights)
    >>> found is None or found[0].shape == (2, 4)
    True
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._prepared: list[Any] = []
        self._outputs: dict[tuple[int, ...], Tensor] = {}  # for each shape of x that was prepared
        self._state: tuple[int, ...] = ()  # the shape of its parts
        self._dtype = torch.float32

    def __getstate__(self) -> dict[str, Any]:
        """What is packed stays here: a copy packs its own."""
        return self.__dict__ | {"_prepared": [], "_outputs": {}}

    def step(
        self, x_t: Tensor, state: State, weights: Sequence[Sequence[Tensor]]
    ) -> tuple[Tensor, State] | None:
        """Read one step of each record, if it can be done the short way.

        Parameters
        ----------
        x_t : Tensor, shape (batch, inputs), (1, batch, inputs) or (batch, 1, inputs)
            The input of this step.
        state : tuple of Tensor, each (layers, batch, hidden)
            The state after the step before.
        weights : sequence of sequence of Tensor
            Of each layer: torch's four, or two if there are no biases.

        Returns
        -------
        tuple of Tensor and state, or None
            The output, laid out as the input, and the state after the step; None where only the
            usual way can tell.
        """
        if torch.is_grad_enabled() or forced() is not None or _watched(x_t):
            return None
        found = self._go(x_t, state, weights)
        if found is None and self._prepare(x_t, weights):
            found = self._go(x_t, state, weights)
        return found

    def _go(
        self, x: Tensor, state: State, weights: Sequence[Sequence[Tensor]]
    ) -> tuple[Tensor, State] | None:
        """Step all layers, if all is as it was prepared."""
        like, dtype = self._outputs.get(x.shape), self._dtype
        if like is None or x.dtype is not dtype or not (x.is_cpu and x.is_contiguous()):
            return None
        for part in state:
            if part.shape != self._state or part.dtype is not dtype:
                return None
            if not (part.is_cpu and part.is_contiguous()):
                return None
        after = tuple([empty_like(part) for part in state])
        h0, hn = state[0].data_ptr(), after[0].data_ptr()
        c0, cn = state[-1].data_ptr(), after[-1].data_ptr()
        batch = self._state[1]
        for prepared, layer in zip(self._prepared, weights, strict=True):
            y = empty_like(like)
            if not engine.step(
                prepared, batch, x.data_ptr(), h0, c0, y.data_ptr(), hn, cn,
                *[weight.data_ptr() for weight in layer],
            ):  # fmt: skip
                return None
            size = y.nbytes
            x, h0, c0, hn, cn = y, h0 + size, c0 + size, hn + size, cn + size
        return x, after

    def _prepare(self, x: Tensor, weights: Sequence[Sequence[Tensor]]) -> bool:
        """Pack the weights for such an input, if the engine can use them as they lie."""
        stack, dtype = self._stack, x.dtype
        if stack.bidirectional or stack.options or stack.projected:
            return False
        if refuse(stack, x) is not None or onlooker(x, weights) is not None:
            return False
        if not x.is_contiguous() or dtype is torch.bfloat16:
            return False
        inputs, hidden = x.shape[-1], weights[0][1].shape[1]
        batch, rows = x[..., 0].numel(), GATES[stack.cell] * hidden
        fixed = (CELLS[stack.cell], ACTIVATIONS[stack.activation], x.element_size())
        calls, width = [], inputs
        for layer in weights:
            shapes = ((rows, width), (rows, hidden), (rows,), (rows,))
            for weight, shape in zip(layer, shapes, strict=False):
                if weight.shape != shape or weight.dtype is not dtype:
                    return False
                if not (weight.is_cpu and weight.is_contiguous()):
                    return False
            addresses = (*(weight.data_ptr() for weight in layer), 0, 0)[:4]
            calls.append((
                *fixed, 0, 1, batch, width, hidden, 0, 0, 0, width, 0, 0, hidden, hidden,
                *addresses, 0, 0, 0, hidden, 0, 0,
            ))  # fmt: skip
            width = hidden
        self._prepared = [engine.prepare(call) for call in calls]
        self._state, self._dtype = (len(calls), batch, hidden), dtype
        self._outputs = {
            (*shape, inputs): x.new_empty(*shape, hidden)
            for shape in ((batch,), (1, batch), (batch, 1))
        }
        return True


class _Known(NamedTuple):
    """What was found of a call."""

    shape: tuple[int, ...]  # of x, as strides and dtype
    strides: tuple[int, ...]
    dtype: torch.dtype
    state: tuple[int, ...] | None  # the shape of its parts, if one was given
    ragged: bool  # whether lengths were
    weights: Sequence[tuple[int, tuple[int, ...]]]  # address and shape of each
    forms: list[Form]  # of each layer


class Repeating:
    """Runs a stack over whole records, when they are shaped as those before.

    Parameters
    ----------
    stack : Stack
        The plan; nothing in it may drop.

    Examples
    --------
    >>> weights, repeating = [(torch.ones(12, 3), torch.ones(12, 4))], Repeating(Stack("gru"))
    >>> x = torch.ones(5, 2, 3)
    >>> for _ in range(2):
    ...     repeating.learn(x, None, weights, None)
    >>> known = repeating.expects(x, None, weights, ragged=False)
    >>> not known or repeating.run(x, None, weights, None)[0].shape == (5, 2, 4)
    True
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._last: tuple[Any, ...] = ()
        self._known: _Known | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Addresses stay here: a copy learns its own."""
        return self.__dict__ | {"_last": (), "_known": None}

    def learn(
        self,
        x: Tensor,
        state: State | None,
        weights: Sequence[Sequence[Tensor]],
        lengths: Tensor | None,
    ) -> None:
        """Look at an input that went the usual way; when two in turn were alike, know the next.

        Parameters
        ----------
        x : Tensor, shape (time, batch, inputs)
            The input.
        state : tuple of Tensor, each (layers·directions, batch, hidden), or None
            Before the first step.
        weights : sequence of sequence of Tensor
            Of each layer and direction: torch's four, or two if there are no biases.
        lengths : Tensor of int64, shape (batch,), or None
            The real steps of each record.
        """
        stack, named = self._stack, [Weights(*one) for one in weights]
        if stack.options or stack.projected or x.dtype is torch.bfloat16 or not x.numel():
            return
        shape_of_state = None if state is None else state[0].shape
        last = self._last
        self._last = (x.shape, x.stride(), x.dtype, shape_of_state, lengths is not None)
        if self._last != last or forced() is not None or _watched(x):
            return
        flat = [one for run in weights for one in run]
        whole = all(one.is_contiguous() for one in (*flat, *(state or ())))
        if not whole or x.stride(-1) != 1 or choose(stack, x, lengths).backend != "native":
            return
        if onlooker(x, named) is not None or not fits(stack, x, state, named):
            return
        forms, runs = [], stack.directions
        for layer in range(stack.num_layers):
            before = _of_layer(stack, state, layer)
            here = [
                weight for one in named[layer * runs : (layer + 1) * runs] for weight in one[:4]
            ]
            outputs, calls, _ = forward_calls(stack, lengths, x, [*before, *here])
            forms.append(Form.of(outputs, calls))
            x = outputs[0]
        addresses = [(one.data_ptr(), one.shape) for one in flat]
        self._known = _Known(*self._last, addresses, forms)

    def expects(
        self,
        x: Tensor,
        state: State | None,
        weights: Sequence[Sequence[Tensor]],
        *,
        ragged: bool,
    ) -> bool:
        """Say whether all is as it was learned, so that `run` may.

        Parameters
        ----------
        x : Tensor, shape (time, batch, inputs)
            The input.
        state : tuple of Tensor, each (layers·directions, batch, hidden), or None
            Before the first step; None for zeros.
        weights : sequence of sequence of Tensor
            Of each layer and direction: torch's four, or two if there are no biases.
        ragged : bool
            Whether lengths are given.

        Returns
        -------
        bool
            False where only the usual way can tell.
        """
        known = self._known
        if known is None or x.shape != known.shape or x.stride() != known.strides:
            return False
        if x.dtype is not known.dtype or not x.is_cpu or forced() is not None or _watched(x):
            return False
        if [(one.data_ptr(), one.shape) for run in weights for one in run] != known.weights:
            return False
        if (state is None) != (known.state is None) or ragged != known.ragged:
            return False
        for part in state or ():
            if part.shape != known.state or part.dtype is not known.dtype:
                return False
            if not (part.is_cpu and part.is_contiguous()):
                return False
        return True

    def run(
        self,
        x: Tensor,
        state: State | None,
        weights: Sequence[Sequence[Tensor]],
        lengths: Tensor | None,
    ) -> tuple[Tensor, State]:
        """Run an input that is expected; arguments as those of `learn`.

        Parameters
        ----------
        x : Tensor, shape (time, batch, inputs)
            The input.
        state : tuple of Tensor, each (layers·directions, batch, hidden), or None
            Before the first step; None for zeros.
        weights : sequence of sequence of Tensor
            Of each layer and direction: torch's four, or two if there are no biases.
        lengths : Tensor of int64, shape (batch,), or None
            The real steps of each record.

        Returns
        -------
        tuple of Tensor and state
            The output and the state after it.
        """
        assert self._known is not None
        stack, finals, runs = self._stack, [], self._stack.directions
        for layer, form in enumerate(self._known.forms):
            here = weights[layer * runs : (layer + 1) * runs]
            flat = [weight for one in here for weight in (*one, None, None)[:4]]
            x, *after = again(stack, form, x, _of_layer(stack, state, layer), flat, lengths)
            finals.append(after)
        if len(finals) == 1:
            return x, tuple(finals[0])
        return x, tuple(torch.cat(parts) for parts in zip(*finals, strict=True))


def _of_layer(stack: Stack, state: State | None, layer: int) -> Sequence[Tensor | None]:
    """The state of one layer before the first step; None for zeros."""
    if state is None:
        return (None,) * (2 if stack.cell == "lstm" else 1)
    if stack.num_layers == 1:
        return state
    return [part[layer * stack.directions : (layer + 1) * stack.directions] for part in state]


def _watched(x: Tensor) -> bool:
    """Whether something wants to see each operation, or other products than float32's."""
    return (
        type(x) is not Tensor
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._is_tracing()
        or transformed() is not None
        or operands_of(x) != 0
        or (x.dtype is torch.float64 and torch.is_autocast_enabled("cpu"))
    )
