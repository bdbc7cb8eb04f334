"""What a page is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from recurra.auditing.tables import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Code", "Findings", "Folded", "Gallery", "Listed", "Part", "Picture", "Section"]


@dataclass(frozen=True)
class Findings:
    """What was found, the worst first.

    Parameters
    ----------
    found : sequence of Finding
        Of an audit or of a diagnosis; if there are none, that is said.
    """

    found: Sequence[Any]


@dataclass(frozen=True)
class Listed:
    """Sentences below each other.

    Parameters
    ----------
    title : str
        Above them.
    sentences : sequence of str
        One or more.
    """

    title: str
    sentences: Sequence[str]


@dataclass(frozen=True)
class Code:
    """Text whose columns stand below each other.

    Parameters
    ----------
    title : str
        What it is.
    text : str
        The text.
    """

    title: str
    text: str


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, and what it shows.

    Parameters
    ----------
    title : str
        Above it.
    figure : matplotlib.figure.Figure
        In the house's colours; a title of its own is left away.
    caption : str
        One or two sentences, for those who cannot see it too.
    """

    title: str
    figure: Figure
    caption: str


@dataclass(frozen=True)
class Gallery:
    """Small pictures beside each other.

    Parameters
    ----------
    pictures : sequence of Picture
        One or more.
    """

    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Folded:
    """Parts that are shown when they are asked for, and in print.

    Parameters
    ----------
    title : str
        What is asked for.
    parts : sequence
        What is shown then.
    """

    title: str
    parts: Sequence[Part]


Part: TypeAlias = "str | Table | Findings | Listed | Code | Picture | Gallery | Folded"
"""A paragraph, a table, or one of the above."""


@dataclass(frozen=True)
class Section:
    """A chapter of a page.

    Parameters
    ----------
    title : str
        Its heading.
    parts : sequence
        Paragraphs, tables, pictures and so on, in order.
    """

    title: str
    parts: Sequence[Part]
