"""``recurra backtest``: forecast from the past, where the truth is known, beside the baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from recurra.cli.messages import notes_for
from recurra.cli.options import (
    Layers,
    Levels,
    Network,
    Out,
    Quiet,
    Source,
    Steps,
    StepSize,
    Windows,
)
from recurra.cli.reading import open_source
from recurra.cli.writing import check_table, write_table

if TYPE_CHECKING:
    from recurra.evaluation import Comparison

__all__ = ["backtest"]


def backtest(
    *,
    source: Source,
    h: Steps,
    windows: Windows = 3,
    step_size: StepSize = None,
    level: Levels = None,
    layer: Layers = None,
    network: Network,
    csv: Annotated[bool, typer.Option("--csv", help="Print the scores as CSV.")] = False,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Score forecasts of the known past of FILE, beside the trivial ones.

    The scores go to standard output.

    recurra backtest sales.csv --h 12 --windows 3 --level 80 95

    recurra backtest sales.csv --h 12 --layer lstm gru --csv
    """
    with notes_for(quiet):
        check_table(out, source.file)
        opened = open_source(source, quiet)
        models = [
            network.forecaster(each, source, opened.columns, quiet)
            for each in dict.fromkeys(layer or ["lstm"])
        ]
        from recurra import evaluation

        with opened.explained():
            comparison = evaluation.backtest(
                models,
                opened.frame,
                h=h,
                n_windows=windows,
                step_size=step_size,
                level=level,
                season_length=min(network.season_length) if network.season_length else None,
                columns=opened.columns,
                freq=source.step,
            )
        if out is not None:
            write_table(opened.hand_back(comparison.frame), out)
        _show(comparison, csv)


def _show(comparison: Comparison, csv: bool) -> None:
    """Print the scores for the eye, or for a program."""
    if csv:
        write_table(comparison.table.rename_axis("model").reset_index(), None)
    else:
        typer.echo(str(comparison))
