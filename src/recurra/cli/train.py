"""``recurra train``: learn a task from a file, and write the model into another."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from recurra.cli.keeping import Keeping
from recurra.cli.messages import note, notes_for
from recurra.cli.options import MODEL, Quiet
from recurra.cli.record_options import RecordColumns, RecordFile
from recurra.cli.record_table import Given
from recurra.cli.records import read_records
from recurra.cli.several import described
from recurra.cli.tasks import TASKS, class_of, task_of
from recurra.cli.writing import check_place
from recurra.errors import OptionError, near

__all__ = ["train"]


@dataclass(frozen=True)
class Learning:
    """What to learn, and how long; where nothing is said, as the class does by itself."""

    layer: Annotated[
        str | None,
        typer.Option("--layer", metavar="NAME", help="The recurrent layer.", rich_help_panel=MODEL),
    ] = None
    hidden_size: Annotated[
        int | None,
        typer.Option(
            "--hidden-size", min=1, metavar="N", help="Units in a layer.", rich_help_panel=MODEL
        ),
    ] = None
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps", min=1, metavar="N", help="Optimizer steps at most.", rich_help_panel=MODEL
        ),
    ] = None
    seed: Annotated[
        int,
        typer.Option(
            "--seed", min=0, metavar="N", help="Same seed, same model.", rich_help_panel=MODEL
        ),
    ] = 0
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            metavar="NAME=VALUE",
            help="Any other option of the class, such as bidirectional=true; repeatable.",
            rich_help_panel=MODEL,
        ),
    ] = None

    def make(self, kind: Any) -> Any:
        """Make an estimator of a class.

        Parameters
        ----------
        kind : type
            The class.

        Returns
        -------
        Learner
            Not fitted.
        """
        said = {"layer": self.layer, "hidden_size": self.hidden_size, "seed": self.seed}
        options = {name: value for name, value in said.items() if value is not None}
        options |= dict(map(_parted, self.option or []))
        known = [each for each in kind().get_params(deep=False) if each != "training"]
        for name in options:
            if name not in known:
                raise OptionError(f"{kind.__name__} has no option {name!r}. {near(name, known)}")
        return kind(**options)


def train(
    *,
    task: Annotated[
        str,
        typer.Argument(metavar="TASK", help=f"One of {', '.join(TASKS)}.", show_default=False),
    ],
    file: RecordFile,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="Write the model there, as .recurra."),
    ],
    validation: Annotated[
        Path | None,
        typer.Option(
            "--validation",
            metavar="FILE",
            help="Records to stop by, instead of holding some of FILE back.",
            show_default=False,
        ),
    ] = None,
    columns: RecordColumns,
    learning: Learning,
    keeping: Keeping,
    quiet: Quiet = False,
) -> None:
    """Learn a task from FILE, and say how good the model is beside a simple one.

    The report goes to standard output, the model to --out.

    recurra train classify stays.csv --id stay --time hour --target died --out died.recurra

    recurra train tag words.csv --id sentence --text word --target tag --out tagger.recurra

    recurra train multitask stays.csv --id stay --target died --target days --out both.recurra

    recurra train language shakespeare.txt --out shakespeare.recurra --checkpoint kept

    recurra train transcribe calls.csv --files sound --target said --out calls.recurra
    """
    wanted = task_of(task)
    how = keeping.how()
    with notes_for(quiet):
        check_place(out, (".recurra",), (file, validation))
        given = read_records(file, columns, wanted, wanted=True, quiet=quiet)
        if given.aims and not quiet:
            note(described(given.aims))
        other = None
        if validation is not None:
            known = given.aims
            other = read_records(validation, columns, wanted, wanted=True, quiet=True, known=known)
        model = learning.make(class_of(wanted))
        if quiet:
            model.set_training(progress=False)
        if learning.steps is not None:
            model.set_training(steps=learning.steps)
        with keeping.told(quiet):
            _fit(model, given, other, how)
        model.save(out)
        typer.echo(str(model.report()))
        if not quiet:
            note(f"learned in {model.log_.seconds:.1f} s; see {out}.")


def _fit(model: Any, given: Given, other: Given | None, how: dict[str, Any]) -> None:
    """Learn, from groups and with records to stop by, where there are some."""
    if given.groups is not None:
        how["groups"] = given.groups
    if other is not None:
        how["validation"] = other.X if other.y is None else (other.X, other.y)
    model.fit(given.X, given.y, **how)


def _parted(text: str) -> tuple[str, Any]:
    """Read ``name=value``; a value is a number, true, false or none, else text."""
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise OptionError(f"--option {text!r}, but it is NAME=VALUE, such as num_layers=2.")
    words = {"true": True, "false": False, "none": None}
    if value.lower() in words:
        return name, words[value.lower()]
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
