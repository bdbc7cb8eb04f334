"""What comes in at the door: every error an advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from recurra.errors import OptionError, ShapeError
from recurra.runtime.cells import State
from recurra.runtime.plan import Plan
from recurra.types import Array, Integers

__all__ = ["advise_step", "as_input", "as_lengths", "as_state", "check_count"]


def as_input(plan: Plan, dtype: np.dtype[Any], x: ArrayLike, axes: str, name: str = "x") -> Array:
    """Check an input and return it in the type of the weights.

    Parameters
    ----------
    plan : Plan
        Of the stack that reads it.
    dtype : dtype
        Of the weights.
    x : array-like
        The input.
    axes : str
        Its axes, as people read them: ``"(batch, time, {width})"``.
    name : str, default "x"
        What to call it.

    Returns
    -------
    ndarray
        Numbers side by side in its last axis.

    Raises
    ------
    ShapeError
        If it has other axes, another width or other numbers.

    Examples
    --------
    >>> plan = Plan(layer="GRU", input_size=3, hidden_size=4, output_size=4)
    >>> as_input(plan, np.dtype("float32"), np.ones((9, 3)), "(batch, time, {width})")
    Traceback (most recent call last):
    ...
    recurra.errors.ShapeError: x has shape (9, 3), but GRU reads (batch, time, 3). ...
    """
    array, width = np.asarray(x), plan.input_size
    reads = axes.format(width=width)
    if array.ndim != axes.count(",") + 1 or array.shape[-1] != width:
        advice = f"Choose its {width} inputs and give them in the last axis."
        if array.ndim == axes.count(",") and array.shape[-1:] == (width,):
            where = "None, :" if array.ndim == 1 or plan.batch_first else ":, None"
            advice = f"Use {name}[{where}] if it is a single record."
        raise ShapeError(
            f"{name} has shape {array.shape}, but {plan.layer} reads {reads}. {advice}"
        )
    if array.dtype not in (np.float32, np.float64):
        raise ShapeError(
            f"{name} is {array.dtype}, but {plan.layer} reads float32 or float64. "
            f"Use {name}.astype(np.{dtype})."
        )
    array = array.astype(dtype, copy=False)
    beside = array.flags.aligned and array.strides[-1] == array.itemsize
    return array if beside else np.ascontiguousarray(array)


def advise_step(plan: Plan, dtype: np.dtype[Any], batch: int, x_t: object) -> None:
    """Say what is wrong with the input of a `Stepper`.

    Parameters
    ----------
    plan : Plan
        Of the stack.
    dtype : dtype
        Of its weights.
    batch : int
        How many records it steps.
    x_t : object
        What came.

    Raises
    ------
    ShapeError
        Always: the input has been found to be wrong.

    Examples
    --------
    >>> plan = Plan(layer="GRU", input_size=3, hidden_size=4, output_size=4)
    >>> advise_step(plan, np.dtype("float32"), 1, [1.0, 2.0, 3.0])
    Traceback (most recent call last):
    ...
    recurra.errors.ShapeError: x_t is a list, but the stepper reads an array of float32 or
    float64, shape (1, 3). Use np.asarray(x_t, np.float32).
    """
    width = plan.input_size
    reads = f"but the stepper reads an array of float32 or float64, shape ({batch}, {width})"
    if not isinstance(x_t, np.ndarray):
        raise ShapeError(
            f"x_t is a {type(x_t).__name__}, {reads}. Use np.asarray(x_t, np.{dtype})."
        )
    if x_t.shape != (batch, width) and (batch > 1 or x_t.shape != (width,)):
        advice = f"Use x_t.reshape({batch}, {width})"
        if x_t.size != batch * width:
            advice = "Build it with stack.stepper(batch=…) for as many records as come together"
        raise ShapeError(f"x_t has shape {x_t.shape}, {reads}. {advice}.")
    if x_t.dtype not in (np.float32, np.float64):
        raise ShapeError(f"x_t is {x_t.dtype}, {reads}. Use x_t.astype(np.{dtype}).")
    raise ShapeError(
        f"x_t is not C-contiguous, {reads}, its numbers side by side. "
        "Use np.ascontiguousarray(x_t)."
    )


def as_state(plan: Plan, dtype: np.dtype[Any], state: Array | Sequence[Array], batch: int) -> State:
    """Check a state and return it as arrays of the stack.

    Parameters
    ----------
    plan : Plan
        Of the stack.
    dtype : dtype
        Of its weights.
    state : ndarray or sequence of ndarray, each (layers, batch, size)
        The state.
    batch : int
        How many records.

    Returns
    -------
    tuple of ndarray, each (layers, batch, size)
        C-contiguous.

    Raises
    ------
    ShapeError
        If it is not a state of this stack for this batch.

    Examples
    --------
    >>> plan = Plan(layer="GRU", input_size=3, hidden_size=4, output_size=4)
    >>> len(as_state(plan, np.dtype("float64"), np.zeros((1, 2, 4)), 2))
    1
    """
    parts = (state,) if isinstance(state, np.ndarray) else tuple(state)
    if len(parts) != len(plan.letters):
        raise ShapeError(
            f"The state holds {len(parts)} arrays, but {plan.layer} carries "
            f"{' and '.join(plan.letters)}. stack.initial_state({batch}) builds one."
        )
    arrays = []
    for letter, part, size in zip(plan.letters, parts, plan.state_sizes, strict=True):
        array, shape = np.asarray(part), (plan.num_layers, batch, size)
        if array.shape != shape or array.dtype not in (np.float32, np.float64):
            raise ShapeError(
                f"The state {letter} is {array.dtype} of shape {array.shape}, but {plan.layer} "
                f"needs {dtype} of shape {shape}: (layers, batch, size). "
                f"stack.initial_state({batch}) builds one."
            )
        arrays.append(np.require(array, dtype, ["C", "A"]))
    return tuple(arrays)


def as_lengths(lengths: Sequence[int] | Array, batch: int, steps: int) -> Integers:
    """Check the lengths of a batch.

    Parameters
    ----------
    lengths : sequence of int or ndarray, shape (batch,)
        The real steps of each record.
    batch, steps : int
        How many records there are, and steps on the time axis.

    Returns
    -------
    ndarray of int64, shape (batch,)
        The lengths.

    Raises
    ------
    ShapeError
        If one is no integer, negative or beyond the time axis, or there are too few or too many.

    Examples
    --------
    >>> as_lengths([5, 9], batch=2, steps=8)
    Traceback (most recent call last):
    ...
    recurra.errors.ShapeError: lengths[1] is 9, but the time axis holds 8 steps. ...
    """
    array = np.asarray(lengths)
    if array.shape != (batch,):
        raise ShapeError(
            f"lengths has shape {array.shape} for {batch} records. Give one length a record, and "
            "see that stack.batch_first says which axis of x is the batch."
        )
    if batch and not np.issubdtype(array.dtype, np.integer):
        raise ShapeError(f"lengths are {array.dtype}, but a length is an integer. Use astype(int).")
    for row in np.flatnonzero((array < 0) | (array > steps))[:1]:
        raise ShapeError(
            f"lengths[{row}] is {array[row]}, but the time axis holds {steps} steps. "
            "Pad x further or clip the length."
        )
    return np.require(array, np.int64, ["C", "A"])


def check_count(name: str, value: object, least: int = 1) -> None:
    """Check a number that counts something.

    Parameters
    ----------
    name : str
        What it is called.
    value : object
        The number.
    least : int, default 1
        The least it may be.

    Raises
    ------
    OptionError
        If it is no integer, or less.

    Examples
    --------
    >>> check_count("batch", 0)
    Traceback (most recent call last):
    ...
    recurra.errors.OptionError: batch is 0, but must be an integer, 1 or more.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or int(value) < least:  # type: ignore[call-overload]
        raise OptionError(f"{name} is {value!r}, but must be an integer, {least} or more.")
