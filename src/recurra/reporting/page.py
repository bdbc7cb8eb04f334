"""The page: one file that needs nothing else, in light, dark and print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recurra.auditing.html import as_svg, cells, render
from recurra.auditing.tables import Table
from recurra.errors import FileError, OptionError, need
from recurra.reporting.parts import (
    Code,
    Findings,
    Folded,
    Gallery,
    Listed,
    Part,
    Picture,
    Section,
)
from recurra.reporting.pointing import points_of

if TYPE_CHECKING:
    import os

__all__ = ["as_page", "check_page"]

ENDINGS = (".html", ".htm")
MOST_ROWS = 200


def check_page(path: str | os.PathLike[str]) -> Path:
    """Refuse, before anything is computed, a page that could not be written in the end.

    Parameters
    ----------
    path : str or path-like
        Where it shall go.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    FileError
        If its name has another ending, or it has no place.
    MissingExtraError
        If jinja2 or matplotlib is not installed.
    OptionError
        If it is no path.
    """
    try:
        place = Path(path)
    except TypeError:
        said = f"path={type(path).__name__}(…), but it is where the page goes"
        raise OptionError(f'{said}: report("out.html", X, y).') from None
    if place.is_dir():
        raise FileError(f"{place} is a directory. Give a file in it: {place / 'report.html'}.")
    if place.suffix.lower() not in ENDINGS:
        raise FileError(f"{place} has an ending that is not written. Call it {place.stem}.html.")
    if not place.parent.is_dir():
        raise FileError(f"{place} cannot be written: there is no directory {place.parent}.")
    for module in ("jinja2", "matplotlib"):
        need(module, extra="report", purpose="A page of HTML")
    return place


def as_page(title: str, lead: Sequence[tuple[str, str]], sections: Sequence[Section]) -> str:
    """Write a page.

    Parameters
    ----------
    title : str
        Its heading.
    lead : sequence of (str, str)
        What matters most: what it is, and what it comes to.
    sections : sequence of Section
        The chapters.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    MissingExtraError
        If jinja2 or matplotlib is not installed.

    Examples
    --------
    >>> page = as_page("A & B", [("accuracy", "0.9")], [Section("Scores", ["All went well."])])
    >>> "<h1>A &amp; B</h1>" in page, "http" in page
    (True, False)
    """
    numbers = count(1)
    return render(
        "recurra.reporting",
        "report.html.jinja",
        title=title,
        lead=lead,
        sections=[
            {
                "name": f"section{place}",
                "title": each.title,
                "parts": [*_prepared(each.parts, numbers)],
            }
            for place, each in enumerate(sections, 1)
        ],
    )


def _prepared(parts: Sequence[Part], numbers: Iterator[int]) -> Iterator[dict[str, Any]]:
    """Give each part its kind, a name of its own, and what its template shows."""
    for part in parts:
        name = f"part{next(numbers)}"
        match part:
            case str():
                yield {"kind": "text", "text": part}
            case Table():
                yield {"kind": "table", "name": name, "table": cells(part, MOST_ROWS)}
            case Findings():
                yield {"kind": "findings", "found": part.found}
            case Listed():
                yield {"kind": "list", "title": part.title, "sentences": part.sentences}
            case Code():
                yield {"kind": "code", "title": part.title, "text": part.text}
            case Picture():
                yield {"kind": "picture", "name": name, "picture": _drawn(part, name)}
            case Gallery():
                pictures = [*_prepared(part.pictures, numbers)]
                yield {"kind": "pictures", "pictures": pictures}
            case Folded():
                inside = [*_prepared(part.parts, numbers)]
                yield {"kind": "folded", "title": part.title, "parts": inside}


def _drawn(picture: Picture, name: str) -> dict[str, Any]:
    """Draw a picture, whose title stands on the page."""
    if picture.figure.get_suptitle():
        picture.figure.suptitle("")
    svg = as_svg(picture.figure, name)
    points = points_of(picture.figure)
    return {"title": picture.title, "caption": picture.caption, "svg": svg, "points": points}
