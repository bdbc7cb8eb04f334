"""Where a study is kept: in memory, in a file for one machine, or in a database for several."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, get_storage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from recurra.errors import FileError, OptionError

try:
    import fcntl
except ImportError:  # pragma: no cover - elsewhere than on Unix
    fcntl = None  # type: ignore[assignment]

__all__ = ["open_storage", "open_study"]

ABOUT = "recurra"


def open_storage(place: str | os.PathLike[str] | None) -> BaseStorage:
    """Open what keeps studies.

    Parameters
    ----------
    place : str, path-like or None
        A file, which is made if it is not there; the URL of a database, such as
        ``"postgresql://…"``; None for memory.

    Returns
    -------
    optuna.storages.BaseStorage
        Open.

    Raises
    ------
    FileError
        If it cannot be opened.
    """
    if place is None:
        return InMemoryStorage()
    if isinstance(place, str) and "://" in place:
        try:
            return get_storage(place)
        except Exception as error:  # each database has its own
            raise FileError(f"storage={place!r} cannot be opened: {error}") from error
    path = Path(place)
    if path.is_dir() or not path.parent.is_dir():
        what = "is a directory" if path.is_dir() else f"has no directory {path.parent}"
        raise FileError(f"storage={os.fspath(place)!r} {what}. Give a file, such as study.journal.")
    try:
        return JournalStorage(JournalFileBackend(str(path), lock_obj=_lock_for(path)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "Give another file, or remove it."
        raise FileError(f"{path} cannot be read as a study: {error}. {hint}") from error


def open_study(
    storage: BaseStorage, name: str, about: dict[str, str], greater: bool
) -> optuna.Study:
    """Open a study, or begin it; refuse one of something else.

    Parameters
    ----------
    storage : optuna.storages.BaseStorage
        Where it is kept.
    name : str
        What it is called there.
    about : dict of str
        What it is of: the estimator, the space, the data.
    greater : bool
        Whether a greater score is better.

    Returns
    -------
    optuna.Study
        Of those.

    Raises
    ------
    OptionError
        If one of that name is of something else; the message says of what.
    """
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize" if greater else "minimize",
            load_if_exists=True,
        )
    finally:
        optuna.logging.set_verbosity(verbosity)
    known = study.user_attrs.get(ABOUT)
    if known is None and not study.get_trials(deepcopy=False):
        study.set_user_attr(ABOUT, json.dumps(about))
        return study
    told: dict[str, Any] = json.loads(known or "{}")
    for key, value in about.items():
        if told.get(key) != value:
            raise OptionError(
                f"The study {name!r} in that storage has another {key}: {told.get(key)}, and here "
                f"it is {value}. Give another storage or study name, or the same {key}."
            )
    return study


class _Lock:
    """Locks a file as long as this process lives: one that is killed blocks nobody.

    What a process that was killed while it wrote has left half-written goes, before more is
    written after it.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.held = path, -1

    def acquire(self) -> bool:
        """Wait for the lock."""
        held = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(held, fcntl.LOCK_EX)
        self.held = held
        _cut_torn_end(self.path)
        return True

    def release(self) -> None:
        """Give the lock back."""
        os.close(self.held)
        self.held = -1


def _lock_for(path: Path) -> Any:  # Optuna's base of locks is not public
    return JournalFileOpenLock(str(path)) if fcntl is None else _Lock(path)


def _cut_torn_end(path: Path) -> None:
    """Remove a last line that has no end."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
