"""How many steps of each record are real: checked at the door, once."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import torch
from torch import Tensor

from recurra.errors import ShapeError

__all__ = ["check_lengths"]


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
    values = lengths.tolist() if isinstance(lengths, Tensor) else list(lengths)
    if len(values) != batch:
        raise ShapeError(
            f"There are {len(values)} lengths for {batch} records. Give one length a record, and "
            "see that batch_first says which axis of x is the batch."
        )
    for row, value in enumerate(values):
        if not isinstance(value, Integral) or isinstance(value, bool):
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
    return torch.tensor(values, dtype=torch.int64)
