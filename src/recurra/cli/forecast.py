"""``recurra forecast``: learn from a file, and say what follows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.cli.messages import note, notes_for
from recurra.cli.options import Levels, Network, OneLayer, Out, Quiet, Source, Steps
from recurra.cli.reading import check_future_file, open_source
from recurra.cli.writing import check_picture, check_table, write_picture, write_table

if TYPE_CHECKING:
    import pandas as pd

    from recurra.cli.reading import Opened
    from recurra.estimators import Forecaster

__all__ = ["forecast"]


def forecast(
    *,
    source: Source,
    h: Steps,
    level: Levels = None,
    future_file: Annotated[
        Path | None,
        typer.Option(
            "--future-file",
            metavar="FILE",
            help="The coming values of the --future covariates: a row for every series and step.",
            rich_help_panel="Columns",
            show_default=False,
        ),
    ] = None,
    layer: OneLayer = "lstm",
    network: Network,
    out: Out = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="FILE", help="Draw them there, as .png or .svg.", show_default=False
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Forecast the next steps of every series in FILE.

    The forecasts go to standard output as CSV, or to --out.

    recurra forecast sales.csv --h 12 --level 80 95 --plot sales.png

    recurra forecast air.csv --h 24 --time-column month --target-column seats

    recurra forecast shops.csv --h 14 --future price --future-file prices.csv
    """
    with notes_for(quiet):
        check_table(out, source.file, future_file)
        check_picture(plot, source.file, future_file)
        check_future_file(source.columns, future_file)
        opened = open_source(source, quiet)
        model = network.forecaster(layer, source, opened.columns, quiet)
        table = _learn(model, opened, h, level, future_file)
        if plot is not None:
            _draw(opened, table, plot)
        write_table(opened.hand_back(table), out)
        if not quiet:
            written = "".join(f"; see {path}" for path in (out, plot) if path is not None)
            note(f"learned in {model.log_.seconds:.1f} s{written}.")


def _learn(
    model: Forecaster, opened: Opened, h: int, level: list[float] | None, future_file: Path | None
) -> Any:
    """Read everything, so that what is wrong is said at once; then fit and predict."""
    from recurra.data import from_frame, future_frame

    with opened.explained():
        dataset = from_frame(opened.frame, opened.columns, freq=model.freq)
    future = opened.read_future(future_file)
    future_frame(future, dataset, h)
    return model.fit(dataset).predict(h, level, future)


def _draw(opened: Opened, table: pd.DataFrame, plot: Path) -> None:
    from recurra.evaluation import plot_forecast

    write_picture(plot_forecast(opened.frame, table, columns=opened.columns), plot)
