"""Make a network of what a file describes, once it is known that the file's arrays fit it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from recurra.errors import FileError
from recurra.types import Array

__all__ = ["attempt", "build_network", "check_sizes"]

PLAIN_SIZE = 1 << 20  # a size that harms nobody, however few numbers a file holds
WRONG = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip


def build_network(
    make: Callable[[], nn.Module], weights: Mapping[str, Array], place: str = "network."
) -> nn.Module:
    """Make a network and give it its weights, once it is known that they fit.

    A network without memory is made first: so no header can ask for more than its file holds.

    Parameters
    ----------
    make : callable
        Makes the network.
    weights : dict of str to ndarray
        By name.
    place : str
        What the names begin with in the file, for messages.

    Returns
    -------
    torch.nn.Module
        Not training.

    Raises
    ------
    FileError
        If the network cannot be made, or its weights have other names, shapes or types.
    """
    with torch.device("meta"), _WithoutDraws():
        wanted = attempt(make).state_dict()
    for name in wanted.keys() - weights.keys():
        raise FileError(f"The file lacks {place}{name}, a weight of its network.")
    for name, came in weights.items():
        if name not in wanted:
            raise FileError(f"The file has {(place + name)[:80]!r}, which its network has not.")
        shape, kind = tuple(wanted[name].shape), str(wanted[name].dtype).removeprefix("torch.")
        if came.shape != shape or str(came.dtype) != kind:
            raise FileError(
                f"{place}{name} is of {came.dtype} with shape {came.shape}, but its network has "
                f"{kind} with shape {shape}."
            )
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced
        network = make()
    network.load_state_dict({name: torch.from_numpy(each) for name, each in weights.items()})
    return network.eval()


def attempt(make: Callable[[], Any]) -> Any:
    """Make something of a file, and say so where it cannot be.

    Parameters
    ----------
    make : callable
        Makes it.

    Returns
    -------
    object
        What it made.
    """
    try:
        return make()
    except FileError:
        raise
    except WRONG as error:
        said = str(error).split("\n", 1)[0][:200]
        raise FileError(f"What the file describes does not fit together: {said}") from error


def check_sizes(plan: Any, weights: Mapping[str, Array], place: str = "header.network") -> None:
    """Refuse sizes that the arrays of the file cannot have, before anything of them is made.

    Parameters
    ----------
    plan : object
        The header of the network.
    weights : dict of str to ndarray
        Its weights.
    place : str
        Where it stands, for messages.
    """
    most = max(PLAIN_SIZE, sum(each.size for each in weights.values()))
    _check_sizes(plan, most, len(weights), place)


def _check_sizes(plan: Any, most: int, arrays: int, place: str) -> None:
    """Go through a plan, down to its numbers."""
    if isinstance(plan, dict):
        for name, each in plan.items():
            _check_sizes(each, arrays if name == "num_layers" else most, arrays, f"{place}.{name}")
    elif isinstance(plan, list):
        for k, each in enumerate(plan):
            _check_sizes(each, most, arrays, f"{place}[{k}]")
    elif isinstance(plan, int) and not 0 <= plan <= most:
        said = str(plan) if abs(plan) < 10**15 else "far too large"
        raise FileError(f"{place} is {said}, but in such a file it is from 0 to {most}.")


class _WithoutDraws(TorchFunctionMode):
    """Leave weights as they are: what has no memory needs no values, and torch is slow to draw."""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if getattr(func, "__name__", "") in ("normal_", "uniform_", "kaiming_uniform_"):
            return args[0] if args else given["tensor"]
        return func(*args, **given)
