"""What comes in at the door: sizes, shapes, types and lengths checked, every error an advice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import torch
from torch import Tensor

from recurra.errors import OptionError, ShapeError
from recurra.kernels.onlookers import transformed

if TYPE_CHECKING:
    from recurra.kernels import Stack, State

__all__ = [
    "Reader",
    "check_input",
    "check_lengths",
    "check_observed",
    "check_sizes",
    "check_state",
    "check_times",
]


class Reader(Protocol):
    """What the door must know of the layer behind it."""

    letters: ClassVar[tuple[str, ...]]
    stack: Stack
    input_size: int
    state_sizes: tuple[int, ...]
    batch_first: bool


def check_sizes(stack: Stack, input_size: int, hidden_size: int, output_size: int) -> None:
    """Check the sizes that a layer is built with.

    Parameters
    ----------
    stack : Stack
        The plan they must go with.
    input_size, hidden_size, output_size : int
        Width of the input, of the hidden layer, and of one direction's output.

    Raises
    ------
    OptionError
        If one is no positive integer, or the hidden layer does not suit the plan.

    Examples
    --------
    >>> import recurra.layers
    >>> recurra.layers.GRU(3, 8, heads=5)
    Traceback (most recent call last):
    ...
    recurra.errors.OptionError: heads is 5, but must divide hidden_size=8: ... Use 1, 2, 4 or 8.
    """
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "output_size": output_size}
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise OptionError(f"{name} is {size!r}, but must be an integer, 1 or more.")
    if hidden_size % stack.heads:
        *others, last = (str(n) for n in range(1, hidden_size + 1) if hidden_size % n == 0)
        raise OptionError(
            f"heads is {stack.heads}, but must divide hidden_size={hidden_size}: each head has as "
            f"many units. Use {', '.join(others)} or {last}."
        )
    if stack.layer_norm and hidden_size == 1:
        raise OptionError(
            "layer_norm compares the units of a layer, and hidden_size=1 leaves nothing to "
            "compare. Use hidden_size=2 or more, or layer_norm=False."
        )


def check_input(layer: Reader, x: Tensor, weight: Tensor, *, ragged: bool) -> None:
    """Check the input of a layer.

    Parameters
    ----------
    layer : Reader
        The layer that reads it.
    x : Tensor
        The input.
    weight : Tensor
        Its first weight: gives dtype and device.
    ragged : bool
        Whether lengths are given, which only a batch has.

    Raises
    ------
    ShapeError
        If ``x`` is not what the layer reads; says what to do.

    Examples
    --------
    >>> import torch, recurra.layers
    >>> layer = recurra.layers.GRU(4, 8, batch_first=True)
    >>> layer(torch.ones(9, 4), lengths=[9])
    Traceback (most recent call last):
    ...
    recurra.errors.ShapeError: x has shape (9, 4), but GRU reads (batch, time, 4). ...
    """
    if not isinstance(x, Tensor):
        raise ShapeError(f"x is a {type(x).__name__}, but {_name(layer)} reads a tensor.")
    shape, width = tuple(x.shape), layer.input_size
    axes = f"(batch, time, {width})" if layer.batch_first else f"(time, batch, {width})"
    came = f"x has shape {shape}, but {_name(layer)} reads {axes}"
    if x.dim() not in (2, 3):
        raise ShapeError(f"{came}, or (time, {width}) for a single record.")
    if x.dim() == 2 and (ragged or shape[1] != width):
        batch_axis = 0 if layer.batch_first else 1
        raise ShapeError(
            f"{came}. Use x.unsqueeze({batch_axis}) if it is one record of {shape[0]} steps, "
            f"x.unsqueeze(-1) if it is {shape[batch_axis]} records with one input."
        )
    if shape[-1] != width:
        advice = f"Build it with input_size={shape[-1]}, or choose the {width} inputs of x."
        if shape[1] == width:
            advice = "Use x.transpose(1, 2) if the inputs stand in the middle."
        raise ShapeError(f"{came}. {advice}")
    if x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
        other = f", or layer.to({x.dtype})" if x.is_floating_point() else ""
        raise ShapeError(
            f"x is {x.dtype}, but the weights of {_name(layer)} are {weight.dtype}. "
            f"Use x.to({weight.dtype}){other}."
        )
    if x.device != weight.device:
        raise ShapeError(
            f"x is on {x.device}, but the weights of {_name(layer)} are on {weight.device}. "
            f"Use x.to('{weight.device}'), or layer.to('{x.device}')."
        )


def check_state(
    layer: Reader,
    state: Tensor | Sequence[Tensor],
    batch: tuple[int, ...],
    x: Tensor,
    exact: Sequence[str] = (),
) -> State:
    """Check a state that a caller hands in.

    Parameters
    ----------
    layer : Reader
        The layer that goes on from it.
    state : Tensor or sequence of Tensor
        The state.
    batch : tuple of int
        ``(records,)``, or ``()`` for a single record without a batch axis.
    x : Tensor
        The input it goes with.
    exact : sequence of str, optional
        The letters of what is float64 whatever ``x`` is.

    Returns
    -------
    tuple of Tensor, each (layers·directions, *batch, size)
        The state.

    Raises
    ------
    ShapeError
        If it is not a state of this layer for this batch.

    Examples
    --------
    >>> import torch, recurra.layers
    >>> layer = recurra.layers.GRU(4, 8)
    >>> len(check_state(layer, torch.zeros(1, 2, 8), (2,), torch.ones(5, 2, 4)))
    1
    """
    parts = (state,) if isinstance(state, Tensor) else tuple(state)
    if len(parts) != len(layer.letters):
        raise ShapeError(
            f"The state holds {len(parts)} tensors, but {_name(layer)} carries "
            f"{' and '.join(layer.letters)}. layer.initial_state(batch) builds one."
        )
    for letter, part, size in zip(layer.letters, parts, layer.state_sizes, strict=True):
        shape = (layer.stack.runs, *batch, size)
        if part.shape != shape:
            axes = "(layers·directions, batch, size)" if batch else "(layers·directions, size)"
            raise ShapeError(
                f"The state {letter} has shape {tuple(part.shape)}, but {_name(layer)} needs "
                f"{shape} here: {axes}, whatever batch_first. "
                f"layer.initial_state({batch[0] if batch else 1}) builds one."
            )
        if letter in exact:
            if part.dtype != torch.float64:
                raise ShapeError(f"The state {letter} is {part.dtype}, but must be torch.float64.")
        elif part.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type):
            raise ShapeError(
                f"The state {letter} is {part.dtype}, but x is {x.dtype}. Use .to({x.dtype})."
            )
    return parts


def check_observed(layer: Reader, observed: Tensor, x: Tensor) -> Tensor:
    """Check which values of an input are said to be observed.

    Parameters
    ----------
    layer : Reader
        The layer that reads it.
    observed : Tensor
        Which values there are, laid out as ``x``.
    x : Tensor
        The input.

    Returns
    -------
    Tensor of bool
        The same.

    Raises
    ------
    ShapeError
        If the shape is not that of ``x``, or it is no tensor of bool.

    Examples
    --------
    >>> import torch, recurra.layers
    >>> layer, x = recurra.layers.GRUD(3, 8), torch.ones(5, 2, 3)
    >>> layer(x, observed=torch.ones(5, 2))
    Traceback (most recent call last):
    ...
    recurra.errors.ShapeError: observed has shape (5, 2) and type torch.float32, but ...
    """
    if not isinstance(observed, Tensor):
        raise ShapeError(f"observed is a {type(observed).__name__}, but must be a tensor, as x.")
    if observed.shape != x.shape or observed.dtype != torch.bool:
        came = f"shape {tuple(observed.shape)} and type {observed.dtype}"
        raise ShapeError(
            f"observed has {came}, but {_name(layer)} wants {tuple(x.shape)} and torch.bool, as x. "
            "Use observed.bool() if it is 0 and 1, ~x.isnan() if NaN says what is missing."
        )
    return observed


def check_times(layer: Reader, times: Tensor, real: Tensor, latest: Tensor) -> Tensor:
    """Check the times of an input.

    Parameters
    ----------
    layer : Reader
        The layer that reads it.
    times : Tensor, shape (time, batch), or (batch, time) with ``batch_first``
        The time of each step.
    real : Tensor of bool, shape (time, batch)
        Which steps are real.
    latest : Tensor of float64, shape (batch,)
        The latest time that is known of each record; none may lie before it.

    Returns
    -------
    Tensor of float64, shape (time, batch)
        The times; 0 where there is no real step.

    Raises
    ------
    ShapeError
        If there is not one time a step, or one of a real step is not finite or lies before the time
        before it; names record, step and value.

    Examples
    --------
    >>> import torch, recurra.layers
    >>> layer, x = recurra.layers.GRUD(3, 8, batch_first=True), torch.ones(1, 3, 3)
    >>> layer(x, times=torch.tensor([[0.0, 2.0, 1.0]]))
    Traceback (most recent call last):
    ...
    recurra.errors.ShapeError: The time of step 2 of record 0 is 1.0, but ... 2.0 before. ...
    """
    if not isinstance(times, Tensor):
        raise ShapeError(f"times is a {type(times).__name__}, but {_name(layer)} reads a tensor.")
    shape = tuple(real.T.shape if layer.batch_first else real.shape)
    if times.shape != shape:
        raise ShapeError(
            f"times has shape {tuple(times.shape)}, but {_name(layer)} wants {shape} here: one "
            "for each step of each record. Use times.expand(...) if all records share theirs."
        )
    times = times.T if layer.batch_first else times
    times = torch.where(real, times.to(real.device, torch.float64), 0)
    if torch.compiler.is_compiling() or transformed() is not None:
        return times
    before = torch.cat([latest[None], times])[:-1]
    wrong = real & ~(times.isfinite() & (times >= before))
    if wrong.any():
        step, record = wrong.nonzero()[0].tolist()
        now, last = times[step, record].item(), before[step, record].item()
        raise ShapeError(
            f"The time of step {step} of record {record} is {now}, but must be finite, and it was "
            f"{last} before. Sort each record by time, give times= in every call or in none, and "
            "lengths= if this is padding."
        )
    return times


def check_lengths(lengths: Tensor | Sequence[int], batch: int, steps: int) -> Tensor:
    """Check the lengths of a batch and return them as a tensor on the CPU.

    Parameters
    ----------
    lengths : Tensor or sequence of int, shape (batch,)
        The real steps of each record.
    batch : int
        How many records there are.
    steps : int
        The extent of the time axis: no length may be larger.

    Returns
    -------
    Tensor of int64, shape (batch,)
        The lengths.

    Raises
    ------
    ShapeError
        If the count is not the batch, or a length is no integer, negative or beyond the time
        axis; names the row and the value.

    Examples
    --------
    >>> check_lengths([5, 0], batch=2, steps=8)
    tensor([5, 0])
    >>> check_lengths([5, 9], batch=2, steps=8)
    Traceback (most recent call last):
    ...
    recurra.errors.ShapeError: lengths[1] is 9, but the time axis holds 8 steps. ...
    """
    if isinstance(lengths, Tensor) and lengths.dim() != 1:
        raise ShapeError(
            f"lengths has shape {tuple(lengths.shape)}, but is one integer a record, shape "
            f"({batch},). Use lengths.flatten(), or a mask's mask.sum(dim=time) if it is a mask."
        )
    if isinstance(lengths, Tensor) and torch.compiler.is_compiling():
        return _unread(lengths, batch)
    if isinstance(lengths, Tensor) and torch._C._functorch.is_batchedtensor(lengths):
        raise ShapeError(
            "vmap maps over the lengths, but how far a record goes must be known. Leave vmap away: "
            "make one batch of x.flatten(0, 1) and lengths.flatten()."
        )
    if torch.jit.is_tracing():
        raise OptionError(
            "torch.jit.trace would write these lengths into the program and use them for every "
            "batch. Use torch.export or torch.compile, or trace without lengths."
        )
    if not isinstance(lengths, Tensor) and not isinstance(lengths, Iterable):
        raise ShapeError(
            f"lengths is {lengths!r}, but is one integer a record. Use [{lengths!r}] * {batch} if "
            "all are as long."
        )
    values: list[Any] = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
    if len(values) != batch:
        raise _miscounted(len(values), batch)
    integers = set(map(type, values)) <= {int}
    if not integers or (values and (min(values) < 0 or max(values) > steps)):
        _check_each(values, steps)
    return torch.tensor(values, dtype=torch.int64)


def _check_each(values: Sequence[Any], steps: int) -> None:
    """Check one length after the other, to name the first that is wrong."""
    for row, value in enumerate(values):
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        if not whole:
            raise ShapeError(
                f"lengths[{row}] is {value!r}, but a length is an integer. "
                "Count the real steps; lengths.long() if they are whole numbers already."
            )
        if value < 0:
            raise ShapeError(f"lengths[{row}] is {value}, but a record has 0 steps or more.")
        if value > steps:
            raise ShapeError(
                f"lengths[{row}] is {value}, but the time axis holds {steps} steps. "
                "Pad x further or clip the length."
            )


def _unread(lengths: Tensor, batch: int) -> Tensor:
    """The lengths while a graph is made: no value is known yet, so those who read them check."""
    if lengths.shape[0] != batch:
        raise _miscounted(lengths.shape[0], batch)
    if lengths.is_floating_point() or lengths.is_complex() or lengths.dtype == torch.bool:
        raise ShapeError(
            f"lengths is {lengths.dtype}, but a length is an integer. "
            "Count the real steps; lengths.long() if they are whole numbers already."
        )
    return lengths.to("cpu", torch.int64)


def _miscounted(count: int, batch: int) -> ShapeError:
    return ShapeError(
        f"There are {count} lengths for {batch} records. Give one length a record, and see that "
        "batch_first says which axis of x is the batch."
    )


def _name(layer: Reader) -> str:
    return type(layer).__name__
