"""One step after another, in constant time and memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from recurra.runtime import cells, native
from recurra.runtime.cells import State
from recurra.runtime.door import advise_step, as_state
from recurra.runtime.plan import Plan, Weights
from recurra.types import Array

__all__ = ["Stepper"]


class Stepper:
    """A stack that carries the state of some records; made by `SavedStack.stepper`.

    ``copy.copy`` and ``pickle`` give a stepper that stands where this one stands and goes its own
    way from there. A stepper is for one thread at a time; a stack may have as many as wanted.

    Parameters
    ----------
    plan : Plan
        Of the stack.
    weights : sequence of Weights
        One for each layer.
    start : tuple of ndarray, each (layers, batch, size)
        The state before the first step, in the type of the weights.

    Attributes
    ----------
    batch : int
        How many records go side by side.

    Examples
    --------
    >>> plan = Plan(layer="RNN", input_size=1, hidden_size=1, output_size=1, activation="relu")
    >>> weights = [Weights(np.ones((1, 1)), np.ones((1, 1)))]
    >>> stepper = Stepper(plan, weights, (np.zeros((1, 1, 1)),))
    >>> for x_t in np.ones((3, 1)):  # adds up
    ...     y_t = stepper.step(x_t)
    >>> y_t, stepper.state
    (array([[3.]]), array([[[3.]]]))
    >>> stepper.reset()
    >>> stepper.state
    array([[[0.]]])
    """

    def __init__(self, plan: Plan, weights: Sequence[Weights], start: State) -> None:
        self.batch = start[0].shape[1]
        self._plan, self._weights, self._start = plan, weights, start
        self._state = tuple(np.array(part, order="C") for part in start)
        self._refused = partial(advise_step, plan, start[0].dtype, self.batch)
        if native.refuse(plan) is None:
            # The engine's own function takes the place of the method: nothing in between.
            step = native.step_function(plan, weights, self._state, self._refused)
            self.step = step  # type: ignore[method-assign, assignment]

    def step(self, x_t: Array) -> Array:
        """Read one step and carry the state on.

        Parameters
        ----------
        x_t : ndarray of float32 or float64, shape (batch, inputs)
            The input of this step, C-contiguous; (inputs,) will do for a batch of 1. In the type
            of the weights it is read where it lies, in the other it is converted.

        Returns
        -------
        ndarray, shape (batch, outputs)
            The output of this step, an array of its own: no later step writes to it as long as
            anything refers to it.

        Raises
        ------
        ShapeError
            If ``x_t`` is not such an array; the state is as it was.
        """
        fits = (
            isinstance(x_t, np.ndarray)
            and x_t.dtype in (np.float32, np.float64)
            and x_t.flags.c_contiguous
            and x_t.shape[-1:] == (self._plan.input_size,)
            and (x_t.shape[:-1] == (self.batch,) or (x_t.ndim == self.batch == 1))
        )
        if not fits:
            self._refused(x_t)
        rows = x_t.reshape(self.batch, -1).astype(self._start[0].dtype, copy=False)
        return cells.step_layers(self._plan, self._weights, rows, self._state)

    @property
    def state(self) -> Array | State:
        """The state after the last step, each array (layers, batch, size); a copy.

        Assign one to go on from there.
        """
        parts = tuple(part.copy() for part in self._state)
        return parts if len(parts) > 1 else parts[0]

    @state.setter
    def state(self, state: Array | Sequence[Array]) -> None:
        self._write(as_state(self._plan, self._start[0].dtype, state, self.batch))

    def reset(self) -> None:
        """Go back before the first step."""
        self._write(self._start)

    def _write(self, state: State) -> None:
        for here, new in zip(self._state, state, strict=True):
            here[...] = new

    def __reduce__(self) -> tuple[Any, ...]:
        return _resumed, (self._plan, self._weights, self._start, self.state)


def _resumed(plan: Plan, weights: Sequence[Weights], start: State, state: Array | State) -> Stepper:
    stepper = Stepper(plan, weights, start)
    stepper.state = state
    return stepper
