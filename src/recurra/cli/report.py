"""``recurra report``: all that can be told of a saved model, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from recurra.cli.messages import note, notes_for
from recurra.cli.options import Quiet
from recurra.cli.predict import SavedModel
from recurra.cli.record_options import RecordColumns, RecordFile
from recurra.cli.records import read_records
from recurra.cli.several import aims_of
from recurra.cli.tasks import forecasts, task_learned
from recurra.cli.writing import check_place
from recurra.errors import need

__all__ = ["report"]


def report(
    *,
    model: SavedModel,
    file: RecordFile,
    columns: RecordColumns,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="Write the page there, as .html."),
    ] = Path("report.html"),
    quiet: Quiet = False,
) -> None:
    """Write one page about MODEL and the records in FILE, which best were not learned from.

    What is in the data, how it learned, how good it is, which inputs matter, why some records were
    answered so, whether it is healthy. The page needs no network.

    recurra report died.recurra stays.csv --id stay --time hour --target died --out report.html

    recurra report sales.recurra sales.csv --out report.html
    """
    with notes_for(quiet):
        check_place(out, (".html", ".htm"), (file, model))
        for module in ("jinja2", "matplotlib"):
            need(module, extra="report", purpose="A page of HTML")
        _write(model, file, columns, out, quiet)
        if not quiet:
            note(f"see {out}.")


def _write(model: Path, file: Path, columns: RecordColumns, out: Path, quiet: bool) -> None:
    """Write the page, and print the scores."""
    from recurra.estimators import load

    fitted: Any = load(model)
    if forecasts(fitted):
        typer.echo(str(fitted.report(out, file)))
        return
    task = task_learned(fitted, model)
    given = read_records(file, columns, task, wanted=True, quiet=quiet, known=aims_of(fitted))
    typer.echo(str(fitted.report(out, given.X, given.y)))
