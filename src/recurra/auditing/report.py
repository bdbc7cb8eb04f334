"""What an audit hands back: findings, tables, a preprocessor; as text, JSON, pictures, a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from recurra.auditing.drawings import Drawing
from recurra.auditing.finding import Finding, Found, read_treatment, written_treatment
from recurra.auditing.html import write_page
from recurra.auditing.recommend import Step
from recurra.auditing.tables import Table
from recurra.auditing.text import as_text
from recurra.data.treatments import Preprocessor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Audit"]


@dataclass(frozen=True)
class Audit(Found[Finding]):
    """What was found in data.

    Parameters
    ----------
    findings : tuple of Finding
        The worst first.
    steps : tuple of Step
        The treatments that are recommended, in order, each with its reason.
    tables : tuple of Table
        Streams, channels and targets.
    drawings : tuple of dict
        What the pictures show.
    notes : tuple of str
        What was done to the data as they were read.

    Examples
    --------
    >>> from recurra.auditing import audit
    >>> report = audit([[1.0, 2.0, float("nan"), 3.0], [2.0, 1.0, 2.0, 4.0]])
    >>> [each.sentence for each in report.findings]
    ["'x0' lacks 1 of 8 values."]
    >>> report == Audit.from_json(report.to_json())
    True
    """

    findings: tuple[Finding, ...]
    steps: tuple[Step, ...]
    tables: tuple[Table, ...]
    drawings: tuple[Drawing, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def recommended(self) -> Preprocessor:
        """The treatments that are recommended, as a preprocessor that is not fitted yet."""
        return Preprocessor([step.treatment for step in self.steps])

    def __str__(self) -> str:
        """Write the findings, tables and steps for a terminal."""
        return as_text(self.findings, self.steps, self.tables, self.notes)

    def __repr__(self) -> str:
        levels = [each.level for each in self.findings]
        counts = f"{levels.count('warning')} warnings, {levels.count('advice')} pieces of advice"
        return f"Audit({counts}, {levels.count('note')} notes)"

    def plot(self) -> Figure:
        """Draw all pictures on one figure.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("audit.png")``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        from recurra.auditing.pictures import plot_all

        return plot_all(self.drawings)

    def to_html(self, path: str | Path | None = None, *, title: str = "Data audit") -> str:
        """Write one page that needs nothing else.

        Parameters
        ----------
        path : str or Path, optional
            Where it is written; None for nowhere.
        title : str
            Its heading.

        Returns
        -------
        str
            The page.

        Raises
        ------
        MissingExtraError
            If jinja2 or matplotlib is not installed.
        FileError
            If the file cannot be written.
        """
        from recurra.auditing.page import as_page

        parts = (self.findings, self.steps, self.tables, self.drawings, self.notes)
        page = as_page(title, *parts)
        if path is not None:
            write_page(path, page)
        return page

    def to_json(self, path: str | Path | None = None) -> str:
        """Write all of it as JSON.

        Parameters
        ----------
        path : str or Path, optional
            Where it is written; None for nowhere.

        Returns
        -------
        str
            What `from_json` reads.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        written = {
            "findings": [each.to_dict() for each in self.findings],
            "recommended": [_written_step(each) for each in self.steps],
            "tables": [
                {"title": t.title, "columns": t.columns, "rows": t.rows} for t in self.tables
            ],
            "drawings": self.drawings,
            "notes": self.notes,
        }
        text = json.dumps(_finite(written), ensure_ascii=False, indent=1, allow_nan=False)
        if path is not None:
            write_page(path, text)
        return text

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an audit again.

        Parameters
        ----------
        text : str
            What `to_json` returned.

        Returns
        -------
        Audit
            The same.
        """
        written = json.loads(text)
        return cls(
            tuple(Finding.from_dict(each) for each in written["findings"]),
            tuple(_read_step(each) for each in written["recommended"]),
            tuple(
                Table(t["title"], tuple(t["columns"]), tuple(tuple(row) for row in t["rows"]))
                for t in written["tables"]
            ),
            tuple(written["drawings"]),
            tuple(written["notes"]),
        )


def _written_step(step: Step) -> dict[str, Any]:
    return {
        **written_treatment(step.treatment),
        "reason": step.reason,
        "codes": list(step.codes),
        "channels": [list(each) for each in step.channels],
    }


def _read_step(written: Mapping[str, Any]) -> Step:
    channels = tuple((stream, channel) for stream, channel in written["channels"])
    return Step(read_treatment(written), written["reason"], tuple(written["codes"]), channels)


def _finite(value: Any) -> Any:
    """Write None for what is no finite number, and Python's numbers for NumPy's."""
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return value
