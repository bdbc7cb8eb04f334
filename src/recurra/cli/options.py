"""The options that verbs share: where the data are, and which network to learn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from recurra.errors import near

if TYPE_CHECKING:
    from recurra.data import Columns
    from recurra.estimators import Forecaster

__all__ = [
    "LAYERS",
    "Layers",
    "Levels",
    "Network",
    "OneLayer",
    "Out",
    "Plot",
    "Quiet",
    "Source",
    "StepSize",
    "Steps",
    "Windows",
]

Layer = Literal["lstm", "gru", "rnn", "jordan"]
LAYERS: tuple[str, ...] = get_args(Layer)
Distribution = Literal["student_t", "gaussian", "negative_binomial"]

COLUMNS, MODEL = "Columns", "Model"


def _level(text: str) -> float:
    """Read a percentage."""
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0 < level < 100:
        raise typer.BadParameter(
            f"{text!r} is no percentage between 0 and 100, both left out; write --level 80 95"
        )
    return level


def _whole(given: str | int, least: int) -> int:
    """Read a whole number; typer reads defaults too."""
    text = str(given)
    if not text.isdecimal() or int(text) < least:
        raise typer.BadParameter(f"{text!r} is no whole number of at least {least}")
    return int(text)


def _count(given: str | int) -> int:
    return _whole(given, least=1)


def _seed(given: str | int) -> int:
    return _whole(given, least=0)


def _layer(text: str) -> str:
    """Read the name of a layer."""
    if text not in LAYERS:
        raise typer.BadParameter(f"{text!r} is no layer. {near(text, LAYERS)}")
    return text


def named(flag: str, help_text: str, usual: str | bool = False) -> typer.models.OptionInfo:
    """Describe an option that takes the name of a column."""
    option: typer.models.OptionInfo = typer.Option(
        flag, metavar="NAME", help=help_text, rich_help_panel=COLUMNS, show_default=usual
    )
    return option


Steps = Annotated[
    int,
    typer.Option("--h", parser=_count, metavar="N", help="How many steps to forecast."),
]
Windows = Annotated[
    int, typer.Option("--windows", parser=_count, metavar="N", help="From how many origins.")
]
StepSize = Annotated[
    int | None,
    typer.Option(
        "--step-size",
        parser=_count,
        metavar="N",
        help="Steps from one origin to the next.",
        show_default="--h",
    ),
]
Levels = Annotated[
    list[float] | None,
    typer.Option(
        "--level",
        parser=_level,
        metavar="PERCENT...",
        help="Coverage of the intervals, such as 80 95.",
    ),
]
OneLayer = Annotated[
    Layer, typer.Option("--layer", help="The recurrent layer.", rich_help_panel=MODEL)
]
Layers = Annotated[
    list[str] | None,
    typer.Option(
        "--layer",
        parser=_layer,
        metavar=f"<{'|'.join(LAYERS)}>...",
        help="Recurrent layers to compare, such as lstm gru.",
        rich_help_panel=MODEL,
        show_default="lstm",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write the forecasts there, as .csv or .parquet.",
        show_default=False,
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help="Draw it there, as .png or .svg.", show_default=False
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="No notes and no progress bar; errors are still said.")
]


@dataclass(frozen=True)
class Source:
    """Where the data are, and what their columns mean."""

    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A long table: .csv, .tsv (either also .gz) or .parquet.",
            show_default=False,
        ),
    ]
    id_column: Annotated[
        str | None,
        named("--id-column", "Whose the row is.", "unique_id, or one series"),
    ] = None
    time_column: Annotated[str | None, named("--time-column", "The time stamps.", "ds")] = None
    target_column: Annotated[
        str | None, named("--target-column", "The values to be forecast.", "y")
    ] = None
    past: Annotated[
        list[str] | None, named("--past", "A covariate known up to now; repeatable.")
    ] = None
    future: Annotated[
        list[str] | None, named("--future", "A covariate known in advance; repeatable.")
    ] = None
    static: Annotated[
        list[str] | None, named("--static", "A covariate of a whole series; repeatable.")
    ] = None
    freq: Annotated[
        str | None,
        typer.Option(
            "--freq",
            metavar="STEP",
            help="Step between time stamps: h, D, MS … or a whole number.",
            rich_help_panel=COLUMNS,
            show_default="as found",
        ),
    ] = None

    @property
    def columns(self) -> Columns:
        """The roles of the columns, with the usual names where none was given."""
        from recurra.data import Columns

        given = {"id": self.id_column, "time": self.time_column, "target": self.target_column}
        return Columns(
            **{role: name for role, name in given.items() if name is not None},
            past=tuple(self.past or ()),
            future=tuple(self.future or ()),
            static=tuple(self.static or ()),
        )

    @property
    def step(self) -> str | int | None:
        """The step between time stamps: a whole number for stamps that are whole numbers."""
        return int(self.freq) if self.freq and self.freq.isdecimal() else self.freq


@dataclass(frozen=True)
class Network:
    """What to learn, and how long."""

    season_length: Annotated[
        list[int] | None,
        typer.Option(
            "--season-length",
            parser=_count,
            metavar="N...",
            help="Seasons in steps, such as 24 168.",
            rich_help_panel=MODEL,
            show_default="as found",
        ),
    ] = None
    hidden_size: Annotated[
        int,
        typer.Option(
            "--hidden-size",
            parser=_count,
            metavar="N",
            help="Units in the layer.",
            rich_help_panel=MODEL,
        ),
    ] = 64
    distribution: Annotated[
        Distribution,
        typer.Option(
            "--distribution",
            help="Of the next value; negative_binomial is for counts.",
            rich_help_panel=MODEL,
        ),
    ] = "student_t"
    steps: Annotated[
        int,
        typer.Option(
            "--steps",
            parser=_count,
            metavar="N",
            help="Optimizer steps at most.",
            rich_help_panel=MODEL,
        ),
    ] = 1000
    seed: Annotated[
        int,
        typer.Option(
            "--seed",
            parser=_seed,
            metavar="N",
            help="Same seed, same forecast.",
            rich_help_panel=MODEL,
        ),
    ] = 0

    def forecaster(self, layer: str, source: Source, columns: Columns, quiet: bool) -> Forecaster:
        """Build the forecaster; torch is imported here."""
        from recurra import Forecaster, Training

        return Forecaster(
            layer,  # type: ignore[arg-type]
            hidden_size=self.hidden_size,
            distribution=self.distribution,
            season_length=self.season_length or "auto",
            freq=source.step,
            columns=columns,
            training=Training(steps=self.steps, progress=False if quiet else None),
            seed=self.seed,
        )
