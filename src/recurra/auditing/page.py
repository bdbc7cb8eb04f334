"""An audit as one page of HTML that needs nothing else: no network, no scripts, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recurra.auditing.finding import LEVELS
from recurra.auditing.html import as_svg, cells, render
from recurra.auditing.pictures import caption, draw_one, title_of
from recurra.errors import need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recurra.auditing.drawings import Drawing
    from recurra.auditing.finding import Finding
    from recurra.auditing.recommend import Step
    from recurra.auditing.tables import Table

__all__ = ["as_page", "python_of"]

MOST_ROWS = 1000


def as_page(
    title: str,
    findings: Sequence[Finding],
    steps: Sequence[Step],
    tables: Sequence[Table],
    drawings: Sequence[Drawing],
    notes: Sequence[str],
) -> str:
    """Write an audit as a page.

    Parameters
    ----------
    title : str
        Its heading.
    findings, steps, tables, drawings, notes : sequence of Finding, Step, Table, dict, str
        The parts of an audit.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    MissingExtraError
        If jinja2 or matplotlib is not installed.
    """
    need("jinja2", extra="report", purpose="A page of HTML")
    several = len({each["stream"] for each in drawings}) > 1
    return render(
        "recurra.auditing",
        "page.html.jinja",
        title=title,
        counts={level: sum(each.level == level for each in findings) for level in LEVELS},
        findings=findings,
        several=several,
        tables=[cells(each, MOST_ROWS) for each in tables],
        pictures=[
            {
                "title": title_of(each, several),
                "svg": as_svg(draw_one(each), f"picture{place}"),
                "caption": caption(each),
            }
            for place, each in enumerate(drawings)
        ],
        steps=steps,
        code=python_of(steps),
        notes=notes,
    )


def python_of(steps: Sequence[Step]) -> str:
    """Write the preprocessor as Python that can be copied.

    Parameters
    ----------
    steps : sequence of Step
        The treatments, in order.

    Returns
    -------
    str
        Nothing where there are none.
    """
    if not steps:
        return ""
    kinds = ", ".join(sorted({type(step.treatment).__name__ for step in steps}))
    lines = "".join(f"    # {step.reason}\n    {step.treatment!r},\n" for step in steps)
    return (
        f"from recurra.data.treatments import Preprocessor, {kinds}\n\n"
        f"preprocessor = Preprocessor([\n{lines}])\n"
        "train = preprocessor.fit_transform(train)\n"
        "test = preprocessor.transform(test)"
    )
