"""Who runs a trial, and whether it is still at it.

A process is known by where it runs and when it began: a number alone is given again. Of one on
this machine it is asked whether it lives; of one on another, when it last gave a sign of life.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["BEAT", "SILENCE", "Owner", "beating", "here", "is_alive"]

BEAT = 20.0  # seconds between two signs of life
SILENCE = 120.0  # seconds without one, after which a process elsewhere is taken for dead

Owner = dict[str, Any]


@cache
def _place() -> str:
    """Name what processes see each other in: a machine since it started, or a container in it."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def here() -> Owner:
    """Describe this process.

    Returns
    -------
    dict of str
        Where it runs, its number, and when it began; for JSON.

    Examples
    --------
    >>> here()["pid"] == os.getpid()
    True
    """
    return {"place": _place(), "pid": os.getpid(), "began": _began(os.getpid())}


def is_alive(owner: Mapping[str, Any], last_sign: float, now: float) -> bool:
    """Say whether a process still runs.

    Parameters
    ----------
    owner : dict of str
        As :func:`here` described it.
    last_sign : float
        When it last gave a sign of life, in seconds since 1970.
    now : float
        The time by the same clock.

    Returns
    -------
    bool
        On this machine for certain, where the system tells; else whether it is not long silent.

    Examples
    --------
    >>> is_alive(here(), 0.0, 1e9)
    True
    >>> is_alive({"place": "elsewhere", "pid": 1, "began": "2"}, 0.0, SILENCE + 1)
    False
    """
    if owner["place"] == _place() and owner["began"] is not None:
        return _began(owner["pid"]) == owner["began"]
    return now - last_sign <= SILENCE


@contextmanager
def beating(give_sign: Callable[[float], None]) -> Iterator[None]:
    """Give signs of life while something goes on.

    Parameters
    ----------
    give_sign : callable
        Called with the time every `BEAT` seconds, in a thread of its own.

    Yields
    ------
    None
        While they are given.
    """
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT):
            give_sign(time.time())

    thread = threading.Thread(target=beat, name="recurra-tuning", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _began(pid: int) -> str | None:
    """Say when a process began, as the system counts it; None where it is gone or not told."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *rest = told.rpartition(")")[2].split()  # its name may hold anything
    return None if state in "ZX" else rest[18]
