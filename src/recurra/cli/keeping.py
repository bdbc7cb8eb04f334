"""Where ``recurra train`` keeps a training, and what it says when it is stopped."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.cli.messages import note
from recurra.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Keeping"]

PANEL = "Long trainings"


@dataclass(frozen=True)
class Keeping:
    """Where the training is kept, to go on from when it was stopped."""

    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="DIR",
            help="Keep the training there; when it was stopped, the same command goes on.",
            rich_help_panel=PANEL,
            show_default=False,
        ),
    ] = None
    no_resume: Annotated[
        bool,
        typer.Option(
            "--no-resume",
            help="Begin again; what is kept in DIR is removed.",
            rich_help_panel=PANEL,
        ),
    ] = False

    def how(self) -> dict[str, Any]:
        """Give arguments of ``fit``.

        Returns
        -------
        dict of str
            ``checkpoint`` and ``resume``, where it is kept.

        Raises
        ------
        OptionError
            If it is to begin again, and nothing says where.
        FileError
            If there can be no such folder.
        """
        if self.checkpoint is None:
            if self.no_resume:
                raise OptionError("--no-resume begins again what is kept in --checkpoint DIR.")
            return {}
        return {"checkpoint": self.checkpoint, "resume": not self.no_resume}

    @contextmanager
    def told(self, quiet: bool) -> Iterator[None]:
        """Say how to go on, when Ctrl-C or SIGTERM stop what is done meanwhile.

        Parameters
        ----------
        quiet : bool
            Whether to say nothing.

        Yields
        ------
        None
            While it learns.
        """
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            if not quiet:
                note(self._stopped())
            raise

    def _stopped(self) -> str:
        if self.checkpoint is None:
            return "stopped, nothing is kept; with --checkpoint DIR the same command goes on."
        if not any(self.checkpoint.glob("*.recurra")):
            return "stopped before the first step; the same command begins again."
        again = "" if not self.no_resume else " without --no-resume"
        return (
            f"stopped; the training is kept in {self.checkpoint}. The same command{again} goes on "
            "from there, to the same model."
        )
