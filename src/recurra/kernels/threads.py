"""One thread for little work, where torch would wake all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["few_threads"]

FEW = 2**17  # numbers that one thread is done with before several have agreed on who does which


@contextmanager
def few_threads(numbers: int) -> Iterator[None]:
    """Let torch work on few numbers with one thread.

    Others would go on looking for work when it is done, and be in the way of the engine's.

    Parameters
    ----------
    numbers : int
        How many there are; of many, all threads do a part.

    Yields
    ------
    None
        Nothing: operations in the block are done so.

    Examples
    --------
    >>> with few_threads(1000):
    ...     torch.get_num_threads()
    1
    """
    threads = torch.get_num_threads()
    if numbers > FEW or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
