"""Where numbers stop being numbers: the first weight, the first module that is not finite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from recurra.layers.recurrent import Recurrent

__all__ = ["Broken", "broken_weight", "watching"]


@dataclass(frozen=True)
class Broken:
    """A number that is infinite or NaN.

    Attributes
    ----------
    where : str
        The weight, or the module that said it first.
    index : tuple of int
        Its place in that tensor; of what a module says: record, step, unit.
    value : float
        What it is.
    count : int
        How many of the tensor are.
    """

    where: str
    index: tuple[int, ...]
    value: float
    count: int


def broken_weight(network: nn.Module) -> Broken | None:
    """Find the first weight that is not finite.

    Parameters
    ----------
    network : torch.nn.Module
        The network.

    Returns
    -------
    Broken or None
        None where all are.

    Examples
    --------
    >>> layer = nn.Linear(2, 2)
    >>> _ = layer.weight.data[1, 0].fill_(float("nan"))
    >>> broken_weight(layer).index
    (1, 0)
    """
    named = [*network.named_parameters(), *network.named_buffers()]
    for name, each in named:
        found = _look(name, each)
        if found is not None:
            return found
    return None


@contextmanager
def watching(network: nn.Module) -> Iterator[list[Broken]]:
    """Watch what the modules of a network say, and keep the first that is not finite.

    Parameters
    ----------
    network : torch.nn.Module
        The network; recurrent layers and modules without parts are watched.

    Yields
    ------
    list of Broken
        Empty at first, and as long as all is finite.
    """
    found: list[Broken] = []

    def watch(name: str) -> Any:
        def look(_module: nn.Module, _given: Any, said: Any) -> None:
            for part in said if isinstance(said, tuple) else (said,):
                if not found and isinstance(part, Tensor):
                    broken = _look(name, part)
                    if broken is not None:
                        found.append(broken)

        return look

    handles = [
        module.register_forward_hook(watch(name))
        for name, module in network.named_modules()
        if isinstance(module, Recurrent) or not any(True for _ in module.children())
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def _look(name: str, tensor: Tensor) -> Broken | None:
    if not tensor.is_floating_point() or not tensor.numel():
        return None
    wrong = ~torch.isfinite(tensor)
    if not wrong.any():
        return None
    index = tuple(int(each) for each in wrong.nonzero()[0])
    return Broken(name, index, float(tensor[index]), int(wrong.sum()))
