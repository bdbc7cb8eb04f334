"""The command ``recurra``: its verbs, and what becomes of their errors."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from recurra import __version__
from recurra.cli.audit import audit
from recurra.cli.auto import auto
from recurra.cli.backtest import backtest
from recurra.cli.diagnose import diagnose
from recurra.cli.evaluate import evaluate
from recurra.cli.explain import explain
from recurra.cli.forecast import forecast
from recurra.cli.generate import generate
from recurra.cli.groups import flatten
from recurra.cli.many import ManyValues
from recurra.cli.messages import complain
from recurra.cli.predict import predict
from recurra.cli.report import report
from recurra.cli.train import train
from recurra.cli.transcribe import transcribe
from recurra.cli.tune import tune
from recurra.errors import DataError, FileError, MissingExtraError, OptionError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "main"]

FAILED, WRONG_INPUT, INTERRUPTED, READER_GONE = 1, 2, 130, 141

app = typer.Typer(name="recurra", add_completion=False)
for verb in (
    forecast,
    backtest,
    audit,
    train,
    tune,
    auto,
    predict,
    evaluate,
    explain,
    diagnose,
    report,
    generate,
    transcribe,
):
    app.command(cls=ManyValues)(flatten(verb))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recurra {__version__}")
        raise typer.Exit


@app.callback()
def recurra(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say which it is."),
    ] = False,
) -> None:
    """Recurrent networks for sequences as they are: from a table to an honest forecast."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``recurra``; by default what the shell gave.

    Returns
    -------
    int
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = get_command(app).main(given, prog_name="recurra", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _usage(error)
    except (DataError, FileError, OptionError, MissingExtraError) as error:
        return complain(str(error), WRONG_INPUT)
    except TrainingError as error:
        return complain(str(error), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as error:  # so typer answers a broken pipe
        if isinstance(error.__context__, BrokenPipeError):
            return _reader_gone()
        raise
    return code or 0


def _usage(error: typer.TyperException) -> int:
    """Say what is wrong with the words given, and where to read on."""
    context = getattr(error, "ctx", None)
    command = "recurra" if context is None else context.command_path
    return complain(f"{error.format_message().rstrip('.')}. See {command} --help.", WRONG_INPUT)


def _reader_gone() -> int:
    """Let Python's last flush of what nobody reads go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_GONE
