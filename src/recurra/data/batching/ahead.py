"""The next item made in the background, while the one before is used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import TypeVar

__all__ = ["read_ahead"]

T = TypeVar("T")


class _End:
    """No more items: the iterator ended, or failed."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Make the next item in a thread while the one before is used; never more than one ahead.

    Parameters
    ----------
    items : iterator
        What is made; the thread alone runs it, from the first item wanted.

    Yields
    ------
    object
        The items, in order. An error is raised where its item would come. Closing this iterator,
        or dropping it, ends the thread after the item in work.

    Examples
    --------
    >>> list(read_ahead(iter([1, 2, 3])))
    [1, 2, 3]
    """
    ready: SimpleQueue[T | _End] = SimpleQueue()
    free = threading.Semaphore(1)
    closed = threading.Event()
    thread = threading.Thread(
        target=_make, args=(items, ready, free, closed), name="recurra-read-ahead", daemon=True
    )
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            free.release()
            yield item
        if item.error is not None:
            raise item.error
    finally:
        closed.set()
        free.release()
        thread.join()


def _make(
    items: Iterator[T],
    ready: SimpleQueue[T | _End],
    free: threading.Semaphore,
    closed: threading.Event,
) -> None:
    """Make items as long as there is room for them."""
    try:
        while True:
            free.acquire()
            if closed.is_set():
                break
            ready.put(next(items))
    except StopIteration:
        ready.put(_End())
    except BaseException as error:  # whatever it is, the consumer shall see it
        ready.put(_End(error))
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()
