"""One step without a gradient, by the shortest way: for whoever feeds a layer row by row.

Everything here could be left away: `recurra.kernels.run` gives the same bits. It is what makes a
step of a small layer cost microseconds. The packed weights are kept from step to step, and the
engine looks at all the weights each time to see whether they are still the same. Where anything is
unusual the step is left to the usual way, which says what is the matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from recurra.kernels.dispatch import forced
from recurra.kernels.native import CELLS, operands_of, refuse
from recurra.kernels.onlookers import onlooker
from recurra.kernels.recurrence import State
from recurra.kernels.stack import Stack
from recurra.native import engine

__all__ = ["Stepping"]

_GATES = {"elman": 1, "lstm": 4, "gru": 3}
_ACTIVATIONS = {"tanh": 0, "relu": 1, "sigmoid": 2}


class Stepping:
    """Steps a stack of one direction, and keeps what is packed for it.

    Parameters
    ----------
    stack : Stack
        The plan; nothing in it may drop.

    Examples
    --------
    >>> from recurra.kernels import Weights
    >>> weights, h = [Weights(torch.ones(12, 3), torch.ones(12, 4))], torch.zeros(1, 2, 4)
    >>> stepping = Stepping(Stack("gru"))
    >>> with torch.no_grad():
    ...     found = stepping.step(torch.ones(2, 3), (h,), weights)
    >>> found is None or found[0].shape == (2, 4)
    True
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._prepared: list[Any] = []
        self._shapes: tuple[tuple[int, ...], ...] = ()  # of x, y and a state, as prepared
        self._y = torch.empty(0)  # only its shape and type count

    def __getstate__(self) -> dict[str, Any]:
        """What is packed stays here: a copy packs its own."""
        return self.__dict__ | {"_prepared": []}

    def step(
        self, x_t: Tensor, state: State, weights: Sequence[Sequence[Any]]
    ) -> tuple[Tensor, State] | None:
        """Read one step of each record, if it can be done the short way.

        Parameters
        ----------
        x_t : Tensor, shape (batch, inputs)
            The input of this step.
        state : tuple of Tensor, each (layers, batch, hidden)
            The state after the step before.
        weights : sequence of Weights
            One for each layer; no more than the first four fields are read.

        Returns
        -------
        tuple of Tensor and state, or None
            The output and the state after the step; None where only the usual way can tell.
        """
        if torch.is_grad_enabled() or forced() is not None or _watched(x_t):
            return None
        for _ in range(2):  # again once, when it had to be prepared anew
            if self._prepared and self._fits(x_t, state):
                found = self._go(x_t, state, weights)
                if found is not None:
                    return found
            if not self._prepare(x_t, weights):
                return None
        return None

    def _fits(self, x_t: Tensor, state: State) -> bool:
        dtype = self._y.dtype
        of_x, of_state = self._shapes
        if x_t.shape != of_x or x_t.dtype is not dtype or not x_t.is_cpu:
            return False
        if not x_t.is_contiguous():
            return False
        for part in state:
            if part.shape != of_state or part.dtype is not dtype or not part.is_contiguous():
                return False
        return state[0].is_cpu and state[-1].is_cpu

    def _go(
        self, x: Tensor, state: State, weights: Sequence[Sequence[Any]]
    ) -> tuple[Tensor, State] | None:
        """Step all layers, if their weights are what was packed."""
        after = tuple([torch.empty_like(part) for part in state])
        h0, c0, hn, cn = (one.data_ptr() for one in (state[0], state[-1], after[0], after[-1]))
        batch, hidden = self._y.shape
        size = batch * hidden * x.element_size()
        for layer, prepared in enumerate(self._prepared):
            y = torch.empty_like(self._y)
            w_ih, w_hh, b_ih, b_hh = weights[layer][:4]
            if not engine.step(
                prepared, batch, x.data_ptr(), h0, c0, y.data_ptr(), hn, cn,
                w_ih.data_ptr(), w_hh.data_ptr(),
                0 if b_ih is None else b_ih.data_ptr(), 0 if b_hh is None else b_hh.data_ptr(),
            ):  # fmt: skip
                return None
            x, h0, c0, hn, cn = y, h0 + size, c0 + size, hn + size, cn + size
        return x, after

    def _prepare(self, x: Tensor, weights: Sequence[Sequence[Any]]) -> bool:
        """Pack the weights for such an input, if the engine can use them as they lie."""
        if x.dim() != 2 or not x.is_contiguous() or refuse(self._stack, x) is not None:
            return False
        if onlooker(x, weights) is not None:  # type: ignore[arg-type]
            return False
        if self._stack.options or self._stack.projected or x.dtype == torch.bfloat16:
            return False
        (batch, inputs), hidden = x.shape, weights[0][1].shape[1]
        rows, width = _GATES[self._stack.cell] * hidden, inputs
        fixed = (CELLS[self._stack.cell], _ACTIVATIONS[self._stack.activation], x.element_size())
        self._y, calls = x.new_empty(batch, hidden), []
        for one in weights:
            for weight, shape in zip(
                one, ((rows, width), (rows, hidden), (rows,), (rows,)), strict=False
            ):
                if weight is not None and (
                    weight.shape != shape
                    or weight.dtype != x.dtype
                    or not weight.is_contiguous()
                    or not weight.is_cpu
                ):
                    return False
            addresses = [0 if weight is None else weight.data_ptr() for weight in one[:4]]
            calls.append((
                *fixed, 0, 1, batch, width, hidden, 0, 0, 0, width, 0, 0, hidden, hidden,
                *addresses, 0, 0, 0, hidden, 0, 0,
            ))  # fmt: skip
            width = hidden
        self._prepared = [engine.prepare(call) for call in calls]
        self._shapes = ((batch, inputs), (len(calls), batch, hidden))
        return True


def _watched(x: Tensor) -> bool:
    """Whether something wants to see each operation, or other products than float32's."""
    return onlooker(x) is not None or torch.compiler.is_compiling() or operands_of(x) != 0
