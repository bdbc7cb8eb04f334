"""Batches that memory does not hold: learned from in parts, with the gradient of the whole."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recurra.errors import TrainingError
from recurra.training.flat import add_gradients

if TYPE_CHECKING:
    from recurra.training.flat import Flat

__all__ = ["Splitting", "is_shortage", "joined", "rows_of"]

logger = logging.getLogger("recurra.training")

SAID = (  # by allocators that raise a RuntimeError
    "not enough memory: you tried to allocate",
    "can't allocate memory",
    "CUDA out of memory",
)
ADVICE = (
    "Cut it along time, with Training(truncation=50) or shorter windows, or take a smaller "
    "hidden_size, or layers with recompute=True."
)


class Splitting:
    """Adds the gradients of batches; those of one that memory does not hold in parts.

    The batch is split in halves by its rows, those again, down to one. Later batches are split at
    once into parts of the size that fitted. Losses are sums over rows, so the gradient is that of
    the whole batch up to rounding, where a model's loss is such a sum. What chance decides, dropout
    say, is drawn anew for each part.

    Parameters
    ----------
    model : torch.nn.Module
        As for `add_gradients`.
    flat : Flat
        Its gradients.

    Attributes
    ----------
    most : int or None
        Rows that fit; None as long as all did.

    Examples
    --------
    >>> from recurra.training.flat import flatten
    >>> class Small(nn.Linear):
    ...     def loss(self, batch, state):
    ...         if len(batch.codes) > 2:
    ...             raise MemoryError
    ...         return self(batch.codes.float()).sum(), torch.tensor(len(batch.codes)), None
    >>> from recurra.models import LanguageBatch
    >>> model = Small(1, 1)
    >>> splitting = Splitting(model, flatten(model))
    >>> splitting.begin()
    >>> _, count, _ = splitting.add(LanguageBatch.of(torch.ones(5, 2, dtype=torch.int64)))
    >>> count, splitting.most, model.weight.grad.item()
    (5, 2, 5.0)
    """

    def __init__(self, model: nn.Module, flat: Flat) -> None:
        self.model, self.flat = model, flat
        self.most: int | None = None
        self._fresh = False  # whether all gradients are zero
        self._told: int | None = None

    def begin(self) -> None:
        """Begin a step: all gradients are zero."""
        self.flat.zero()
        self._fresh = True

    def add(self, batch: Any, state: Any = None) -> tuple[float, int, Any]:
        """Add the gradients of a batch's summed loss, as `add_gradients` does.

        Parameters
        ----------
        batch : object
            As the model reads it; where it is to be split, with ``len(batch)`` and
            ``batch.rows(start, stop)``.
        state : nested tuple of Tensor, or None
            What is carried, rows on the last axis but one.

        Returns
        -------
        total : float
            The summed loss.
        count : int
            How many targets were counted.
        state : nested tuple of Tensor, or None
            What is to be carried on.

        Raises
        ------
        TrainingError
            If one row is too much, or the batch cannot be split.
        """
        if self.most is None:
            found = self._attempt(batch, state)
            if found is not None:
                return found
            if not hasattr(batch, "rows"):
                raise TrainingError(
                    f"A {type(batch).__name__} does not fit in memory, and it has no len() and "
                    "rows(start, stop) to split it by. Use a smaller batch_size and accumulate."
                )
            self._lower(len(batch))
        return self._in_parts(batch, state)

    def _in_parts(self, batch: Any, state: Any) -> tuple[float, int, Any]:
        """Add the gradients of some rows after the others."""
        start, size, total, count, states = 0, len(batch), 0.0, 0, []
        while start < size:
            assert self.most is not None
            stop = min(start + self.most, size)
            found = self._attempt(batch.rows(start, stop), rows_of(state, start, stop, size))
            if found is None:
                self._lower(stop - start)
                continue
            start, total, count = stop, total + found[0], count + found[1]
            states.append(found[2])
        if self._told != self.most:
            told = "%d rows do not fit in memory: they are learned from in parts of at most %d"
            logger.warning(told, size, self.most)
            self._told = self.most
        return total, count, joined(states)

    def _attempt(self, batch: Any, state: Any) -> tuple[float, int, Any] | None:
        """Add gradients; None where memory is short, and then they are as before."""
        fresh, self._fresh = self._fresh, False
        before = None if fresh else [each.clone() for each in self.flat.gradients]
        try:
            return add_gradients(self.model, batch, state)
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
        # Only here, without the error and its frames, is the memory free again.
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        if before is None:
            self.begin()
        else:
            torch._foreach_copy_(self.flat.gradients, before)
        return None

    def _lower(self, rows: int) -> None:
        if rows == 1:
            raise TrainingError(f"A single row of a batch does not fit in memory. {ADVICE}")
        self.most = -(-rows // 2)


def is_shortage(error: BaseException) -> bool:
    """Say whether an error means that memory was short.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    bool
        True for a `MemoryError`, for torch's own of a GPU, and for what its allocator for the CPU
        says.

    Examples
    --------
    >>> is_shortage(MemoryError()), is_shortage(RuntimeError("shapes differ"))
    (True, False)
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(each in str(error) for each in SAID)


def rows_of(state: Any, start: int, stop: int, size: int) -> Any:
    """Take some rows of a carried state.

    Parameters
    ----------
    state : nested tuple of Tensor, or None
        With rows on the last axis but one.
    start, stop : int
        Which rows.
    size : int
        How many there are.

    Returns
    -------
    nested tuple of Tensor, or None
        The same of these rows.

    Raises
    ------
    TrainingError
        If there are not so many rows on that axis.

    Examples
    --------
    >>> rows_of((torch.zeros(1, 5, 3), None), 2, 4, 5)[0].shape
    torch.Size([1, 2, 3])
    """
    if isinstance(state, tuple):
        return tuple(rows_of(each, start, stop, size) for each in state)
    if state is None:
        return None
    if state.dim() < 2 or state.shape[-2] != size:
        raise TrainingError(
            f"A batch of {size} rows has to be split, but the state carried to it has the shape "
            f"{tuple(state.shape)}: no rows on its last axis but one. Use a smaller batch_size."
        )
    return state[..., start:stop, :].contiguous()


def joined(states: list[Any]) -> Any:
    """Put the states of rows together again.

    Parameters
    ----------
    states : list of nested tuple of Tensor, or of None
        Of some rows after the others, as `rows_of` takes them.

    Returns
    -------
    nested tuple of Tensor, or None
        Of all rows.

    Examples
    --------
    >>> joined([(torch.zeros(1, 2, 3),), (torch.zeros(1, 4, 3),)])[0].shape
    torch.Size([1, 6, 3])
    """
    first = states[0]
    if isinstance(first, tuple):
        return tuple(joined([*each]) for each in zip(*states, strict=True))
    return torch.cat(states, -2) if isinstance(first, Tensor) else None
