"""Some rows of a batch: so it is split where memory ends, and shared by processes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

__all__ = ["RowsOfTensors"]


@dataclass(frozen=True)
class RowsOfTensors:
    """Base of what holds tensors by row: each field is a tensor, another such, or None.

    Examples
    --------
    >>> import torch
    >>> @dataclass(frozen=True)
    ... class Pairs(RowsOfTensors):
    ...     x: torch.Tensor
    ...     y: torch.Tensor | None = None
    >>> Pairs(torch.arange(4)).rows(1, 3)
    Pairs(x=tensor([1, 2]), y=None)
    """

    def rows(self, start: int, stop: int) -> Self:
        """Take some of the rows.

        Parameters
        ----------
        start, stop : int
            The first, and the one after the last.

        Returns
        -------
        RowsOfTensors
            Of the same class; views of the same memory.
        """
        return type(self)(*(_rows(getattr(self, each.name), start, stop) for each in fields(self)))


def _rows(whole: Any, start: int, stop: int) -> Any:
    if isinstance(whole, RowsOfTensors):
        return whole.rows(start, stop)
    return None if whole is None else whole[start:stop]
