"""What the pictures of an explanation share: the colours of scores, names, the look of axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import number
from recurra.auditing.pictures import Palette, plain
from recurra.errors import need
from recurra.explaining.words import said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from recurra.explaining.question import Read
    from recurra.types import Array, Floats

__all__ = [
    "DASHES",
    "FONT",
    "MARKS",
    "PALETTE",
    "PURPOSE",
    "STRONGEST",
    "WIDTH",
    "draw_values",
    "few",
    "greys",
    "name_steps",
    "over",
    "quiet",
    "shades",
    "short",
    "sides",
    "tell",
    "told_step",
    "visible",
]

PURPOSE = "Drawing an explanation"
WIDTH, FONT = 9.0, 9  # inches, points
PALETTE = Palette()
FOR, AGAINST = "#c4552d", "#0b6aa8"  # what raises the answer, and what lowers it
STRONGEST = 0.7  # opacity; letters on it can still be read
GAMMA = 0.8  # of strengths: small scores are still seen
MARKS = "␣↵→…"  # for signs that have no looks
DASHES = ("-", "--", ":")  # of lines of values
MOST_SIGNS, MOST_LABELS = 24, 8  # of a name, and of names below an axis


def greys(values: Array) -> Array:
    """Give a grey for each value: the loud is dark, though never as dark as letters.

    Parameters
    ----------
    values : ndarray
        How loud; of any shape.

    Returns
    -------
    ndarray, shape (..., 3)
        Red, green and blue, 0 to 1.
    """
    low, high = np.percentile(values, (5, 99))
    light = 1.0 - 0.5 * np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    return np.stack([light, light, light], -1)


def over(ground: Array, scores: Floats) -> Array:
    """Lay colours over a ground, the stronger the further a score is from 0.

    Parameters
    ----------
    ground : ndarray, shape (..., 3)
        The colours below.
    scores : ndarray, shape (...)
        A score for each.

    Returns
    -------
    ndarray, shape (..., 3)
        Red, green and blue, 0 to 1.
    """
    share = _strengths(scores)[..., None]
    return (1 - share) * ground + share * _hues(scores)


def shades(scores: Floats) -> Array:
    """Give a colour for each score, the stronger the further it is from 0.

    Parameters
    ----------
    scores : ndarray, shape (...)
        The scores.

    Returns
    -------
    ndarray, shape (..., 4)
        Red, green, blue and opacity, 0 to 1.

    Examples
    --------
    >>> shades(np.array([0.0, -2.0])).round(1).tolist()
    [[0.8, 0.3, 0.2, 0.0], [0.0, 0.4, 0.7, 0.7]]
    """
    strength = STRONGEST * _strengths(scores)
    return np.concatenate([_hues(scores), strength[..., None]], -1)


def _strengths(scores: Floats) -> Floats:
    largest = np.abs(scores).max(initial=0.0) or 1.0
    found: Floats = (np.abs(scores) / largest) ** GAMMA
    return found


def _hues(scores: Floats) -> Array:
    return np.array([_rgb(FOR), _rgb(AGAINST)])[(scores < 0).astype(int)]


def _rgb(colour: str) -> list[float]:
    return [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]


def sides(scores: Floats) -> list[str]:
    """Give a colour for the bar of each score, by its sign.

    Parameters
    ----------
    scores : ndarray, shape (scores,)
        The scores.

    Returns
    -------
    list of str
        As matplotlib takes them.
    """
    return [FOR if score >= 0 else AGAINST for score in scores]


def visible(token: str) -> str:
    """Write signs that have no looks as signs that have.

    Parameters
    ----------
    token : str
        A token of a text.

    Returns
    -------
    str
        With marks for blanks and ends of lines.

    Examples
    --------
    >>> visible("a b\\n"), visible("")
    ('a␣b↵', '␣')
    """
    return "".join({" ": "␣", "\n": "↵", "\t": "→"}.get(sign, sign) for sign in token) or "␣"


def short(text: str) -> str:
    """Write a name beside an axis.

    Parameters
    ----------
    text : str
        The name.

    Returns
    -------
    str
        24 signs of it at most.
    """
    return plain(text, MOST_SIGNS)


def quiet(axis: Axes) -> None:
    """Leave of an axis only what is written at it.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis.
    """
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_visible(False)
    axis.tick_params(colors=PALETTE.ink, labelsize=FONT, length=0)


def draw_values(axis: Axes, read: Read, channels: Sequence[int], begun: int = 0) -> None:
    """Draw the values of some channels as lines, told apart by their dashes.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        Into which.
    read : Read
        With values to show.
    channels : sequence of int
        Which of its channels, as many as there are `DASHES`.
    begun : int
        The first step that is drawn.
    """
    assert read.shown is not None
    for k, style in zip(channels, DASHES, strict=False):
        values = read.shown[begun:, k]
        dot = "." if np.isnan(values).any() else ""  # lonely values have no line
        axis.plot(np.arange(begun, len(read.shown)), values, style, marker=dot, markersize=4,
                  color=PALETTE.ink, linewidth=1.1, label=short(read.channels[k]))  # fmt: skip
    axis.set_ylabel("values", fontsize=FONT, color=PALETTE.ink)
    quiet(axis)
    if len(read.channels) > 1:
        axis.legend(fontsize=FONT - 1, frameon=False, loc="upper left", labelcolor=PALETTE.ink,
                    bbox_to_anchor=(1.0, 1.0))  # fmt: skip


def few(axis: Axes) -> None:
    """Write few numbers below a narrow axis.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis.
    """
    ticker: Any = need("matplotlib.ticker", extra="plot", purpose=PURPOSE)
    axis.xaxis.set_major_locator(ticker.MaxNLocator(2))
    axis.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: number(float(value))))


def name_steps(axis: Axes, read: Read, begun: int = 0) -> None:
    """Write what some of the steps are called below an axis.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis.
    read : Read
        With the names of its steps.
    begun : int
        The first step that is drawn.
    """
    total = len(read.steps) - begun
    every = max(-(-total // MOST_LABELS), 1)
    if every > 1 and total > 2 * MOST_LABELS:  # round places
        size = 10 ** int(np.log10(every))
        every = next(k * size for k in (1, 2, 5, 10) if k * size >= every)
    places = range(-(-begun // every) * every, len(read.steps), every)
    axis.set_xticks([*places], [short(said(read.steps[k])) for k in places])


def tell(axis: Axes, steps: int, rows: int, told: Callable[[int, int], str]) -> None:
    """Let an axis say what is under a pointer, in a window or on a page.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        Whose places are whole numbers: steps from left to right, rows from above.
    steps, rows : int
        How many there are; of what has no rows 1.
    told : callable
        Says what is at a step of a row.
    """

    def text(x: float, y: float) -> str:
        step, row = round(x), round(y) if rows > 1 else 0
        return told(step, row) if 0 <= step < steps and 0 <= row < rows else ""

    axis.format_coord = text  # type: ignore[method-assign]


def told_step(read: Read, step: int, score: float, channel: int | None = None) -> str:
    """Say the score of a step, and what was read there.

    Parameters
    ----------
    read : Read
        What was read.
    step : int
        Its place.
    score : float
        Its score.
    channel : int, optional
        Of which channel; without it the score is that of all.

    Returns
    -------
    str
        One line.
    """
    names, name = read.channels, read.steps[step]
    if channel is None and len(names) == 1:
        channel = 0
    parts = [said(name) if isinstance(name, str) else f"step {said(name)}"]
    if channel is not None and len(names) > 1:
        parts.insert(0, names[channel])
    parts.append(f"score {number(score)}")
    if channel is not None and read.shown is not None and read.shown.shape[1] == len(names):
        value = float(read.shown[step, channel])
        parts.append("no value" if np.isnan(value) else f"value {number(value)}")
    return ", ".join(parts)
