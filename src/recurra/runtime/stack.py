"""A recurrent stack out of a file: whole records, or one step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from recurra.native import engine
from recurra.runtime import cells, native
from recurra.runtime.cells import State
from recurra.runtime.door import as_input, as_lengths, as_state, check_count
from recurra.runtime.plan import Plan, Weights
from recurra.runtime.stepper import Stepper
from recurra.types import Array, Integers

__all__ = ["SavedStack"]


class SavedStack:
    """Recurrent layers at rest: what `load` gives.

    It gives what the layer gave in torch when not training, to rounding. It holds no state: that
    comes and goes with `run` and `step`, or lives in a `stepper`.

    Parameters
    ----------
    plan : Plan
        What the file says of the stack.
    weights : sequence of Weights
        One for each layer, checked.
    initial : tuple of ndarray, each (layers, size), optional
        The state before the first step that was learned; else it is 0.

    Attributes
    ----------
    plan : Plan
        Sizes and options.
    dtype : dtype
        Of the weights, and of all that comes out.
    backend : {"native", "numpy"}
        What runs it.
    reason : str
        Why it is this one, as half a sentence.

    Examples
    --------
    >>> plan = Plan(layer="RNN", input_size=1, hidden_size=1, output_size=1, activation="relu")
    >>> stack = SavedStack(plan, [Weights(np.ones((1, 1)), np.ones((1, 1)))])
    >>> output, state = stack.run(np.ones((3, 1, 1)))  # adds up
    >>> output.ravel(), state
    (array([1., 2., 3.]), array([[[3.]]]))
    """

    def __init__(
        self, plan: Plan, weights: Sequence[Weights], initial: State | None = None
    ) -> None:
        self.plan = plan
        self.dtype: np.dtype[Any] = weights[0].weight_ih.dtype
        refusal = native.refuse(plan)
        self.backend = "native" if refusal is None else "numpy"
        self.reason = "the compiled engine" if refusal is None else refusal
        self._weights = tuple(weights)
        self._initial = initial
        self._packed: dict[int, list[Any]] = {}

    def __repr__(self) -> str:
        plan = self.plan
        layers = f", num_layers={plan.num_layers}" if plan.num_layers > 1 else ""
        sizes = f"{plan.input_size}, {plan.hidden_size}{layers}"
        return f"<{plan.layer}({sizes}) in {self.dtype}, {self.backend}: {self.reason}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return SavedStack, (self.plan, self._weights, self._initial)

    @property
    def input_size(self) -> int:
        """Width of the input."""
        return self.plan.input_size

    @property
    def output_size(self) -> int:
        """Width of the output."""
        return self.plan.output_size

    @property
    def batch_first(self) -> bool:
        """Whether `run` reads (batch, time, inputs) or (time, batch, inputs), as the layer did."""
        return self.plan.batch_first

    def initial_state(self, batch: int = 1) -> Array | State:
        """Return the state before the first step: zeros, or what was learned.

        Parameters
        ----------
        batch : int, default 1
            How many records.

        Returns
        -------
        ndarray or tuple of ndarray, each (layers, batch, size)
            An array, or the pair (h, c) of an LSTM.
        """
        check_count("batch", batch, least=0)
        return self._public(self._start(int(batch)))

    def run(
        self,
        x: ArrayLike,
        state: Array | Sequence[Array] | None = None,
        *,
        lengths: Sequence[int] | Array | None = None,
        threads: int = 1,
    ) -> tuple[Array, Array | State]:
        """Read whole records.

        Parameters
        ----------
        x : array-like of float, shape (time, batch, inputs)
            (batch, time, inputs) if the layer had ``batch_first=True``.
        state : ndarray or sequence of ndarray, each (layers, batch, size), optional
            The state to go on from; without it that of `initial_state`.
        lengths : sequence of int or ndarray, shape (batch,), optional
            The real steps of each record, 0 to ``time``. What stands beyond is never felt.
        threads : int, default 1
            How many threads of the engine share the records; no bit of the answer depends on it.

        Returns
        -------
        output : ndarray, shape (time, batch, outputs)
            Of the last layer, laid out as ``x``; exactly 0 beyond a record's length.
        state : ndarray or tuple of ndarray, each (layers, batch, size)
            After each record's own last step; the state before, if it has none.

        Raises
        ------
        ShapeError
            If an array is not what the stack reads; says what to do.

        Examples
        --------
        >>> plan = Plan(layer="GRU", input_size=2, hidden_size=4, output_size=4, batch_first=True)
        >>> stack = SavedStack(plan, [Weights(np.ones((12, 2)), np.ones((12, 4)))])
        >>> output, state = stack.run(np.ones((3, 5, 2)), lengths=[5, 2, 0])
        >>> output.shape, state.shape, output[1, 2:].any()
        ((3, 5, 4), (1, 3, 4), np.False_)
        """
        check_count("threads", threads)
        axes = "(batch, time, {width})" if self.batch_first else "(time, batch, {width})"
        array = as_input(self.plan, self.dtype, x, axes)
        array = array.swapaxes(0, 1) if self.batch_first else array
        steps, batch, _ = array.shape
        before = self._before(state, batch)
        counts = None if lengths is None else as_lengths(lengths, batch, steps)
        if counts is not None and self.backend == "numpy":
            real = np.arange(steps)[:, None] < counts
            array = np.where(real[..., None], array, 0)
        finals: list[State] = []
        for k in range(self.plan.num_layers):
            part = tuple(one[k] for one in before)
            array, after = self._run_layer(k, array, part, counts, int(threads))
            finals.append(after)
        output = array.swapaxes(0, 1) if self.batch_first else array
        return output, self._public(tuple(map(np.stack, zip(*finals, strict=True))))

    def step(
        self, x_t: ArrayLike, state: Array | Sequence[Array] | None = None
    ) -> tuple[Array, Array | State]:
        """Read one step of each record; the state comes and goes.

        Parameters
        ----------
        x_t : array-like of float, shape (batch, inputs)
            The input of this step.
        state : ndarray or sequence of ndarray, each (layers, batch, size), optional
            The state after the step before; without it that of `initial_state`.

        Returns
        -------
        y_t : ndarray, shape (batch, outputs)
            The output of this step.
        state : ndarray or tuple of ndarray, each (layers, batch, size)
            The state after it.

        Notes
        -----
        This is `run` on one step. A `stepper` is many times faster on small networks.
        """
        array = as_input(self.plan, self.dtype, x_t, "(batch, {width})", "x_t")
        output, after = self.run(np.expand_dims(array, 1 if self.batch_first else 0), state)
        return output[:, 0] if self.batch_first else output[0], after

    def stepper(self, batch: int = 1) -> Stepper:
        """Return a stepper that carries the state of some records.

        Parameters
        ----------
        batch : int, default 1
            How many records go side by side.

        Returns
        -------
        Stepper
            Before the first step.
        """
        check_count("batch", batch)
        return Stepper(self.plan, self._weights, self._start(int(batch)))

    def _start(self, batch: int) -> State:
        plan = self.plan
        if self._initial is None:
            sizes = plan.state_sizes
            return tuple(np.zeros((plan.num_layers, batch, size), self.dtype) for size in sizes)
        return tuple(part[:, None].repeat(batch, 1) for part in self._initial)

    def _before(self, state: Array | Sequence[Array] | None, batch: int) -> State:
        if state is None:
            return self._start(batch)
        return as_state(self.plan, self.dtype, state, batch)

    def _public(self, state: State) -> Array | State:
        """The state as a caller sees it: an array, or an LSTM's pair."""
        return state if len(state) > 1 else state[0]

    def _run_layer(
        self, k: int, x: Array, state: State, lengths: Integers | None, threads: int
    ) -> tuple[Array, State]:
        if self.backend == "numpy":
            return self._run_in_numpy(k, x, state, lengths)
        steps, batch, _ = x.shape
        shape = (batch, steps) if self.batch_first else (steps, batch)
        y = np.empty((*shape, self.output_size), self.dtype)
        y = y.swapaxes(0, 1) if self.batch_first else y
        packed, weights = self._packed_layers()[k], self._weights[k]
        return y, native.run_layer(self.plan, weights, packed, x, state, lengths, y, threads)

    def _run_in_numpy(
        self, k: int, x: Array, state: State, lengths: Integers | None
    ) -> tuple[Array, State]:
        weights, plan = self._weights[k], self.plan
        projected = cells.fed_in(x, weights)
        y = np.zeros((*x.shape[:2], plan.output_size), self.dtype)
        now = tuple(part.copy() for part in state)
        for t in range(len(x)):
            rows = slice(None) if lengths is None else np.flatnonzero(lengths > t)
            after = cells.step(plan, weights, projected[t, rows], tuple(one[rows] for one in now))
            y[t, rows] = after[0]
            for one, new in zip(now, after, strict=True):
                one[rows] = new
        return y, now

    def _packed_layers(self) -> list[Any]:
        """The weights as the engine reads them with the instruction set in use now."""
        assert engine is not None
        isa = engine.isa()
        if isa not in self._packed:
            self._packed[isa] = [native.pack(self.plan, one) for one in self._weights]
        return self._packed[isa]
