"""A folder in which a training is kept, so that it can go on after anything that stops it."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from recurra.artifact import read_model, write_model
from recurra.errors import FileError, OptionError, check_count
from recurra.types import Array

__all__ = ["Checkpoints", "Interrupts"]

logger = logging.getLogger("recurra.training")

ENDING = ".recurra"
HALVES = ".recurra-*"  # what a process left behind that was killed while it wrote


@dataclass(frozen=True)
class Checkpoints:
    """Where a training is kept, and how often.

    Every file holds all there is: weights, optimizer, schedule, sources of chance, place in the
    data, carried state, what happened so far. Each is written beside its place, flushed to the
    disk, and then put there; a reader finds it whole or not at all. So a machine that stops loses
    what was learned since the last one, and nothing else.

    Parameters
    ----------
    folder : str or Path
        Of this training alone; it is made if it is not there.
    seconds : float
        Time between two.
    steps : int, optional
        Also after every so many steps.
    keep : int
        How many are kept, the newest.
    resume : bool
        Whether to go on from the newest that is whole; else what is there is removed.

    Raises
    ------
    OptionError
        If a value is impossible.

    Examples
    --------
    >>> Checkpoints("runs/first", seconds=300.0).keep
    2
    """

    folder: Path
    seconds: float = 30.0
    steps: int | None = None
    keep: int = 2
    resume: bool = True

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if not isinstance(self.folder, str | os.PathLike):
            raise OptionError(f"folder={self.folder!r}, but it is the path of a folder.")
        object.__setattr__(self, "folder", Path(self.folder))
        if not isinstance(self.seconds, int | float) or not self.seconds >= 0:
            raise OptionError(f"seconds={self.seconds!r}, but it is a number of 0 or more.")
        check_count("steps", self.steps, optional=True)
        check_count("keep", self.keep)

    @classmethod
    def of(cls, place: str | os.PathLike[str] | Checkpoints | None, resume: bool) -> Self | None:
        """Take a folder, or what says more, for where a training is kept.

        Parameters
        ----------
        place : str, path-like or Checkpoints, optional
            The folder.
        resume : bool
            Whether to go on from what is there.

        Returns
        -------
        Checkpoints or None
            None where there is no folder.

        Raises
        ------
        OptionError
            If it is no folder.
        """
        if place is None:
            return None
        kept = place if isinstance(place, cls) else cls(place)  # type: ignore[arg-type]
        return replace(kept, resume=kept.resume and resume)

    def newest(self, part: str) -> tuple[dict[str, Any], dict[str, Array]] | None:
        """Read the newest that is whole.

        Parameters
        ----------
        part : str
            Which of several trainings in a row.

        Returns
        -------
        header : dict
            What stands beside the arrays.
        arrays : dict of str to ndarray
            The numbers.

        Raises
        ------
        FileError
            If the folder cannot be made or read, or there are some and none is whole.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            found = self._files(part)
            if not self.resume:
                for each in found:
                    each.unlink()
                return None
        except OSError as error:
            message = f"Nothing can be kept in {self.folder}: {error.strerror}"
            raise FileError(f"{message}. Give a folder that can be written.") from error
        for each in reversed(found):
            try:
                return read_model(each)
            except FileError as error:
                logger.warning("%s The one before it is taken, if there is one.", error)
        if found:
            raise FileError(
                f"None of the {len(found)} checkpoints in {self.folder} can be read. Give another "
                "folder, or resume=False (--no-resume) to begin again there."
            )
        return None

    def keep_now(self, part: str, step: int, header: Mapping[str, Any], arrays: Any) -> None:
        """Keep a training as it stands; older ones than `keep` go.

        Where it cannot be written, as on a full disk, what was kept before stays, the training goes
        on, and ``recurra.training`` is told at level WARNING.

        Parameters
        ----------
        part : str
            Which of several trainings in a row.
        step : int
            Steps done.
        header : dict
            For JSON.
        arrays : dict of str to ndarray
            The numbers.
        """
        try:
            write_model(self.folder / f"{part}-{step:010d}{ENDING}", header, arrays)
        except FileError as error:
            logger.warning("Step %d is not kept. %s", step, error)
            return
        try:
            for each in (*self._files(part)[: -self.keep], *self.folder.glob(HALVES)):
                each.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("What is not needed any more stays in %s: %s", self.folder, error)

    def _files(self, part: str) -> list[Path]:
        return sorted(self.folder.glob(f"{part}-{'[0-9]' * 10}{ENDING}"))


class Interrupts:
    """Waits for a signal to stop, and for the time to keep what there is.

    Parameters
    ----------
    checkpoints : Checkpoints, optional
        How often; without it signals do what they do by themselves.
    """

    def __init__(self, checkpoints: Checkpoints | None) -> None:
        self.checkpoints = checkpoints
        self.stopped: int | None = None
        self._last = time.monotonic()

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Remember SIGTERM and Ctrl-C instead of dying of them; a second one kills."""
        mine = threading.current_thread() is threading.main_thread()
        if self.checkpoints is None or not mine:
            yield
            return
        signals = (signal.SIGTERM, signal.SIGINT)
        before = {each: signal.getsignal(each) for each in signals}

        def remember(number: int, _frame: object) -> None:
            self.stopped = number
            signal.signal(number, before[signal.Signals(number)] or signal.SIG_DFL)

        try:
            for each in signals:
                signal.signal(each, remember)
            yield
        finally:
            for each in signals:
                signal.signal(each, before[each] or signal.SIG_DFL)

    def due(self, step: int) -> bool:
        """Say whether it is time to keep what there is.

        Parameters
        ----------
        step : int
            Steps done.

        Returns
        -------
        bool
            True after a signal, after so many steps, or so many seconds.
        """
        if self.checkpoints is None:
            return False
        every, now = self.checkpoints.steps, time.monotonic()
        due = self.stopped is not None or now - self._last >= self.checkpoints.seconds
        due = due or (every is not None and step % every == 0)
        if due:
            self._last = now
        return due

    def leave(self, stopped: int) -> None:
        """Do what the signal asked for, now that all is kept.

        Parameters
        ----------
        stopped : int
            The signal that any of the processes got; 0 for none.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C.
        SystemExit
            After SIGTERM, with status 143.
        """
        if stopped == signal.SIGINT:
            raise KeyboardInterrupt
        if stopped:
            raise SystemExit(128 + stopped)
