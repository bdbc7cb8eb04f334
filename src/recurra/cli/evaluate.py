"""``recurra evaluate``: how good a saved model is on a file, beside what its report said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.cli.messages import notes_for
from recurra.cli.options import Quiet
from recurra.cli.predict import SavedModel
from recurra.cli.record_options import RecordColumns, RecordFile
from recurra.cli.records import read_records
from recurra.cli.several import aims_of
from recurra.cli.tasks import load_learner
from recurra.cli.writing import write_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate"]


def evaluate(
    *,
    model: SavedModel,
    file: RecordFile,
    columns: RecordColumns,
    csv: Annotated[bool, typer.Option("--csv", help="Print the scores as CSV.")] = False,
    quiet: Quiet = False,
) -> None:
    """Score the answers for the records in FILE, whose target is known.

    The scores go to standard output; below them stand those of the report, which the model and
    simple ones got when it was trained, on the records held back then.

    recurra evaluate died.recurra test.csv --id stay --time hour --target died
    """
    with notes_for(quiet):
        fitted, task = load_learner(model)
        known = aims_of(fitted)
        given = read_records(file, columns, task, wanted=True, quiet=quiet, known=known)
        scores = _table(fitted, fitted.scores(given.X, given.y), file.name)
        if csv:
            write_table(scores, None)
        else:
            typer.echo(_shown(scores))


def _table(model: Any, scores: Any, file: str) -> pd.DataFrame:
    """Put scores in a table: a row for each model and part, a column for each measure."""
    import pandas as pd

    report = model.report()
    part = "held back" if report.held_back else "learned from"
    rows = [(each.model, file, each.measure, each.value) for each in scores]
    rows += [(each.model, part, each.measure, each.value) for each in report.scores]
    found = pd.DataFrame(rows, columns=["model", "records", "measure", "value"])
    measures = dict.fromkeys(each.measure for each in (*scores, *report.scores))
    keys = found.drop_duplicates(["model", "records"])[["model", "records"]]
    for measure in measures:
        own = found[found["measure"] == measure][["model", "records", "value"]]
        keys = keys.merge(own.rename(columns={"value": measure}), "left", ["model", "records"])
    return keys


def _shown(table: pd.DataFrame) -> str:
    """Write a table for the eye."""
    text = table.to_string(index=False, float_format="{:.4f}".format, na_rep="")
    return "\n".join(line.rstrip() for line in text.splitlines())
