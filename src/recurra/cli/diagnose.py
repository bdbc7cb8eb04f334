"""``recurra diagnose``: whether the network of a saved model is healthy, and what to do if not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.cli.messages import notes_for
from recurra.cli.options import Plot, Quiet
from recurra.cli.predict import SavedModel
from recurra.cli.record_options import RecordColumns, RecordFile
from recurra.cli.records import read_records
from recurra.cli.several import aims_of
from recurra.cli.tasks import forecasts, task_learned
from recurra.cli.writing import check_picture, hand_out

if TYPE_CHECKING:
    from recurra.diagnosing import Diagnoses, Diagnosis

__all__ = ["diagnose"]


def diagnose(
    *,
    model: SavedModel,
    file: RecordFile,
    columns: RecordColumns,
    plot: Plot = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the findings as CSV.")] = False,
    quiet: Quiet = False,
) -> None:
    """Say whether MODEL is healthy on the records in FILE: gradients, memory, gates, residuals.

    Each finding ends in advice.

    recurra diagnose died.recurra stays.csv --id stay --time hour --target died --plot health.png

    recurra diagnose sales.recurra sales.csv
    """
    with notes_for(quiet):
        check_picture(plot, file, model)
        found = _diagnosis(model, file, columns, quiet)
        hand_out(found, plot, csv, quiet)


def _diagnosis(
    model: Path, file: Path, columns: RecordColumns, quiet: bool
) -> Diagnosis | Diagnoses:
    from recurra.estimators import load

    fitted: Any = load(model)
    if forecasts(fitted):
        series: Diagnosis | Diagnoses = fitted.diagnose(file)
        return series
    task = task_learned(fitted, model)
    given = read_records(file, columns, task, wanted=True, quiet=quiet, known=aims_of(fitted))
    found: Diagnosis = fitted.diagnose(given.X, given.y)
    return found
