"""An audit for the terminal: the worst first, no line longer than a hundred signs."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from recurra.auditing.phrases import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from recurra.auditing.finding import Finding
    from recurra.auditing.recommend import Step
    from recurra.auditing.tables import Table

__all__ = ["as_text", "short"]

WIDTH, MOST_SIGNS = 98, 40
MOST_ROWS, MOST_MORE = 40, 5
MOST_NAMED = 6
HEADS = {"warning": "Warnings", "advice": "Advice", "note": "Notes"}
MARKS = {"warning": "!", "advice": "→", "note": "·"}


def as_text(
    findings: Sequence[Finding],
    steps: Sequence[Step],
    tables: Sequence[Table],
    notes: Sequence[str],
) -> str:
    """Write an audit.

    Parameters
    ----------
    findings, steps, tables, notes : sequence of Finding, Step, Table, str
        Its parts.

    Returns
    -------
    str
        Lines of at most 100 signs.
    """
    return "\n".join(_lines(findings, steps, tables, notes)).rstrip()


def _lines(
    findings: Sequence[Finding],
    steps: Sequence[Step],
    every: Sequence[Table],
    notes: Sequence[str],
) -> Iterator[str]:
    tables = {table.title: table for table in every}
    for title in ("Streams", "Targets"):
        if title in tables:
            yield from (*_table(tables[title]), "")
    if notes:
        yield "As they were read"
        for note in notes:
            yield from _hung(note, "  · ")
        yield ""
    for level, head in HEADS.items():
        mine = [each for each in findings if each.level == level]
        if not mine:
            continue
        yield f"{head} ({len(mine)})"
        several = len(tables["Streams"].rows) > 1 if "Streams" in tables else False
        for each in mine:
            where = f"[{each.stream}] " if several and each.stream else ""
            yield from _hung(f"{where}{each.sentence}", f"  {MARKS[level]} ")
        yield ""
    if not findings:
        yield from ("Nothing was found that needs care.", "")
    if "Channels" in tables:
        yield from (*_table(tables["Channels"]), "")
    if steps:
        yield "Recommended: report.recommended, a Preprocessor to fit on the training part"
        for step in steps:
            yield from _step(step)


def _hung(text: str, mark: str) -> list[str]:
    """Wrap a sentence behind its mark."""
    return wrap(text, WIDTH, initial_indent=mark, subsequent_indent=" " * len(mark))


def _step(step: Step) -> list[str]:
    """Write a treatment, wrapped, and below it why."""
    return [*_hung(short(step), "  "), *_hung(f"# {step.reason}", "      ")]


def short(step: Step) -> str:
    """Write a treatment with some of its channels.

    Parameters
    ----------
    step : Step
        One that is recommended.

    Returns
    -------
    str
        Python, where there are few channels.
    """
    said = repr(step.treatment)
    channels = getattr(step.treatment, "channels", None) or ()
    if len(channels) <= MOST_NAMED + 1:
        return said
    few = ", ".join(map(repr, channels[:MOST_NAMED]))
    return said.replace(repr(channels), f"({few}, and {len(channels) - MOST_NAMED} more)")


def _table(table: Table) -> list[str]:
    """Write a table as columns; the last ones are left out where it is too wide."""
    rows = table.written()
    more = len(rows) - MOST_ROWS
    more = more if more > MOST_MORE else 0
    rows = rows[:MOST_ROWS] if more else rows
    cells = [list(table.columns), *[[_short(cell) for cell in row] for row in rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(table.columns))]
    keep = [k for k in range(len(widths)) if any(row[k] for row in cells[1:])]
    while sum(widths[k] + 2 for k in keep) > WIDTH and len(keep) > 2:
        keep.pop()
    right = {k for k in keep if _numeric(table, k)}
    lines = []
    for row in cells:
        parts = [row[k].rjust(widths[k]) if k in right else row[k].ljust(widths[k]) for k in keep]
        lines.append("  " + "  ".join(parts).rstrip())
    rule = "  " + "  ".join("─" * widths[k] for k in keep)
    tail = [f"  … and {plural(more, 'row')} more: see the page, or to_json()"] if more else []
    return [table.title, lines[0], rule, *lines[1:], *tail]


def _short(cell: str) -> str:
    return cell if len(cell) <= MOST_SIGNS else f"{cell[: MOST_SIGNS - 1]}…"


def _numeric(table: Table, k: int) -> bool:
    """Whether a column holds numbers."""
    cells = [row[k] for row in table.rows if row[k] is not None]
    return bool(cells) and all(isinstance(cell, int | float) for cell in cells)
