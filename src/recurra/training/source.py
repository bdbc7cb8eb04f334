"""Where the loop's gradients come from: batches in turn, cut along time, with the state carried."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from recurra.training.ranks import Alone

__all__ = ["Chunked", "Source", "digest_of", "from_arrays", "to_arrays"]


class Chunked(Protocol):
    """A batch that can be cut along time."""

    def chunks(self, steps: int) -> Iterator[Any]:
        """Yield pieces of at most `steps` steps, in order."""


class Source:
    """Yields summed losses and counts, and knows where it stands.

    Parameters
    ----------
    add : callable
        Adds the gradients of a batch, as `Splitting.add` does.
    batches : iterator
        The same from the same seed.
    truncation : int, optional
        Steps of a chunk.
    ranks : Alone
        Who learns from which rows; each carries the state of its own.
    """

    def __init__(
        self,
        add: Callable[[Any, Any], tuple[float, int, Any]],
        batches: Iterator[Chunked],
        truncation: int | None,
        ranks: Alone,
    ) -> None:
        self.add, self.batches, self.truncation = add, batches, truncation
        self.ranks = ranks
        self.taken = 0  # batches begun
        self.cut = 0  # chunks done of the last of them
        self.state: Any = None
        self.digest = ""  # of the first batch
        self.batch: Any = None  # the last that was begun
        self._chunks: Iterator[Any] = iter(())

    def __iter__(self) -> Iterator[tuple[float, int]]:
        """Go on where it stands, until the batches end."""
        while True:
            chunk = next(self._chunks, None)
            if chunk is None:
                batch = next(self.batches, None)
                if batch is None:
                    return
                self._open(batch)
                continue
            mine, total, count = self.ranks.share(chunk), 0.0, 0
            if mine is not None:
                total, count, self.state = self.add(mine, self.state)
            self.cut += 1
            yield total, count

    def go_to(self, taken: int, cut: int, state: Any) -> None:
        """Go to a place without learning from what lies before it.

        Parameters
        ----------
        taken : int
            Batches begun.
        cut : int
            Chunks done of the last of them.
        state : nested tuple of Tensor, or None
            What is carried there.
        """
        for _ in range(taken - self.taken):
            self._open(next(self.batches))
        for _ in range(cut):
            next(self._chunks)
        self.cut, self.state = cut, state

    def _open(self, batch: Chunked) -> None:
        if self.taken == 0:
            self.digest = digest_of(batch)
            self.ranks.compare(data=self.digest)
        self.taken, self.cut, self.state, self.batch = self.taken + 1, 0, None, batch
        whole = self.truncation is None
        self._chunks = iter((batch,)) if whole else iter(batch.chunks(self.truncation or 0))


def digest_of(batch: Any) -> str:
    """Hash what a batch holds, to know the same data again.

    Parameters
    ----------
    batch : object
        An object, mapping or sequence with tensors in it.

    Returns
    -------
    str
        SHA-256, in hexadecimal digits.

    Examples
    --------
    >>> one, other = {"x": torch.zeros(2)}, {"x": torch.ones(2)}
    >>> digest_of(one) == digest_of({"x": torch.zeros(2)}), digest_of(one) == digest_of(other)
    (True, False)
    """
    digest = hashlib.sha256()
    _feed(digest, batch)
    return digest.hexdigest()


def to_arrays(state: Any) -> tuple[Any, dict[str, Tensor]]:
    """Part a carried state into its shape and its tensors.

    Parameters
    ----------
    state : nested tuple of Tensor, or None
        What is carried from chunk to chunk.

    Returns
    -------
    shape : nested list of int or None
        For JSON: the number of the tensor that stands there.
    tensors : dict of str to Tensor
        By that number.

    Examples
    --------
    >>> to_arrays((torch.zeros(1), (None, torch.ones(1))))
    ([0, [None, 1]], {'0': tensor([0.]), '1': tensor([1.])})
    """
    found: dict[str, Tensor] = {}

    def shape(part: Any) -> Any:
        if part is None:
            return None
        if isinstance(part, tuple):
            return [shape(each) for each in part]
        found[str(len(found))] = part
        return len(found) - 1

    return shape(state), found


def from_arrays(shape: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Put a carried state together again.

    Parameters
    ----------
    shape : nested list of int or None
        As `to_arrays` gave it.
    tensors : dict of str to Tensor
        As `to_arrays` gave them.

    Returns
    -------
    nested tuple of Tensor, or None
        The state.

    Examples
    --------
    >>> from_arrays([0, [None]], {"0": torch.ones(1)})
    (tensor([1.]), (None,))
    """
    if shape is None:
        return None
    if isinstance(shape, list):
        return tuple(from_arrays(each, tensors) for each in shape)
    return tensors[str(shape)]


def _feed(digest: Any, part: Any) -> None:
    if isinstance(part, Tensor):
        digest.update(f"{part.dtype}{tuple(part.shape)}".encode())
        digest.update(part.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    elif hasattr(part, "__dict__"):
        _feed(digest, vars(part))
    elif isinstance(part, Mapping):
        for name, each in part.items():
            digest.update(str(name).encode())
            _feed(digest, each)
    elif isinstance(part, tuple | list):
        for each in part:
            _feed(digest, each)
    else:
        digest.update(repr(part).encode())
