"""Where the data go: standard output, a table, a picture; looked at before anything is learned."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from recurra.cli.messages import note
from recurra.errors import FileError, need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.diagnosing import Diagnoses, Diagnosis
    from recurra.explaining import Explanation

__all__ = [
    "check_picture",
    "check_place",
    "check_table",
    "hand_out",
    "write_picture",
    "write_table",
]

DIGITS = "%.8g"


def check_table(out: Path | None, *read: Path | None) -> None:
    """Refuse a table that could not be written in the end.

    Parameters
    ----------
    out : Path or None
        Where it shall go.
    *read : Path or None
        The files that are read, which are not to be overwritten.

    Raises
    ------
    FileError
        If its name has another ending, or it has no place.
    """
    if out is None:
        return
    check_place(out, (".csv", ".parquet"), read)
    if out.suffix.lower() == ".parquet":
        need("pyarrow", extra="parquet", purpose="Writing Parquet")


def check_picture(plot: Path | None, *read: Path | None) -> None:
    """Refuse a picture that could not be drawn in the end.

    Parameters
    ----------
    plot : Path or None
        Where it shall go.
    *read : Path or None
        The files that are read, which are not to be overwritten.

    Raises
    ------
    FileError
        If its name has another ending, or it has no place.
    MissingExtraError
        If matplotlib is not installed.
    """
    if plot is not None:
        check_place(plot, (".png", ".svg"), read)
        need("matplotlib", extra="plot", purpose="Drawing a picture")


def write_table(table: pd.DataFrame, out: Path | None) -> None:
    """Write a table to a file, or as CSV to standard output.

    Parameters
    ----------
    table : pandas.DataFrame
        Without an index of its own.
    out : Path or None
        Where it goes.
    """
    if out is None:
        table.to_csv(sys.stdout, index=False, float_format=DIGITS, lineterminator="\n")
        return
    with _written(out):
        if out.suffix.lower() == ".parquet":
            table.to_parquet(out, index=False)
        else:
            table.to_csv(out, index=False, float_format=DIGITS, lineterminator="\n")


def write_picture(figure: Figure, plot: Path) -> None:
    """Write a picture to a file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The picture.
    plot : Path
        Where it goes; the ending says how.
    """
    matplotlib = need("matplotlib", extra="plot", purpose="Drawing a picture")
    undated: dict[str, Any] = {"metadata": {"Date": None}} if plot.suffix.lower() == ".svg" else {}
    with _written(plot), matplotlib.rc_context({"svg.hashsalt": "recurra"}):
        figure.savefig(plot, **undated)


def hand_out(
    found: Explanation | Diagnosis | Diagnoses, plot: Path | None, csv: bool, quiet: bool
) -> None:
    """Print what was found, as a text or as CSV, and draw it if asked to.

    Parameters
    ----------
    found : Explanation, Diagnosis or Diagnoses
        What was found.
    plot : Path or None
        Where the picture goes.
    csv : bool
        Whether to print the table.
    quiet : bool
        Whether not to say where the picture is.
    """
    if plot is not None:
        write_picture(found.plot(), plot)
    if csv:
        write_table(found.to_frame(), None)
    else:
        typer.echo(str(found))
    if plot is not None and not quiet:
        note(f"see {plot}.")


def check_place(path: Path, endings: tuple[str, ...], read: tuple[Path | None, ...]) -> None:
    """Refuse a file that could not be written in the end.

    Parameters
    ----------
    path : Path
        Where it shall be.
    endings : tuple of str
        Those that its name may have.
    read : tuple of Path or None
        The files that are read, which are not to be overwritten.

    Raises
    ------
    FileError
        If its name has another ending, or it has no place.
    """
    if path.suffix.lower() not in endings:
        message = f"{path} has an ending that is not written"
        raise FileError(f"{message}. Written are {' and '.join(endings)}.")
    if path.is_dir():
        raise FileError(f"{path} is a directory. Give a file in it.")
    if not path.parent.is_dir():
        raise FileError(f"{path} cannot be written: there is no directory {path.parent}. Make it.")
    if path.exists() and any(
        each is not None and each.exists() and path.samefile(each) for each in read
    ):
        raise FileError(f"{path} is read, and would be overwritten. Give another name.")


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise FileError(f"{message.rstrip('.')}.") from error
