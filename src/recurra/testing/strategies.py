"""Ragged batches for hypothesis: few records, few steps, all the corners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from recurra.errors import need

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy
    from torch import Tensor

__all__ = ["RaggedBatch", "lengths", "over_ragged_batches", "ragged_batches"]


@dataclass(frozen=True)
class RaggedBatch:
    """Records of different length in one padded tensor.

    Parameters
    ----------
    values : Tensor, shape (batch, time, inputs)
        Finite everywhere, in the padding too.
    lengths : Tensor of int64, shape (batch,)
        The real steps of each record, 0 to ``time``; none need fill the time axis.

    Examples
    --------
    >>> batch = RaggedBatch(torch.ones(2, 3, 1), torch.tensor([3, 0]))
    >>> batch.real.tolist()
    [[True, True, True], [False, False, False]]
    """

    values: Tensor
    lengths: Tensor

    @property
    def real(self) -> Tensor:
        """Which steps are real, shape (batch, time)."""
        return torch.arange(self.values.shape[1]) < self.lengths[:, None]


def lengths(steps: int, *, max_records: int = 4) -> SearchStrategy[list[int]]:
    """Lengths of a batch: 0 and 1 and the full time axis among them.

    Parameters
    ----------
    steps : int
        The extent of the time axis.
    max_records : int, default 4
        Most records in a batch.

    Returns
    -------
    SearchStrategy of list of int
        One length a record, at least one record.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(lengths(5), lambda counts: max(counts) > 3)
    [4]
    """
    st: Any = need("hypothesis.strategies", extra="dev", purpose="recurra.testing")
    length = st.one_of(st.integers(0, steps), st.sampled_from([0, min(1, steps), steps]))
    return st.lists(length, min_size=1, max_size=max_records)


def ragged_batches(
    inputs: int = 3,
    *,
    max_records: int = 4,
    max_steps: int = 7,
    dtype: torch.dtype = torch.float64,
) -> SearchStrategy[RaggedBatch]:
    """Ragged batches of standard normal values.

    Parameters
    ----------
    inputs : int, default 3
        Width of the input.
    max_records : int, default 4
        Most records in a batch.
    max_steps : int, default 7
        Longest time axis.
    dtype : dtype, default float64
        Of the values.

    Returns
    -------
    SearchStrategy of RaggedBatch
        Shrinks towards one short record.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(ragged_batches(2), lambda batch: not batch.lengths.all()).values.shape
    torch.Size([1, 1, 2])
    """
    st: Any = need("hypothesis.strategies", extra="dev", purpose="recurra.testing")

    @st.composite
    def draw_batch(draw: Any) -> RaggedBatch:
        steps = draw(st.integers(1, max_steps))
        counts = draw(lengths(steps, max_records=max_records))
        chance = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
        values = torch.randn(len(counts), steps, inputs, generator=chance, dtype=dtype)
        return RaggedBatch(values, torch.tensor(counts, dtype=torch.int64))

    return draw_batch()


def over_ragged_batches(
    check: Callable[[RaggedBatch], None],
    inputs: int,
    *,
    dtype: torch.dtype = torch.float64,
    examples: int = 20,
) -> None:
    """Call a check with many ragged batches, the same each time; shrink one that it refuses.

    Parameters
    ----------
    check : callable
        Raises if it does not hold.
    inputs : int
        Width of the input.
    dtype : dtype, default float64
        Of the values.
    examples : int, default 20
        Batches to draw.

    Examples
    --------
    >>> def finite(batch):
    ...     assert batch.values.isfinite().all()
    >>> over_ragged_batches(finite, 2, examples=5)
    """
    hypothesis: Any = need("hypothesis", extra="dev", purpose="recurra.testing")

    def holds(batch: RaggedBatch) -> None:
        check(batch)

    batches = ragged_batches(inputs, dtype=dtype)
    settings = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
    )
    settings(hypothesis.given(batch=batches)(holds))()
