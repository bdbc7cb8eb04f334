"""``recurra generate``: let a saved language model go on writing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recurra.cli.messages import notes_for
from recurra.errors import FileError

__all__ = ["generate"]

DRAWING = "How tokens are drawn"


def generate(
    *,
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="What LanguageModel.save wrote.", show_default=False),
    ],
    prompt: Annotated[
        str,
        typer.Option(
            "--prompt", metavar="TEXT", help="What stands before.", show_default="a new document"
        ),
    ] = "",
    n: Annotated[int, typer.Option("--n", min=1, help="The most tokens to write.")] = 200,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            help="Below 1 the likely becomes likelier; 0 takes the likeliest.",
            rich_help_panel=DRAWING,
        ),
    ] = 1.0,
    top_k: Annotated[
        int | None,
        typer.Option(
            "--top-k",
            help="Draw among so many likeliest tokens.",
            rich_help_panel=DRAWING,
            show_default="all",
        ),
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(
            "--top-p",
            help="Draw among the fewest tokens that have this probability together.",
            rich_help_panel=DRAWING,
            show_default="all",
        ),
    ] = None,
    repetition_penalty: Annotated[
        float,
        typer.Option(
            "--repetition-penalty",
            help="Above 1, tokens that were there before become less likely.",
            rich_help_panel=DRAWING,
        ),
    ] = 1.0,
    stop: Annotated[
        list[str] | None,
        typer.Option(
            "--stop", metavar="TEXT", help="End before this; repeatable.", show_default=False
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Same seed, same text.", rich_help_panel=DRAWING)
    ] = 0,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="No notes; errors are still said.")
    ] = False,
) -> None:
    """Write what may follow the prompt, as it comes.

    The prompt and what follows go to standard output.

    recurra generate shakespeare.recurra --prompt "ROMEO:" --n 400 --temperature 0.8

    recurra generate names.recurra --n 30 --top-k 5 --seed 7
    """
    from recurra.estimators import LanguageModel, load

    with notes_for(quiet):
        found = load(model)
        if not isinstance(found, LanguageModel):
            kind = type(found).__name__
            raise FileError(f"{model} holds a {kind}, but text is written by a LanguageModel.")
        pieces = found.generate_stream(
            prompt,
            n,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            repetition_penalty=repetition_penalty,
            stop=stop,
            seed=seed,
        )
        typer.echo(prompt, nl=False)
        for piece in pieces:
            typer.echo(piece, nl=False)
        typer.echo()
