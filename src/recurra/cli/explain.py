"""``recurra explain``: why a saved model answers as it does for one record of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from recurra.cli.messages import notes_for
from recurra.cli.options import Plot, Quiet
from recurra.cli.predict import SavedModel
from recurra.cli.record_options import RecordColumns, RecordFile
from recurra.cli.records import read_records
from recurra.cli.several import aims_of
from recurra.cli.tasks import forecasts, task_learned
from recurra.cli.writing import check_picture, hand_out
from recurra.errors import OptionError, near

if TYPE_CHECKING:
    from recurra.data import SequenceDataset
    from recurra.explaining import Explanation

__all__ = ["explain"]

ANSWER = "Which answer"


@dataclass(frozen=True)
class Asked:
    """Which answer is explained."""

    record: Annotated[
        str | None,
        typer.Option(
            "--record",
            metavar="ID",
            help="Which record, or series; not needed where FILE has one.",
            rich_help_panel=ANSWER,
            show_default=False,
        ),
    ] = None
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            metavar="LABEL",
            help="Which label, or text; by default what is answered.",
            rich_help_panel=ANSWER,
            show_default=False,
        ),
    ] = None
    step: Annotated[
        int | None,
        typer.Option(
            "--step",
            help="Which step's answer, where each has one, counted from 0.",
            rich_help_panel=ANSWER,
            show_default=False,
        ),
    ] = None
    h: Annotated[
        int | None,
        typer.Option(
            "--h",
            help="Of a forecaster: how many steps ahead.",
            rich_help_panel=ANSWER,
            show_default="1",
        ),
    ] = None


@dataclass(frozen=True)
class Manner:
    """How it is explained."""

    method: Annotated[
        Literal["auto", "integrated gradients", "gradient x input", "occlusion", "attention"],
        typer.Option("--method", help="How scores are found."),
    ] = "auto"
    by: Annotated[
        Literal["step", "channel", "window", "step and channel"],
        typer.Option("--by", help="What is ranked, or taken away at a time."),
    ] = "step"
    window: Annotated[
        int | None,
        typer.Option("--window", help="Steps of a window, for --by window.", show_default=False),
    ] = None
    no_checks: Annotated[
        bool, typer.Option("--no-checks", help="Do not check whether it can be believed.")
    ] = False

    def how(self) -> dict[str, Any]:
        """Give arguments of ``explain``.

        Returns
        -------
        dict of str
            All of them.
        """
        own = {name: getattr(self, name) for name in ("method", "by", "window")}
        return {**own, "checks": not self.no_checks}


def explain(
    *,
    model: SavedModel,
    file: RecordFile,
    columns: RecordColumns,
    asked: Asked,
    manner: Manner,
    plot: Plot = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print all scores as CSV.")] = False,
    quiet: Quiet = False,
) -> None:
    """Say why MODEL answers as it does for a record in FILE: which steps, which channels.

    recurra explain died.recurra new.csv --id stay --time hour --record 132539 --plot why.png

    recurra explain opinions.recurra reviews.csv --id review --text text --record 7 --csv

    recurra explain sales.recurra sales.csv --record shop1 --h 12
    """
    with notes_for(quiet):
        check_picture(plot, file, model)
        found = _explained(model, file, columns, asked, manner, quiet)
        hand_out(found, plot, csv, quiet)


def _explained(
    model: Path, file: Path, columns: RecordColumns, asked: Asked, manner: Manner, quiet: bool
) -> Explanation:
    from recurra.estimators import load

    fitted: Any = load(model)
    if forecasts(fitted):
        if asked.label is not None or asked.step is not None:
            raise OptionError("A forecaster has no labels and steps: ask by --record and --h.")
        found: Explanation = fitted.explain(file, asked.h or 1, asked.record, **manner.how())
        return found
    if asked.h is not None:
        raise OptionError(f"--h goes with a Forecaster, but {model} is a {type(fitted).__name__}.")
    task = task_learned(fitted, model)
    given = read_records(file, columns, task, wanted=False, quiet=quiet, known=aims_of(fitted))
    one = _record(given.X, given.ids, asked.record)
    more = {} if asked.step is None else {"step": asked.step}
    label = None if asked.label is None else _label(fitted, asked.label)
    return fitted.explain(one, label, **manner.how(), **more)


def _record(X: Any, ids: tuple[object, ...], wanted: str | None) -> SequenceDataset | list[Any]:
    """Choose the record."""
    names = [*map(str, ids)]
    if wanted is None and len(names) > 1:
        few = ", ".join(names[:3])
        raise OptionError(f"The file has {len(names)} records: say which, --record ID ({few}, …).")
    if wanted is not None and wanted not in names:
        raise OptionError(f"There is no record {wanted!r}. {near(wanted, names)}")
    place = 0 if wanted is None else names.index(wanted)
    return [X[place]] if isinstance(X, list) else X.take([place])


def _label(model: Any, said: str) -> object:
    """Find a label that is written so, where labels were learned."""
    labels = getattr(model, "classes_", None)
    known = [] if labels is None else labels.tolist()
    return next((label for label in known if str(label) == said), said)
