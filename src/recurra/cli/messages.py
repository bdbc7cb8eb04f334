"""What is said beside the data: on standard error, in one line each, and once."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import typer

from recurra.errors import DataWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["complain", "note", "notes_for"]


def complain(text: str, code: int) -> int:
    """Say what is wrong.

    Parameters
    ----------
    text : str
        The message; it becomes one line.
    code : int
        The exit code.

    Returns
    -------
    int
        The same code.
    """
    typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(" ".join(text.split()), err=True)
    return code


def note(text: str) -> None:
    """Say something worth knowing.

    Parameters
    ----------
    text : str
        One sentence.
    """
    typer.secho("note: ", fg="cyan", nl=False, err=True)
    typer.echo(" ".join(text.split()), err=True)


@contextmanager
def notes_for(quiet: bool) -> Iterator[None]:
    """Say the library's notes on the data in one line each, and none of them twice.

    Parameters
    ----------
    quiet : bool
        Whether to say none.

    Yields
    ------
    None
        While they are listened to.
    """
    said: set[str] = set()
    python_shows = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not issubclass(category, DataWarning):
            python_shows(message, category, filename, lineno, file, line)
        elif not quiet and str(message) not in said:
            said.add(str(message))
            note(str(message))

    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = show
        yield
