"""``recurra tune``: search for a better configuration of a task, and learn it from everything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.cli.messages import note, notes_for
from recurra.cli.options import COLUMNS, Quiet, Source, named
from recurra.cli.reading import open_source
from recurra.cli.record_options import RecordColumns, RecordFile
from recurra.cli.records import read_records
from recurra.cli.tasks import TASKS, class_of, task_of
from recurra.cli.train import Learning
from recurra.cli.writing import check_place, check_table, write_table
from recurra.errors import OptionError, near

if TYPE_CHECKING:
    from recurra.tuning import Tuning

__all__ = ["tune"]

SEARCH = "Search"
FORECAST = "forecast"


@dataclass(frozen=True)
class Search:
    """How long to search, where it is kept, and what is scored."""

    trials: Annotated[
        int | None,
        typer.Option(
            "--trials",
            min=1,
            metavar="N",
            help="Configurations to try, with those of other processes and earlier calls.",
            rich_help_panel=SEARCH,
            show_default="50 without --minutes",
        ),
    ] = None
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", metavar="N", help="How long to search.", rich_help_panel=SEARCH),
    ] = None
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage",
            metavar="FILE|URL",
            help="Keep the search there, to go on with it, or share it: a file among processes "
            "of this machine, a database among several.",
            rich_help_panel=SEARCH,
            show_default=False,
        ),
    ] = None
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="What to score by, such as accuracy or MASE.",
            rich_help_panel=SEARCH,
            show_default="as suits the task",
        ),
    ] = None
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds",
            min=2,
            metavar="N",
            help="Score on so many parts in turn; else as suits the number of records.",
            rich_help_panel=SEARCH,
            show_default=False,
        ),
    ] = None

    def run(self, model: Any, X: Any, y: Any, by: Any, quiet: bool, **how: Any) -> Tuning:
        """Search; Optuna is imported here."""
        import recurra

        budget = {"trials": self.trials, "seconds": self.minutes and 60 * self.minutes}
        if self.trials is None and self.minutes is None:
            budget["trials"] = 50
        kept = {"storage": self.storage, "metric": self.metric, "by": by, "seed": model.seed}
        shown = {"progress": False if quiet else None}
        return recurra.tune(model, X, y, **{**budget, **kept, **shown, **how})


@dataclass(frozen=True)
class Ahead:
    """What is said of a forecast alone."""

    h: Annotated[
        int | None,
        typer.Option(
            "--h",
            min=1,
            metavar="N",
            help="To forecast: how many steps ahead is scored.",
            rich_help_panel=SEARCH,
            show_default="two seasons",
        ),
    ] = None
    past: Annotated[
        list[str] | None, named("--past", "To forecast: a covariate known up to now; repeatable.")
    ] = None
    future: Annotated[
        list[str] | None, named("--future", "To forecast: one known in advance; repeatable.")
    ] = None
    freq: Annotated[
        str | None,
        typer.Option(
            "--freq",
            metavar="STEP",
            help="To forecast: the step between time stamps, h, D, MS … or a whole number.",
            rich_help_panel=COLUMNS,
            show_default="as found",
        ),
    ] = None


def tune(
    *,
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK", help=f"One of {FORECAST}, {', '.join(TASKS)}.", show_default=False
        ),
    ],
    file: RecordFile,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Learn what was taken from all of FILE, and write it there, as .recurra.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--table",
            metavar="FILE",
            help="Write all trials there, as .csv or .parquet.",
            show_default=False,
        ),
    ] = None,
    search: Search,
    ahead: Ahead,
    columns: RecordColumns,
    learning: Learning,
    quiet: Quiet = False,
) -> None:
    """Search for a better configuration of TASK, scored on held-out parts of FILE.

    What was found goes to standard output. The configuration that the other options describe is
    tried first, and stays unless the best is clearly better on fresh parts of FILE, too. Start the
    command several times with one --storage to search in several processes; any may be killed and
    started again.

    recurra tune classify stays.csv --id stay --time hour --target died --out best.recurra

    recurra tune forecast sales.csv --h 12 --minutes 30 --storage sales.journal --out best.recurra
    """
    if task not in (FORECAST, *TASKS):
        raise OptionError(f"There is no task {task!r}. {near(task, (FORECAST, *TASKS))}")
    with notes_for(quiet):
        if out is not None:
            check_place(out, (".recurra",), (file,))
        check_table(table, file)
        ways = (search, ahead, columns, learning)
        forecast = task == FORECAST
        found = (_forecasts if forecast else _records)(task, file, ways, out is not None, quiet)
        if out is not None:
            found.model.save(out)
        if table is not None:
            write_table(found.trials, table)
        typer.echo(str(found))
        if out is not None and not quiet:
            note(f"learned from all of {file}; see {out}.")


Ways = tuple[Search, Ahead, RecordColumns, Learning]


def _records(task: str, file: Path, ways: Ways, refit: bool, quiet: bool) -> Tuning:
    """Search on records."""
    search, ahead, columns, learning = ways
    for name, value in vars(ahead).items():
        if value is not None:
            raise OptionError(f"--{name} is for forecast, not for {task}. Leave it out.")
    wanted = task_of(task)
    given = read_records(file, columns, wanted, wanted=True, quiet=quiet)
    model = _with_steps(learning.make(class_of(wanted)), learning.steps)
    from recurra.tuning import Folds

    by = None if search.folds is None else Folds(search.folds)
    how = {} if given.groups is None else {"groups": given.groups}
    return search.run(model, given.X, given.y, by, quiet, refit=refit, **how)


def _forecasts(task: str, file: Path, ways: Ways, refit: bool, quiet: bool) -> Tuning:
    """Search on series."""
    search, ahead, columns, learning = ways
    _refuse_records(task, search, columns)
    targets = columns.target_column or []
    if len(targets) > 1:
        said = f"--target-column names {len(targets)} columns, but forecasts are of one"
        raise OptionError(f"{said}. Pass it once.")
    source = Source(
        file,
        columns.id_column,
        columns.time_column,
        targets[0] if targets else None,
        ahead.past,
        ahead.future,
        columns.static,
        ahead.freq,
    )
    opened = open_source(source, quiet)
    from recurra import Forecaster
    from recurra.tuning import Origins

    model = _with_steps(learning.make(Forecaster), learning.steps)
    model.set_params(columns=opened.columns, freq=source.step)
    by = None if ahead.h is None else Origins(ahead.h)
    with opened.explained():
        return search.run(model, opened.frame, None, by, quiet, refit=refit)


def _refuse_records(task: str, search: Search, columns: RecordColumns) -> None:
    """Refuse what says nothing of series."""
    plain = RecordColumns()
    for name in ("layout", "no_time", "text_column", "file_column", "group_column"):
        if getattr(columns, name) != getattr(plain, name):
            flag = name.replace("_", "-")
            raise OptionError(f"--{flag} is for records, not for {task}. Leave it out.")
    if search.folds is not None:
        raise OptionError(f"--folds is for records, not for {task}. Leave it out, or give --h.")


def _with_steps(model: Any, steps: int | None) -> Any:
    """Set how many steps each trial has at most, and nothing else of how it learns."""
    if steps is None:
        return model
    from recurra.tuning.configured import configured

    return configured(model, {"training.steps": steps})
