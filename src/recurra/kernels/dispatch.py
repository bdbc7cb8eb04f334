"""Which implementation runs, why, and how to force one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from recurra.errors import OptionError, ShapeError, near
from recurra.kernels import aten, native, reference
from recurra.kernels.onlookers import onlooker, transformed
from recurra.kernels.operators import check_lengths, fits
from recurra.kernels.recurrence import State, Weights
from recurra.kernels.stack import Stack, zero_state

__all__ = ["Choice", "backend", "choose", "forced", "run"]


class Backend(Protocol):
    """What a module must offer to be a backend."""

    def judge(self, stack: Stack, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]:
        """Whether it runs the input, and why (not), as half a sentence."""

    def run(
        self,
        stack: Stack,
        x: Tensor,
        state: State,
        weights: Sequence[Weights],
        lengths: Tensor | None,
        training: bool,
        decay: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Run the stack on input whose time axis ends with the longest record."""


# The first that can run an input does. A new backend is one line here.
_BACKENDS: dict[str, Backend] = {"native": native, "aten": aten, "reference": reference}

_forced: ContextVar[str | None] = ContextVar("recurra_backend", default=None)

# One entry for each open block of `backend`, of any thread: torch.compile cannot read a ContextVar.
_blocks: list[str] = []


@dataclass(frozen=True)
class Choice:
    """The backend that runs an input, and why it is this one.

    Parameters
    ----------
    backend : str
        Its name.
    reason : str
        Half a sentence for people.

    Examples
    --------
    >>> print(Choice("reference", "torch has no Jordan kernel"))
    reference: torch has no Jordan kernel
    """

    backend: str
    reason: str

    def __str__(self) -> str:
        return f"{self.backend}: {self.reason}"


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Force one backend inside a ``with`` block, in this thread or task only.

    Parameters
    ----------
    name : {"native", "aten", "reference"}
        The backend.

    Yields
    ------
    None
        Nothing: the block runs with the backend forced.

    Raises
    ------
    OptionError
        At once if there is no such backend; at a call if it cannot run the input.

    Examples
    --------
    >>> import torch
    >>> with backend("reference"):
    ...     choose(Stack("lstm"), torch.ones(5, 2, 3))
    Choice(backend='reference', reason="forced by backend('reference')")
    """
    if name not in _BACKENDS:
        raise OptionError(f"There is no backend {name!r}. {near(name, _BACKENDS)}")
    token = _forced.set(name)
    _blocks.append(name)
    try:
        yield
    finally:
        _blocks.remove(name)
        _forced.reset(token)


def forced() -> str | None:
    """Name the backend that an enclosing `backend` block forces.

    Returns
    -------
    str or None
        None if the best one is chosen.
    """
    return _forced.get()


def choose(stack: Stack, x: Tensor, lengths: Tensor | None = None) -> Choice:
    """Say which backend `run` would take for an input.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record.

    Returns
    -------
    Choice
        The backend and the reason.

    Examples
    --------
    >>> import torch
    >>> print(choose(Stack("jordan"), torch.ones(5, 2, 3)))
    reference: ...torch has no Jordan kernel; the definition in plain PyTorch runs every input
    """
    return _choose(stack, *_trim(x, lengths))


def run(
    stack: Stack,
    x: Tensor,
    state: State | None,
    weights: Sequence[Weights],
    lengths: Tensor | None = None,
    *,
    training: bool = False,
    decay: Tensor | None = None,
) -> tuple[Tensor, State]:
    """Run a stack with the best backend for the input.

    Parameters
    ----------
    stack : Stack
        The plan.
    x : Tensor, shape (time, batch, inputs)
        The input; what stands at and beyond a record's length is never felt, NaN included.
    state : tuple of Tensor, each (layers·directions, batch, size), or None
        Before the first step, in torch's order: layer 0 forward, layer 0 reverse, layer 1 …;
        None for zeros.
    weights : sequence of Weights
        One for each layer and direction, in the same order.
    lengths : Tensor of int64, shape (batch,), optional
        The real steps of each record, 0 to ``time``.
    training : bool, default False
        Whether dropout acts.
    decay : Tensor, shape (layers·directions, time, batch, outputs), optional
        Of a plan with decay, and only there: what is left of the state when each step begins, 1 for
        all of it. What stands beyond a record's length is never felt.

    Returns
    -------
    output : Tensor, shape (time, batch, directions·outputs)
        Of the last layer; exactly 0 where there is no real step.
    state : tuple of Tensor, each (layers·directions, batch, size)
        After each record's own last step; unchanged for length 0.

    Notes
    -----
    The time axis is cut at the longest record before any backend sees it, and the output filled
    up with zeros afterwards: no amount of padding changes a bit, not even of the dropout.

    Examples
    --------
    >>> import torch
    >>> weights = Weights(torch.ones(12, 3), torch.ones(12, 4))
    >>> state = (torch.zeros(1, 2, 4),)
    >>> output, (h,) = run(Stack("gru"), torch.ones(5, 2, 3), state, [weights])
    >>> output.shape, h.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """
    if stack.decay or decay is not None:
        _check_decay(stack, x, weights, decay)
    if torch.compiler.is_compiling() and _compiles(stack, x):
        # The lengths stay unread, so that there is one graph for all of them.
        return native.run(stack, x, state, weights, lengths, training)
    steps = x.shape[0]
    x, lengths = _trim(x, lengths)
    if decay is not None and x.shape[0] < steps:
        decay = decay[:, : x.shape[0]]
    name = "native"  # of most calls: tried first, without the words of a choice
    if _blocks or _refuse_native(stack, x, state, weights, decay) is not None:
        name = _choose(stack, x, lengths, state, weights, decay).backend
    if name == "native":
        output, state = native.run(stack, x, state, weights, lengths, training, decay)
    else:
        # Contiguous, so that torch takes the same path, to the bit, however the input was cut.
        x = x.contiguous()
        before = zero_state(stack, x, weights) if state is None else state
        output, state = _BACKENDS[name].run(stack, x, before, weights, lengths, training, decay)
    missing = steps - x.shape[0]
    return (F.pad(output, (0, 0, 0, 0, 0, missing)) if missing else output), state


def _check_decay(stack: Stack, x: Tensor, weights: Sequence[Weights], decay: Tensor | None) -> None:
    """Check that the plan has a decay if one is given, and that it suits plan and input."""
    if decay is None:
        raise OptionError("The plan has decay, but none is given. Give decay=, or plan without it.")
    if not stack.decay:
        raise OptionError("A decay is given, but the plan has none. Use Stack(…, decay=True).")
    shape = (stack.runs, *x.shape[:2], weights[0].weight_hh.shape[1] * stack.heads)
    if decay.shape != shape:
        raise ShapeError(
            f"decay has shape {tuple(decay.shape)}, but this plan and input need {shape}: "
            "(layers·directions, time, batch, outputs)."
        )
    if decay.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type):
        raise ShapeError(f"decay is {decay.dtype}, but x is {x.dtype}. Use decay.to({x.dtype}).")


def _compiles(stack: Stack, x: Tensor) -> bool:
    """Whether the native engine runs an input, in words that ``torch.compile`` can trace."""
    another = any(name != "native" for name in _blocks)
    return not another and native.refuse(stack, x) is None and transformed() is None


def _trim(x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Cut the time axis at the longest record; drop the lengths if all fill it then."""
    if lengths is None:
        return x, None
    shortest, longest = check_lengths(lengths, *x.shape[:2])
    x = x[:longest] if longest < x.shape[0] else x  # a slice would cost a copy on the way back
    if shortest == longest:
        return x, None
    return x, lengths.to("cpu", torch.int64).contiguous()


