"""The stack on the compiled engine: addresses of NumPy's arrays instead of torch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from recurra.native import engine, missing
from recurra.runtime.cells import State
from recurra.runtime.plan import Plan, Weights
from recurra.types import Array, Integers

__all__ = ["pack", "refuse", "run_layer", "step_function"]

_CELLS = {"RNN": 0, "LSTM": 1, "GRU": 2}
_ACTIVATIONS = {"tanh": 0, "relu": 1, "sigmoid": 2}


def refuse(plan: Plan) -> str | None:
    """Say why the engine cannot run a stack.

    Parameters
    ----------
    plan : Plan
        The plan.

    Returns
    -------
    str or None
        None if it can.

    Examples
    --------
    >>> refuse(Plan(layer="Jordan", input_size=3, hidden_size=4, output_size=4)) is None
    False
    """
    if engine is None:
        return missing
    if plan.layer not in _CELLS:
        return f"the engine has no {plan.layer} cell"
    if plan.activation not in _ACTIVATIONS:
        return f"the engine has no RNN cell with {plan.activation}"
    options = ("zoneout", "zoneout_cell", "layer_norm", "peephole", "coupled", "projected")
    used = [name for name in options if getattr(plan, name)]
    used += ["heads"] if plan.heads > 1 else []
    return f"the engine does not know {' and '.join(used)}" if used else None


def pack(plan: Plan, weights: Weights) -> Any:
    """Lay the weights of a layer as the engine reads them.

    Parameters
    ----------
    plan : Plan
        One that `refuse` lets pass.
    weights : Weights
        Of the layer.

    Returns
    -------
    object
        A block of the engine's memory; for the instruction set in use now.
    """
    assert engine is not None
    return engine.pack(
        (*_fixed(plan, weights), 0, 1, 1, *_sizes(weights), *(0,) * 8, *_at(weights))
    )


def run_layer(
    plan: Plan,
    weights: Weights,
    packed: Any,
    x: Array,
    state: State,
    lengths: Integers | None,
    y: Array,
    threads: int,
) -> State:
    """Run one layer over whole records.

    Parameters
    ----------
    plan : Plan
        One that `refuse` lets pass.
    weights : Weights
        Of the layer.
    packed : object
        From `pack`.
    x : ndarray, shape (time, batch, inputs)
        The input, numbers side by side in its last axis.
    state : tuple of ndarray, each (batch, size)
        Before the first step, C-contiguous.
    lengths : ndarray of int64, shape (batch,), or None
        The real steps of each record.
    y : ndarray, shape (time, batch, hidden)
        Where the output goes; numbers side by side in its last axis.
    threads : int
        How many threads the rows are split among.

    Returns
    -------
    tuple of ndarray, each (batch, size)
        After each record's own last step.
    """
    assert engine is not None
    inputs, hidden = _sizes(weights)
    steps, batch, _ = x.shape
    after = tuple(np.empty_like(part) for part in state)
    before = (*map(_address, state), 0)[:2]
    counts = 0 if lengths is None else _address(lengths)
    (x_step, x_row), (y_step, y_row) = _strides(x), _strides(y)
    engine.forward(threads, (
        *_fixed(plan, weights), 0, steps, batch, inputs, hidden, counts,
        _address(x), x_step, x_row,
        *before, hidden, hidden,
        *_at(weights), packed.address,
        _address(y), y_step, y_row,
        _address(after[0]), _address(after[-1]),
    ))  # fmt: skip
    return after


def step_function(
    plan: Plan, weights: Sequence[Weights], state: State, refused: Callable[[object], None]
) -> Callable[[Array], Array]:
    """Prepare the engine to step a stack.

    Parameters
    ----------
    plan : Plan
        One that `refuse` lets pass.
    weights : sequence of Weights
        One for each layer.
    state : tuple of ndarray, each (layers, batch, size)
        Carried in place: C-contiguous, and to be written to, never replaced.
    refused : callable
        Raises the error for an input that cannot be read.

    Returns
    -------
    callable
        ``step(x_t) -> y_t``.
    """
    assert engine is not None
    batch, element = state[0].shape[1], state[0].itemsize
    between = np.empty_like(state[0])  # the output of each layer but the last
    layers = tuple(
        (
            *_fixed(plan, one)[:2],
            *_sizes(one),
            *_at(one),
            _address(state[0][k]),
            _address(state[-1][k]),
            0 if k == plan.num_layers - 1 else _address(between[k]),
        )
        for k, one in enumerate(weights)
    )
    new_output = partial(np.empty, (batch, plan.hidden_size), state[0].dtype)
    held = (state, between)  # the weights are packed and no longer needed
    step: Callable[[Array], Array] = engine.Stepper(
        element, batch, layers, new_output, refused, held
    ).step
    return step


def _fixed(plan: Plan, weights: Weights) -> tuple[int, int, int]:
    return _CELLS[plan.layer], _ACTIVATIONS[plan.activation], weights.weight_ih.itemsize


def _sizes(weights: Weights) -> tuple[int, int]:
    return weights.weight_ih.shape[1], weights.weight_hh.shape[1]


def _at(weights: Weights) -> tuple[int, ...]:
    return tuple(0 if one is None else _address(one) for one in weights[:4])


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _strides(array: Array) -> tuple[int, int]:
    return array.strides[0] // array.itemsize, array.strides[1] // array.itemsize
