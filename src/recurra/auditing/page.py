"""An audit as one page of HTML that needs nothing else: no network, no scripts, light and dark."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from recurra.auditing.pictures import TITLES, as_svg, caption
from recurra.errors import need

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recurra.auditing.drawings import Drawing
    from recurra.auditing.finding import Finding
    from recurra.auditing.recommend import Step
    from recurra.auditing.tables import Table

__all__ = ["as_page"]

HEADS = {"warning": "Warnings", "advice": "Advice", "note": "Notes"}
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
    jinja2: Any = need("jinja2", extra="report", purpose="A page of HTML")
    source = files("recurra.auditing").joinpath("page.html.jinja").read_text(encoding="utf-8")
    options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    template = jinja2.Environment(**options, undefined=jinja2.StrictUndefined).from_string(source)
    several = len({each["stream"] for each in drawings}) > 1
    counts = {level: sum(f.level == level for f in findings) for level in HEADS}
    page: str = template.render(
        title=title,
        heads=HEADS,
        counts=counts,
        findings=findings,
        several=several,
        tables=[_table(each) for each in tables],
        pictures=[
            {
                "title": TITLES[each["kind"]] + (f": {each['stream']}" if several else ""),
                "svg": as_svg(each, f"picture{place}"),
                "caption": caption(each),
            }
            for place, each in enumerate(drawings)
        ],
        steps=steps,
        code=_code(steps),
        notes=notes,
    )
    return page


def _table(table: Table) -> dict[str, Any]:
    """Prepare a table: which columns hold numbers, and how many rows are not shown."""
    numeric = []
    for k in range(len(table.columns)):
        cells = [row[k] for row in table.rows if row[k] is not None]
        numeric.append(bool(cells) and all(isinstance(cell, int | float) for cell in cells))
    return {
        "title": table.title,
        "columns": table.columns,
        "numeric": numeric,
        "rows": table.written()[:MOST_ROWS],
        "left_out": max(len(table.rows) - MOST_ROWS, 0),
    }


def _code(steps: Sequence[Step]) -> str:
    """Write the preprocessor as Python that can be copied."""
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