def _choose(
    stack: Stack,
    x: Tensor,
    lengths: Tensor | None,
    state: State | None = None,
    weights: Sequence[Weights] = (),
    decay: Tensor | None = None,
) -> Choice:
    forced = _forced.get() if _blocks else None
    if forced is not None:
        able, reason = _judge(forced, stack, x, lengths, state, weights, decay)
        if able:
            return Choice(forced, f"forced by backend({forced!r})")
        raise OptionError(
            f"The forced backend {forced!r} cannot run this input: {reason}. "
            "Leave the block backend(...) to let the best one be chosen."
        )
    refusals: list[str] = []
    for name in _BACKENDS:
        able, reason = _judge(name, stack, x, lengths, state, weights, decay)
        if able:
            return Choice(name, "; ".join([*refusals, reason]))
        refusals.append(reason)
    raise AssertionError("the reference runs every input")


def _judge(
    name: str,
    stack: Stack,
    x: Tensor,
    lengths: Tensor | None,
    state: State | None,
    weights: Sequence[Weights],
    decay: Tensor | None,
) -> tuple[bool, str]:
    able, reason = _BACKENDS[name].judge(stack, x, lengths)
    if able and name == "native":
        refusal = _refuse_native(stack, x, state, weights, decay)
        return refusal is None, refusal or reason
    if able and name == "aten" and (who := transformed()) is not None:
        return False, f"{who} does not know torch's kernels"
    return able, reason


def _refuse_native(
    stack: Stack,
    x: Tensor,
    state: State | None,
    weights: Sequence[Weights],
    decay: Tensor | None,
) -> str | None:
    """Why the native engine does not run these tensors, or None."""
    refusal = native.refuse(stack, x)
    if refusal is not None:
        return refusal
    if (who := onlooker(x, weights if decay is None else (*weights, (decay,)))) is not None:
        return f"{who} cannot look into the native engine"
    if decay is not None and (decay.dtype is not x.dtype or not decay.is_cpu):
        return "the native engine wants a decay of the type of the input"
    if weights and not fits(stack, x, state, weights, torch.is_autocast_enabled("cpu")):
        return "the native engine wants state and weights that fit the input"
    return None
