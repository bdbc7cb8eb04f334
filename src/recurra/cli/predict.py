"""``recurra predict``: what a saved model says of the records in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recurra.cli.messages import note, notes_for
from recurra.cli.options import Out, Quiet
from recurra.cli.record_options import RecordColumns, RecordFile
from recurra.cli.records import read_records
from recurra.cli.several import aims_of
from recurra.cli.tasks import load_learner, table_of
from recurra.cli.writing import check_table, write_table

__all__ = ["SavedModel", "predict"]

SavedModel = Annotated[
    Path,
    typer.Argument(metavar="MODEL", help="What recurra train wrote.", show_default=False),
]


def predict(
    *,
    model: SavedModel,
    file: RecordFile,
    columns: RecordColumns,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Say how probable answers are, too.")
    ] = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Answer for the records in FILE.

    The answers go to standard output as CSV, or to --out: a row for each record, or for each of its
    steps. The columns of FILE are named as for recurra train; a model of several targets knows
    their names.

    recurra predict died.recurra new.csv --id stay --time hour --probabilities

    recurra predict tagger.recurra words.csv --id sentence --text word --out tagged.csv
    """
    with notes_for(quiet):
        check_table(out, file, model)
        fitted, task = load_learner(model)
        known = aims_of(fitted)
        given = read_records(file, columns, task, wanted=False, quiet=quiet, known=known)
        write_table(table_of(fitted, task, given.X, given.ids, probabilities), out)
        if out is not None and not quiet:
            note(f"answered for {len(given.ids)} records; see {out}.")
