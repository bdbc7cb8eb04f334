"""``recurra audit``: look at a file before learning from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from recurra.cli.messages import note, notes_for
from recurra.cli.options import COLUMNS, Quiet, named
from recurra.cli.writing import check_place
from recurra.errors import DataError, near

if TYPE_CHECKING:
    import pandas as pd

    from recurra.data import SequenceDataset

__all__ = ["audit"]

TABLES = (".csv", ".tsv", ".parquet")


@dataclass(frozen=True)
class Laid:
    """How a table is laid out, and what its columns mean."""

    layout: Annotated[
        Literal["long", "wide", "events"],
        typer.Option(
            "--layout",
            help="A row for every record and step; a column for every record; or a row for every "
            "measurement.",
            rich_help_panel=COLUMNS,
        ),
    ] = "long"
    id_column: Annotated[
        str | None, named("--id-column", "Whose the row is.", "unique_id, or one record")
    ] = None
    time_column: Annotated[str | None, named("--time-column", "The time stamps.", "ds")] = None
    no_time: Annotated[
        bool,
        typer.Option(
            "--no-time", help="The rows are steps as they stand.", rich_help_panel=COLUMNS
        ),
    ] = False
    records: Annotated[
        Literal["columns", "rows"],
        typer.Option("--records", help="For wide: what holds a record.", rich_help_panel=COLUMNS),
    ] = "columns"
    target_column: Annotated[
        str | None, named("--target-column", "What is to be learnt.", "y, if there")
    ] = None
    variable_column: Annotated[
        str | None, named("--variable-column", "For events: what was measured.", "variable")
    ] = None
    value_column: Annotated[
        str | None, named("--value-column", "For events: how much it was.", "value")
    ] = None


def audit(
    *,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A table (.csv, .tsv, either also .gz, .parquet), or .ts, .arff, .jsonl, .npz.",
            show_default=False,
        ),
    ],
    laid: Laid,
    test: Annotated[
        Path | None,
        typer.Option(
            "--test",
            metavar="FILE",
            help="A test part of the same form: looked through for what is in FILE too.",
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page there.", show_default=False),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write all of it there.", show_default=False),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Say what is in FILE: gaps, patterns, outliers, leaks, and what to do about them.

    The findings go to standard output, the worst first.

    recurra audit sales.csv

    recurra audit stays.csv --id-column stay --time-column hour --target-column died

    recurra audit events.csv --layout events --id-column stay --html audit.html
    """
    with notes_for(quiet=True):
        _check(html, json, file, test)
        data, target = _read(file, laid, quiet)
        other = None if test is None else _read(test, laid, quiet=True)[0]
        from recurra import auditing

        found = auditing.audit(data, test=other, target=target, progress=False if quiet else None)
        if html is not None:
            found.to_html(html, title=f"Audit of {file.name}")
        if json is not None:
            found.to_json(json)
        typer.echo(str(found))
        if not quiet:
            for path in (html, json):
                if path is not None:
                    note(f"see {path}.")


def _check(html: Path | None, json: Path | None, *read: Path | None) -> None:
    """Refuse, before anything is read, what cannot be written."""
    from recurra.errors import need

    if html is not None:
        check_place(html, (".html", ".htm"), read)
        for module in ("jinja2", "matplotlib"):
            need(module, extra="report", purpose="A page of HTML")
    if json is not None:
        check_place(json, (".json",), read)


def _read(file: Path, laid: Laid, quiet: bool) -> tuple[SequenceDataset, str | None]:
    """Read a file; of a table, say what is to be learnt."""
    from recurra.data.reading.read import read
    from recurra.data.tables.files import read_table
    from recurra.data.tables.text import Expected

    table = file.name.lower().removesuffix(".gz").endswith(TABLES)
    if not table:
        return read(file), laid.target_column
    if laid.layout == "wide":
        return _wide(read_table(file, Expected()), file, laid), None
    texts = tuple(
        name for name in (laid.id_column or "unique_id", laid.variable_column) if name is not None
    )
    frame = read_table(file, Expected(text=texts))
    if laid.layout == "events":
        return _events(frame, file, laid), None
    return _long(frame, file, laid, quiet)


def _wide(frame: pd.DataFrame, file: Path, laid: Laid) -> SequenceDataset:
    """Read a column, or a row, for every record."""
    from recurra.data.reading.read import read

    named = {laid.time_column: "--time-column", laid.id_column: "--id-column"}
    named[laid.target_column] = "--target-column"
    _require(frame, file, {name: flag for name, flag in named.items() if name is not None})
    if laid.records == "columns":
        time = laid.time_column or ("ds" if "ds" in frame and not laid.no_time else None)
        return read(frame, layout="wide", records="columns", time=time)
    who = laid.id_column or ("unique_id" if "unique_id" in frame else None)
    return read(frame, layout="wide", records="rows", id=who, target=laid.target_column)


def _events(frame: pd.DataFrame, file: Path, laid: Laid) -> SequenceDataset:
    """Read a row for every measurement."""
    from recurra.auditing.opened import read_anyway

    roles = {
        "id": (laid.id_column or "unique_id", "--id-column"),
        "time": (laid.time_column or "ds", "--time-column"),
        "variable": (laid.variable_column or "variable", "--variable-column"),
        "value": (laid.value_column or "value", "--value-column"),
    }
    _require(frame, file, dict(roles.values()))
    names = {role: name for role, (name, _) in roles.items()}
    return read_anyway(frame, "events", names)


def _long(
    frame: pd.DataFrame, file: Path, laid: Laid, quiet: bool
) -> tuple[SequenceDataset, str | None]:
    """Read a row for every record and step, as a forecasting table if no column is named."""
    from recurra.auditing.opened import read_anyway

    who = laid.id_column or "unique_id"
    when = None if laid.no_time else laid.time_column or "ds"
    target = laid.target_column or ("y" if "y" in frame else None)
    wanted = {} if when is None else {when: "--time-column"}
    if target is not None:
        wanted[target] = "--target-column"
    if laid.id_column is not None:
        wanted[who] = "--id-column"
    _require(frame, file, wanted)
    if who not in frame:
        if not quiet:
            note(f"{file} has no column {who!r}: it is read as one record.")
        frame = frame.copy(deep=False)
        frame.insert(0, who, file.name.split(".")[0] or file.name)
    whole = target is not None and _of_records(frame, who, target)
    names = {"id": who, "time": when, **({"target": target} if whole else {})}
    return read_anyway(frame, "long", names), target


def _of_records(frame: pd.DataFrame, who: str, target: str) -> bool:
    """Whether a target is the same in all rows of each of several records."""
    if frame[who].nunique() < 2:
        return False
    return bool((frame.groupby(who, sort=False)[target].nunique() <= 1).all())


def _require(frame: pd.DataFrame, file: Path, wanted: dict[str, str]) -> None:
    """Refuse a table that lacks columns, and say what to pass."""
    have = [str(name) for name in frame.columns]
    missing = [name for name in wanted if name not in have]
    if not missing:
        return
    flags = " and ".join(f"{wanted[name]} NAME" for name in missing)
    if "--time-column" in flags:
        flags += ", or --no-time if the rows are steps as they stand"
    advice = f"Pass {flags}."
    parts = [mark for mark in (";", "\t", "|") if len(have) == 1 and mark in have[0]]
    if parts:
        advice = f"Is it separated by {parts[0]!r}? A .csv is read by commas, a .tsv by tabs."
    raise DataError(
        f"{file} has no column {' and '.join(map(repr, missing))}",
        code="missing_column",
        hint=f"{near(missing[0], have)} {advice}",
    )
