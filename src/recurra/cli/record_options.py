"""The options of verbs that read records: the file, and what its columns or parts mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from recurra.cli.options import COLUMNS

__all__ = ["ID", "TARGET", "TIME", "RecordColumns", "RecordFile"]

ID, TIME, TARGET = "unique_id", "ds", "y"
"""What columns are called where nothing is said."""


def _column(flag: str, also: str, help_text: str, usual: str | bool = False) -> Any:
    """Describe an option that takes the name of a column, and has a short name too."""
    return typer.Option(
        flag, also, metavar="NAME", help=help_text, rich_help_panel=COLUMNS, show_default=usual
    )


RecordFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A table (.csv, .tsv, either also .gz, .parquet), .ts, .arff, .jsonl, .npz, .txt; or "
        "a folder of sounds, images or texts.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class RecordColumns:
    """What the columns of a table mean, or the parts of a file."""

    layout: Annotated[
        Literal["long", "wide", "ucr"],
        typer.Option(
            "--layout",
            help="Of a table: a row for every record and step; a row for every record and a column "
            "for every step; or a file of UCR's, without a header.",
            rich_help_panel=COLUMNS,
        ),
    ] = "long"
    id_column: Annotated[
        str | None, _column("--id-column", "--id", "Which record a row belongs to.", ID)
    ] = None
    time_column: Annotated[
        str | None, _column("--time-column", "--time", "When a step was.", TIME)
    ] = None
    no_time: Annotated[
        bool,
        typer.Option(
            "--no-time", help="The rows are steps as they stand.", rich_help_panel=COLUMNS
        ),
    ] = False
    target_column: Annotated[
        list[str] | None,
        _column(
            "--target-column",
            "--target",
            "What is to be learnt. For multitask repeatable, and NAME=numbers or NAME=classes says "
            "what it holds.",
            TARGET,
        ),
    ] = None
    text_column: Annotated[
        str | None,
        _column("--text-column", "--text", "Texts, one each row; to tag, a word each row."),
    ] = None
    file_column: Annotated[
        str | None,
        _column(
            "--file-column", "--files", "Sounds or images, one each row: paths from the table."
        ),
    ] = None
    static: Annotated[
        list[str] | None,
        _column("--static-column", "--static", "What holds for a whole record; repeatable."),
    ] = None
    group_column: Annotated[
        str | None, _column("--group-column", "--group", "Records that are held back together.")
    ] = None
    labels_from: Annotated[
        str | None,
        typer.Option(
            "--labels-from",
            metavar="REGEX",
            help="Of a folder: what finds the label in the name of a file, in a group; by default "
            "the folder in it.",
            rich_help_panel=COLUMNS,
            show_default=False,
        ),
    ] = None
    separator: Annotated[
        str | None,
        typer.Option(
            "--separator",
            metavar="TEXT",
            help="Of .txt: what parts the label at the beginning of each line from its text.",
            rich_help_panel=COLUMNS,
            show_default=False,
        ),
    ] = None
