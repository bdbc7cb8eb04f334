"""A small tree as a picture: questions in boxes, the answers at the foot."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

from recurra.auditing.phrases import number, percent
from recurra.auditing.pictures import Palette, plain
from recurra.explaining.bars import FONT, blank
from recurra.explaining.trees import question

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from recurra.explaining.trees import Tree

__all__ = ["draw_tree"]

WRAP = 20  # signs of a line in a box


def draw_tree(tree: Tree, names: Sequence[str], labels: Sequence[object], title: str) -> Figure:
    """Draw a tree.

    Parameters
    ----------
    tree : Tree
        Its first question.
    names : sequence of str
        What features are called.
    labels : sequence
        The labels; empty where numbers are imitated.
    title : str
        Over the picture.

    Returns
    -------
    matplotlib.figure.Figure
        The picture.
    """
    figure, axes = blank(0.9 + 1.15 * (_depth(tree) + 1), "Drawing a surrogate")
    axes.set_axis_off()
    ends = _count(tree)
    _draw(axes, tree, names, labels, 0.0, float(ends), 0)
    axes.set_xlim(0, ends)
    axes.set_ylim(-_depth(tree) - 0.5, 0.5)
    figure.suptitle(plain(title), x=0.015, ha="left", fontsize=FONT + 2, color=Palette().ink)
    return figure


def _depth(tree: Tree) -> int:
    parts = [each for each in (tree.yes, tree.no) if each is not None]
    return 1 + max(map(_depth, parts)) if parts else 0


def _count(tree: Tree) -> int:
    parts = [each for each in (tree.yes, tree.no) if each is not None]
    return sum(map(_count, parts)) if parts else 1


def _draw(
    axes: Axes,
    tree: Tree,
    names: Sequence[str],
    labels: Sequence[object],
    left: float,
    right: float,
    deep: int,
) -> float:
    """Draw one box and all below it; return where it stands."""
    palette = Palette()
    if tree.feature is None or tree.yes is None or tree.no is None:
        middle = (left + right) / 2
        value = str(labels[int(tree.value)]) if labels else number(tree.value)
        sure = f"{percent(tree.share)} of " if labels else ""
        said = f"{fill(value, WRAP)}\n{sure}{tree.count:,}"
        _box(axes, middle, -deep, said, palette.bar, "white", palette.bar)
        return middle
    split = left + _count(tree.yes)
    parts = (
        (_draw(axes, tree.yes, names, labels, left, split, deep + 1), "yes"),
        (_draw(axes, tree.no, names, labels, split, right, deep + 1), "no"),
    )
    middle = (parts[0][0] + parts[1][0]) / 2
    for place, said in parts:
        axes.plot([middle, place], [-deep, -deep - 1], color=palette.faint, linewidth=1, zorder=1)
        x, y = middle + 0.5 * (place - middle), -deep - 0.5
        over = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        middle_of: dict[str, Any] = {"ha": "center", "va": "center"}
        axes.text(x, y, said, fontsize=FONT, color=palette.faint, bbox=over, zorder=2, **middle_of)
    name = question(names[tree.feature], tree.threshold)[0]
    _box(axes, middle, -deep, fill(name, WRAP), "white", palette.ink, palette.faint)
    return middle


def _box(axes: Axes, x: float, y: float, text: str, face: str, ink: str, edge: str) -> None:
    box = {"boxstyle": "round,pad=0.45", "facecolor": face, "edgecolor": edge, "linewidth": 1}
    axes.text(x, y, plain(text), fontsize=FONT, color=ink, ha="center", va="center",
              bbox=box, zorder=3)  # fmt: skip
