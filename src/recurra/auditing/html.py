"""Pages that need nothing else: one look for all, from templates that share a base."""

from __future__ import annotations

import io
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from recurra.errors import FileError, need

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

    from recurra.auditing.tables import Table

__all__ = ["as_svg", "cells", "render", "write_page"]

HOME = "recurra.auditing"
VARIABLES = {
    "#33373d": "--ink",
    "#767c85": "--faint",
    "#e7e9ec": "--line",
    "#0b6aa8": "--bar",
    "#c4552d": "--accent",
}
"""The colours of the house's pictures, and what stands for them on a page, light and dark."""
SCALE = 1.375 / 16  # rem for a point: letters of 9 points are as large as those of a table
DIGITS = 2  # after the point of a place on a picture


def render(package: str, name: str, **parts: Any) -> str:
    """Fill in a template.

    Parameters
    ----------
    package : str
        The room whose templates go before those of `HOME`.
    name : str
        The template.
    **parts
        What it shows; text is escaped.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    MissingExtraError
        If jinja2 is not installed.
    """
    jinja2: Any = need("jinja2", extra="report", purpose="A page of HTML")

    def find(wanted: str) -> str | None:
        for room in (package, HOME):
            there = files(room).joinpath(wanted)
            if there.is_file():
                return there.read_text(encoding="utf-8")
        return None

    options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    loader = jinja2.FunctionLoader(find)
    room = jinja2.Environment(**options, loader=loader, undefined=jinja2.StrictUndefined)
    page: str = room.get_template(name).render(**parts)
    return page


def cells(table: Table, most: int) -> dict[str, Any]:
    """Prepare a table: which columns hold numbers, and how many rows are not shown.

    Parameters
    ----------
    table : Table
        The table.
    most : int
        Rows that are shown at most.

    Returns
    -------
    dict of str
        ``title``, ``columns``, ``numeric``, ``rows``, ``left_out``.
    """
    numeric = []
    for k in range(len(table.columns)):
        column = [row[k] for row in table.rows if row[k] is not None]
        numeric.append(bool(column) and all(isinstance(cell, int | float) for cell in column))
    return {
        "title": table.title,
        "columns": table.columns,
        "numeric": numeric,
        "rows": table.written()[:most],
        "left_out": max(len(table.rows) - most, 0),
    }


def as_svg(figure: Figure, name: str) -> str:
    """Write a figure as a part of a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        In the house's colours.
    name : str
        A name of its own on the page.

    Returns
    -------
    str
        An ``<svg>`` element whose colours are variables of the page's style.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    matplotlib: Any = need("matplotlib", extra="report", purpose="A page with pictures")
    out, plain = io.StringIO(), {"Date": None, "Creator": None}
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(out, format="svg", transparent=True, metadata=plain)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", lambda tag: _styled(tag[0], name), text)
    wide = f"{72 * figure.get_figwidth() * SCALE:.1f}rem"
    return re.sub(
        r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", rf'<svg \1 style="--wide: {wide}">', text
    )


def _styled(tag: str, name: str) -> str:
    """Give a tag of a picture the page's colours and letters, and names of its own."""
    for colour, variable in VARIABLES.items():
        tag = tag.replace(colour, f"var({variable})")
    tag = tag.replace("xlink:href", "href")
    tag = re.sub(r"(id=\"|url\(#|href=\"#)", rf"\1{name}-", tag)
    tag = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1; font-family: inherit", tag)
    return re.sub(rf"(\d\.\d{{{DIGITS}}})\d+", r"\1", tag)


def write_page(path: str | os.PathLike[str], page: str) -> None:
    """Write a page, or anything else that is text.

    Parameters
    ----------
    path : str or path-like
        Where it goes.
    page : str
        What is written.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(page)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.") from error
