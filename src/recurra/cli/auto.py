"""``recurra auto``: from a file to forecasts whose model was chosen within a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.cli.messages import note, notes_for
from recurra.cli.options import MODEL, Layers, Levels, Quiet, Source, Steps
from recurra.cli.reading import check_future_file, open_source
from recurra.cli.writing import check_picture, check_place, check_table, write_picture, write_table
from recurra.errors import OptionError

if TYPE_CHECKING:
    from recurra import AutoForecaster
    from recurra.cli.reading import Opened

__all__ = ["auto"]

RESULTS = "Results"


def _place(flag: str, help_text: str) -> Any:
    """Describe an option that takes the name of a file to be written."""
    return typer.Option(
        flag, metavar="FILE", help=help_text, rich_help_panel=RESULTS, show_default=False
    )


@dataclass(frozen=True)
class Results:
    """What is written, besides the leaderboard on standard output."""

    out: Annotated[Path | None, _place("--out", "Write the model there, as .recurra.")] = None
    forecasts: Annotated[
        Path | None, _place("--forecasts", "Write the next --h steps there, as .csv or .parquet.")
    ] = None
    table: Annotated[
        Path | None, _place("--table", "Write the leaderboard there, as .csv or .parquet.")
    ] = None
    plot: Annotated[
        Path | None, _place("--plot", "Draw the leaderboard there, as .png or .svg.")
    ] = None
    level: Levels = None
    future_file: Annotated[
        Path | None,
        _place("--future-file", "For --forecasts: the coming values of the --future covariates."),
    ] = None

    def check(self, source: Source) -> None:
        """Refuse, before anything is learned, what could not be written in the end."""
        read = (source.file, self.future_file)
        if self.out is not None:
            check_place(self.out, (".recurra",), read)
        check_table(self.forecasts, *read)
        check_table(self.table, *read)
        check_picture(self.plot, *read)
        if self.forecasts is not None:
            check_future_file(source.columns, self.future_file)
            return
        for name in ("level", "future_file"):
            if getattr(self, name):
                flag = name.replace("_", "-")
                raise OptionError(f"--{flag} is for --forecasts FILE. Pass that, or leave it out.")

    def write(self, model: AutoForecaster, opened: Opened, h: int) -> None:
        """Write what is wanted of a fitted model."""
        if self.out is not None:
            model.save(self.out)
        if self.forecasts is not None:
            found = model.predict(h, self.level, opened.read_future(self.future_file))
            write_table(opened.hand_back(found), self.forecasts)
        if self.table is not None:
            write_table(model.leaderboard_.table, self.table)
        if self.plot is not None:
            write_picture(model.leaderboard_.plot(), self.plot)


@dataclass(frozen=True)
class Choosing:
    """How long to choose, and from what."""

    minutes: Annotated[
        float,
        typer.Option("--minutes", metavar="N", help="How long it may take.", rich_help_panel=MODEL),
    ] = 10.0
    networks: Annotated[
        int,
        typer.Option(
            "--networks",
            min=1,
            metavar="N",
            help="Networks to try at most.",
            rich_help_panel=MODEL,
        ),
    ] = 40
    metric: Annotated[
        str,
        typer.Option(
            "--metric",
            metavar="NAME",
            help="OWA, MASE, sMAPE or RMSE: what is made small.",
            rich_help_panel=MODEL,
        ),
    ] = "OWA"
    season_length: Annotated[
        list[int] | None,
        typer.Option(
            "--season-length",
            min=1,
            metavar="N...",
            help="Seasons in steps, such as 24 168.",
            rich_help_panel=MODEL,
            show_default="as found",
        ),
    ] = None
    layer: Layers = None
    steps: Annotated[
        int,
        typer.Option(
            "--steps",
            min=1,
            metavar="N",
            help="Optimizer steps of a network at most.",
            rich_help_panel=MODEL,
        ),
    ] = 1000
    seed: Annotated[
        int,
        typer.Option(
            "--seed", min=0, metavar="N", help="Source of all chance.", rich_help_panel=MODEL
        ),
    ] = 0

    def forecaster(self, source: Source, opened: Opened, h: int, quiet: bool) -> AutoForecaster:
        """Build the forecaster; torch is imported here."""
        from recurra import AutoForecaster, Training

        return AutoForecaster(
            60 * self.minutes,
            horizon=h,
            metric=self.metric,  # type: ignore[arg-type]
            networks=self.networks,
            layers=tuple(dict.fromkeys(self.layer or ("lstm", "gru"))),
            season_length=self.season_length or "auto",
            freq=source.step,
            columns=opened.columns,
            training=Training(steps=self.steps),
            seed=self.seed,
            progress=False if quiet else None,
        )


def auto(
    *,
    source: Source,
    h: Steps,
    choosing: Choosing,
    results: Results,
    quiet: Quiet = False,
) -> None:
    """Compare networks and baselines on the past of FILE, and average the best.

    The leaderboard goes to standard output.

    recurra auto sales.csv --h 12 --minutes 10 --out sales.recurra

    recurra auto sales.csv --h 12 --forecasts next.csv --level 80 95 --table leaderboard.csv
    """
    with notes_for(quiet):
        results.check(source)
        opened = open_source(source, quiet)
        model = choosing.forecaster(source, opened, h, quiet)
        with opened.explained():
            model.fit(opened.frame)
        results.write(model, opened, h)
        typer.echo(str(model.leaderboard_))
        if not quiet:
            paths = (results.out, results.forecasts, results.table, results.plot)
            written = [str(path) for path in paths if path is not None]
            if written:
                note(f"see {', '.join(written)}.")
