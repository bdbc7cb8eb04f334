"""``recurra transcribe``: write down what is said in recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recurra.cli.messages import notes_for
from recurra.cli.options import Quiet
from recurra.errors import FileError

if TYPE_CHECKING:
    from recurra.estimators.speech.transcriber import Transcriber

__all__ = ["transcribe"]


def transcribe(
    *,
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="A file that Transcriber.save wrote.", show_default=False
        ),
    ],
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Recordings: .wav, .flac, .ogg, .mp3; or a folder of these.",
            show_default=False,
        ),
    ],
    beam: Annotated[
        int | None,
        typer.Option(
            "--beam",
            min=1,
            help="How many texts the search follows; 1 for the most probable symbol at each time.",
            show_default="the model's own",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write down what is said in each FILE.

    The text goes to standard output; of several files a line each: the file, a tab, the text.

    recurra transcribe digits.recurra call.wav

    recurra transcribe digits.recurra calls/ --beam 16 > calls.tsv
    """
    with notes_for(quiet):
        fitted = _model(model)
        paths = [path for given in files for path in _sounds(given)]
        for path in paths:
            text = fitted.transcribe(path, beam=beam)
            typer.echo(text if len(paths) == 1 else f"{path}\t{text}")


def _model(path: Path) -> Transcriber:
    """Take up the model, and refuse one of another task."""
    from recurra.estimators import load
    from recurra.estimators.speech.transcriber import Transcriber

    fitted = load(path)
    if not isinstance(fitted, Transcriber):
        message = f"{path} holds a {type(fitted).__name__}, which does not write down what is said"
        raise FileError(f"{message}. Give the file of a Transcriber.")
    return fitted


def _sounds(given: Path) -> list[Path]:
    """List the recordings of a folder; a file is one."""
    if not given.is_dir():
        return [given]
    from recurra.data.reading.folders import find_files
    from recurra.data.reading.sounds import AUDIO_ENDINGS

    return list(find_files(given, AUDIO_ENDINGS).values())
