"""One training shared by several processes: each takes its rows of every batch, and all step alike.

With the summed loss :math:`L_r` and the count :math:`n_r` of the rows of process (rank) :math:`r`,

.. math:: g = \\frac{\\sum_r \\nabla L_r}{\\sum_r n_r}

is the gradient of the whole batch, however unevenly it was shared. All ranks add up the same
numbers in the same order, so their weights stay the same to the bit.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed

from recurra.errors import OptionError, TrainingError

__all__ = ["Alone", "Ranks", "check_alone", "find_ranks"]

Value = TypeVar("Value")

PATIENCE = timedelta(seconds=120)  # until a rank that does not come is given up
TOLD = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # by torchrun, and whoever starts ranks


class Alone:
    """The only process: there is nobody to share with, and nothing costs anything.

    Attributes
    ----------
    rank : int
        Which one this is, counted from 0.
    world : int
        How many there are.
    """

    rank, world = 0, 1

    @property
    def leads(self) -> bool:
        """Whether this one writes and shows what is to be written and shown once."""
        return self.rank == 0

    def part(self, rows: int) -> tuple[int, int]:
        """Say which rows of a batch are this one's.

        Parameters
        ----------
        rows : int
            Of the whole batch.

        Returns
        -------
        start, stop : int
            Equal where there is none for it; rank 0 has one if anybody has.
        """
        return 0, rows

    def share(self, batch: Any) -> Any:
        """Take the rows of a batch that are this one's.

        Parameters
        ----------
        batch : object
            The same on every rank, with ``len(batch)`` and ``batch.rows(start, stop)``.

        Returns
        -------
        object or None
            Its rows; None where there are none for it.
        """
        return batch

    def add(self, gradients: Sequence[Tensor], loss: float, count: int) -> tuple[float, int]:  # noqa: ARG002
        """Add up what the ranks found, into everybody's gradients.

        Parameters
        ----------
        gradients : sequence of Tensor
            Of the loss summed over this rank's rows; replaced by their sum over all ranks.
        loss : float
            That loss.
        count : int
            How many targets it counts.

        Returns
        -------
        loss : float
            Summed over all ranks.
        count : int
            Of all ranks.
        """
        return loss, count

    def agree(self, *wishes: int) -> tuple[int, ...]:
        """Take for each wish the largest that any rank has.

        Parameters
        ----------
        *wishes : int
            As many on every rank.

        Returns
        -------
        tuple of int
            The same on every rank.
        """
        return wishes

    def follow(self, tensors: Sequence[Tensor]) -> None:
        """Take rank 0's numbers.

        Parameters
        ----------
        tensors : sequence of Tensor
            Contiguous, of the same shapes on every rank; changed in place on all but the first.
        """

    def first_of(self, value: float) -> float:
        """Take rank 0's value.

        Parameters
        ----------
        value : float
            This rank's.

        Returns
        -------
        float
            The same on every rank.
        """
        return value

    def from_first(self, make: Callable[[], Value]) -> Value:
        """Let rank 0 make something, and give it to all; what it raises is raised by all.

        Parameters
        ----------
        make : callable
            Called on rank 0 only.

        Returns
        -------
        object
            What it returned.
        """
        return make()

    def gather(self, value: Value) -> list[Value]:
        """Collect what each rank has.

        Parameters
        ----------
        value : object
            This rank's.

        Returns
        -------
        list
            By rank; the same on every rank.
        """
        return [value]

    def compare(self, **told: object) -> None:
        """Refuse to go on where ranks were given different things.

        Parameters
        ----------
        **told : object
            What must be the same, by its name.

        Raises
        ------
        TrainingError
            If it is not.
        """


class Ranks(Alone):
    """This process among several that train together, over ``torch.distributed``.

    Examples
    --------
    >>> ranks = Ranks(1, 3)
    >>> [ranks.part(rows) for rows in (7, 2, 1, 0)]
    [(3, 5), (1, 2), (1, 1), (0, 0)]
    """

    def __init__(self, rank: int, world: int) -> None:
        self.rank, self.world = rank, world

    def part(self, rows: int) -> tuple[int, int]:
        """Say which rows of a batch are this one's; see `Alone.part`."""
        start, stop = (-(-rows * k // self.world) for k in (self.rank, self.rank + 1))
        return start, stop

    def share(self, batch: Any) -> Any:
        """Take the rows of a batch that are this one's; see `Alone.share`."""
        if not hasattr(batch, "rows"):
            raise TrainingError(
                f"A {type(batch).__name__} cannot be shared by {self.world} processes: it has no "
                "len() and rows(start, stop). Add them, or train in one process."
            )
        start, stop = self.part(len(batch))
        return batch.rows(start, stop) if stop > start else None

    def add(self, gradients: Sequence[Tensor], loss: float, count: int) -> tuple[float, int]:
        """Add up what the ranks found, into everybody's gradients; see `Alone.add`."""
        found = torch.tensor([loss, count], dtype=torch.float64)
        with self._together("to add up gradients"):
            begun = [distributed.all_reduce(each, async_op=True) for each in (found, *gradients)]
            for each in begun:
                each.wait()
        return float(found[0]), int(found[1])

    def agree(self, *wishes: int) -> tuple[int, ...]:
        """Take for each wish the largest that any rank has; see `Alone.agree`."""
        found = torch.tensor(wishes, dtype=torch.int64)
        with self._together("to agree whether to go on"):
            distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return tuple(found.tolist())

    @torch.no_grad()
    def follow(self, tensors: Sequence[Tensor]) -> None:
        """Take rank 0's numbers; see `Alone.follow`."""
        with self._together("to take up weights"):
            begun = [distributed.broadcast(each, 0, async_op=True) for each in tensors]
            for each in begun:
                each.wait()

    def first_of(self, value: float) -> float:
        """Take rank 0's value; see `Alone.first_of`."""
        found = torch.tensor(value, dtype=torch.float64)
        self.follow([found])
        return float(found)

    def from_first(self, make: Callable[[], Value]) -> Value:
        """Let rank 0 make something, and give it to all; see `Alone.from_first`."""
        found: list[Any] = [None, None]
        if self.leads:
            try:
                found[0] = make()
            except Exception as error:
                found[1] = error
        with self._together("to hear from rank 0"):
            distributed.broadcast_object_list(found, 0)
        if found[1] is not None:
            raise found[1]
        made: Value = found[0]
        return made

    def gather(self, value: Value) -> list[Value]:
        """Collect what each rank has; see `Alone.gather`."""
        found: list[Any] = [None] * self.world
        with self._together("to hear from all"):
            distributed.all_gather_object(found, value)
        return found

    def compare(self, **told: object) -> None:
        """Refuse to go on where ranks were given different things; see `Alone.compare`."""
        for rank, theirs in enumerate(self.gather(told)):
            _refuse_other(rank, theirs, told)

    @contextmanager
    def _together(self, purpose: str) -> Iterator[None]:
        """Say what a rank that does not come means."""
        try:
            yield
        except RuntimeError as error:
            raise TrainingError(
                f"Rank {self.rank} of {self.world} waited in vain for the others {purpose}: "
                f"{_said(error)}. Every process must make the same calls of "
                "fit, and none may stop before. If one was killed, start all of them again with "
                "fit(…, checkpoint=folder), or under torchrun --max-restarts: training goes on "
                "from there. For other time limits call torch.distributed.init_process_group "
                "(…, timeout=…) before."
            ) from error


def find_ranks() -> Alone:
    """Say among how many processes this one trains; join them, if nobody has yet.

    It takes up the process group of ``torch.distributed`` that is there. Where there is none, but
    the environment tells of one (``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR``, ``MASTER_PORT``, as
    ``torchrun`` sets them), it makes one: gloo on the CPU, NCCL on GPUs. Processes on one machine
    talk over its loopback, unless ``GLOO_SOCKET_IFNAME`` says otherwise.

    Returns
    -------
    Alone or Ranks
        `Alone` where there is one process.

    Raises
    ------
    TrainingError
        If the others do not come within two minutes.

    Examples
    --------
    >>> find_ranks().world
    1
    """
    if distributed.is_available() and distributed.is_initialized():
        world = distributed.get_world_size()
        return Ranks(distributed.get_rank(), world) if world > 1 else Alone()
    told = _told()
    return _join(told) if told else Alone()


def check_alone(what: str, instead: str) -> None:
    """Refuse what processes that share a training can't do together; join nobody.

    Parameters
    ----------
    what : str
        What is refused.
    instead : str
        What to do, as a sentence.

    Raises
    ------
    OptionError
        If this process is one of several.

    Examples
    --------
    >>> check_alone("tune", "Start it alone.")
    """
    joined = distributed.is_available() and distributed.is_initialized()
    world = distributed.get_world_size() if joined else int(_told().get("WORLD_SIZE", 1))
    if world > 1:
        raise OptionError(
            f"{what} was called in one of {world} processes that train together. {instead}"
        )


def _told() -> dict[str, str]:
    """Say what the environment tells of other processes; nothing where there are none."""
    told = {name: os.environ.get(name, "") for name in TOLD}
    several = told["WORLD_SIZE"].isdigit() and int(told["WORLD_SIZE"]) > 1
    return told if several and all(told.values()) else {}


def _join(told: Mapping[str, str]) -> Ranks:
    """Make a process group of those that the environment tells of."""
    rank, world = int(told["RANK"]), int(told["WORLD_SIZE"])
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    if os.environ.get("LOCAL_WORLD_SIZE") == told["WORLD_SIZE"]:
        _stay_inside()
    try:
        store, _, _ = next(distributed.rendezvous("env://", timeout=PATIENCE))
        # after a restart the store may be the one of the attempt before, with its addresses in it
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        own = distributed.PrefixStore(f"recurra/{attempt}", store)
        distributed.init_process_group(
            backend, store=own, rank=rank, world_size=world, timeout=PATIENCE
        )
    except RuntimeError as error:
        raise TrainingError(
            f"Rank {rank} of {world} did not find the others at {told['MASTER_ADDR']}:"
            f"{told['MASTER_PORT']} within {PATIENCE.seconds} s: {_said(error)}. "
            f"Start {world} processes with the same MASTER_ADDR and MASTER_PORT, as torchrun does, "
            "or unset WORLD_SIZE to train in one."
        ) from error
    atexit.register(_leave)
    return Ranks(rank, world)


def _stay_inside() -> None:
    """Let gloo listen on the loopback only, where all ranks are on this machine."""
    import socket

    inside = {"lo", "lo0"}.intersection(name for _, name in socket.if_nameindex())
    if inside:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", inside.pop())


def _said(error: RuntimeError) -> str:
    """Take what matters of what gloo or NCCL say: not where in their code, and no advice."""
    first = str(error).strip().splitlines()[0]
    return re.sub(r"^\[[^]]*\.\w+:\d+\] ", "", first).split(" This is typically")[0].rstrip(". ")


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _refuse_other(rank: int, theirs: Mapping[str, object], mine: Mapping[str, object]) -> None:
    for name, value in mine.items():
        if theirs[name] != value:
            raise TrainingError(
                f"Rank {rank} was given other {name} than this one: {theirs[name]!r}, not "
                f"{value!r}. Every process must read the same data in the same order, with the "
                "same options and the same seed."
            )
