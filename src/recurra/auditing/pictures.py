"""Pictures of data: what is missing where, how long records are, gaps in time, ranges of channels.

Drawn with matplotlib's figures alone: no window, no global state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.drawings import Drawing
from recurra.auditing.phrases import ago, number, plural
from recurra.errors import OptionError, need

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Palette", "caption", "draw_one", "plain", "plot_all", "title_of"]

WIDTH, FONT = 7.6, 9
TITLES = {
    "holes": "What is missing",
    "lengths": "How long records are",
    "gaps": "Time from step to step",
    "ranges": "Ranges of the channels",
}
ACCENT = "#c4552d"
MOST_SIGNS = 24


@dataclass(frozen=True)
class Palette:
    """The colours of a picture.

    Parameters
    ----------
    ink, faint, grid, bar : str
        Of letters, of what matters less, of lines, and of what is shown.
    """

    ink: str = "#33373d"
    faint: str = "#767c85"
    grid: str = "#e7e9ec"
    bar: str = "#0b6aa8"


def plain(text: str, most: int | None = None) -> str:
    """Write a text into a picture as it is: matplotlib takes what is between two $ for a formula.

    Parameters
    ----------
    text : str
        What a user called something.
    most : int, optional
        How many signs of it are written; None for all.

    Returns
    -------
    str
        For matplotlib.

    Examples
    --------
    >>> plain("US$ for A$"), plain("a long name", 7)
    ('US\\\\$ for A\\\\$', 'a long…')
    """
    cut = text if most is None or len(text) <= most else f"{text[: most - 1]}…"
    return cut.replace("$", r"\$")


def caption(drawing: Drawing) -> str:
    """Say what a picture shows.

    Parameters
    ----------
    drawing : dict
        One of an audit's drawings.

    Returns
    -------
    str
        One or two sentences, for those who cannot see it too.
    """
    kind, left = drawing["kind"], drawing.get("left_out", 0)
    more = (
        f" {plural(left, 'more channel')} {'is' if left == 1 else 'are'} left out." if left else ""
    )
    if kind == "holes":
        along = "steps, from the first to the last" if drawing["along"] == "steps" else "records"
        said = f"Each row is a channel, from left to right {drawing['total']:,} {along}; "
        return f"{said}the stronger the colour, the more is missing.{more}"
    if kind == "ranges":
        said = "From the lowest to the highest value of each channel; the thick part holds nine "
        return f"{said}tenths of them, the dot is the median.{more}"
    edges, counts = drawing["edges"], drawing["counts"]
    top = int(np.argmax(counts))
    scale = (lambda edge: 10.0**edge) if drawing.get("log") else float
    low, high = scale(edges[top]), scale(edges[top + 1])
    if kind == "lengths":
        return f"The most common lengths are {np.ceil(low):,.0f} to {np.floor(high):,.0f} steps."
    unit = ago if drawing.get("unit") else number
    return f"The most common distances are {unit(low)} to {unit(high)}; the counts are logarithmic."


def title_of(drawing: Drawing, several: bool) -> str:
    """Name a picture.

    Parameters
    ----------
    drawing : dict
        One of an audit's drawings.
    several : bool
        Whether it has to be said of which stream.

    Returns
    -------
    str
        A few words.
    """
    title = TITLES[drawing["kind"]]
    return f"{title}: {drawing['stream']}" if several else title


def draw_one(drawing: Drawing) -> Figure:
    """Draw one picture, without its title.

    Parameters
    ----------
    drawing : dict
        One of an audit's drawings.

    Returns
    -------
    matplotlib.figure.Figure
        One axis.
    """
    return _figure([drawing])


def plot_all(drawings: Sequence[Drawing]) -> Figure:
    """Draw all pictures below each other.

    Parameters
    ----------
    drawings : sequence of dict
        An audit's drawings.

    Returns
    -------
    matplotlib.figure.Figure
        One axis for each.
    """
    if not drawings:
        raise OptionError("There is nothing to draw: no channel of numbers, and equal lengths.")
    return _figure(drawings, titled=True)


def _figure(drawings: Sequence[Drawing], titled: bool = False) -> Figure:
    figures: Any = need("matplotlib.figure", extra="plot", purpose="Drawing an audit")
    palette = Palette()
    heights = [_height(each) for each in drawings]
    figure: Figure = figures.Figure(figsize=(WIDTH, sum(heights)), layout="constrained")
    axes = figure.subplots(len(drawings), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axis, each in zip(axes, drawings, strict=True):
        _draw(axis, each, palette)
        if titled:
            several = len({one["stream"] for one in drawings}) > 1
            title = title_of(each, several)
            axis.set_title(title, loc="left", fontsize=FONT + 2, color=palette.ink)
    return figure


def _height(drawing: Drawing) -> float:
    channels = len(drawing.get("channels", ()))
    return 0.8 + 0.2 * max(channels, 3) if channels else 2.4


def _draw(axis: Axes, drawing: Drawing, palette: Palette) -> None:
    for side in ("top", "right", "left", "bottom"):
        axis.spines[side].set_visible(side == "bottom" and drawing["kind"] != "holes")
        axis.spines[side].set_color(palette.faint)
    axis.tick_params(colors=palette.ink, labelsize=FONT, length=0, which="both")
    {"holes": _holes, "lengths": _histogram, "gaps": _histogram, "ranges": _ranges}[
        drawing["kind"]
    ](axis, drawing, palette)
    axis.xaxis.label.set_color(palette.ink)
    axis.yaxis.label.set_color(palette.ink)


def _holes(axis: Axes, drawing: Drawing, palette: Palette) -> None:
    """A map: channels by rows, what is missing in colour."""
    shares = np.array([[np.nan if x is None else x for x in row] for row in drawing["shares"]])
    red, green, blue = (int(ACCENT[k : k + 2], 16) / 255 for k in (1, 3, 5))
    image = np.empty((*shares.shape, 4))
    image[..., :3] = (red, green, blue)
    image[..., 3] = np.nan_to_num(shares)
    names = [plain(each, MOST_SIGNS) for each in drawing["channels"]]
    total = drawing["total"]
    extent = (0.0, float(total), len(names) - 0.5, -0.5)
    axis.imshow(image, aspect="auto", interpolation="nearest", extent=extent)
    axis.set_yticks(range(len(names)), names)
    axis.hlines(np.arange(len(names) + 1) - 0.5, 0, total, color=palette.grid, linewidth=0.6)
    axis.xaxis.set_major_formatter(_format())
    axis.xaxis.set_major_locator(_few_ticks())
    axis.set_xlabel(drawing["along"], fontsize=FONT)


def _histogram(axis: Axes, drawing: Drawing, palette: Palette) -> None:
    """Bars; logarithmic ones have decades on their axis."""
    edges, counts = np.array(drawing["edges"]), np.array(drawing["counts"])
    axis.bar(edges[:-1], counts, np.diff(edges) * 0.92, align="edge", color=palette.bar)
    axis.grid(axis="y", color=palette.grid, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.yaxis.set_major_formatter(_format())
    if drawing["kind"] == "gaps":
        axis.set_yscale("log")
        axis.yaxis.set_minor_locator(_no_ticks())
        axis.set_ylim(0.7)
    else:
        axis.yaxis.set_major_locator(_few_ticks(4))
    unit = drawing.get("unit")
    if drawing.get("log"):
        places = _decades(float(edges[0]), float(edges[-1]), bool(unit))
        axis.set_xticks([place for place, _ in places], [label for _, label in places])
    else:
        axis.xaxis.set_major_formatter(_format())
        axis.xaxis.set_major_locator(_few_ticks())
    lengths = drawing["kind"] == "lengths"
    said, counted = ago if unit else number, "records" if lengths else "steps"
    scale = (lambda place: 10.0**place) if drawing.get("log") else float

    def told(x: float, y: float) -> str:
        k = int(np.clip(np.searchsorted(edges, x) - 1, 0, len(counts) - 1))
        low, high = (said(scale(float(each))) for each in edges[k : k + 2])
        return f"{low} to {high}: {y:,.0f} {counted}"

    axis.format_coord = told  # type: ignore[method-assign]
    axis.set_xlabel("steps" if lengths else "" if unit else "time", fontsize=FONT)
    axis.set_ylabel("records" if lengths else "steps", fontsize=FONT)


def _decades(low: float, high: float, timed: bool) -> list[tuple[float, str]]:
    """Round places on a logarithmic axis: decades, or units of time."""
    if timed:
        marks = (1e-6, 1e-3, 1, 10, 60, 600, 3600, 21600, 86400, 604800, 2629800, 31557600, 3e8)
        short = ("1 µs", "1 ms", "1 s", "10 s", "1 min", "10 min", "1 h", "6 h", "1 day", "1 week")
        labels = (*short, "1 month", "1 year", "10 years")
        found = [(float(np.log10(m)), t) for m, t in zip(marks, labels, strict=True)]
    else:
        steps = [(d + np.log10(m), m * 10.0**d) for d in range(-12, 16) for m in (1, 2, 5)]
        found = [(float(place), number(value)) for place, value in steps]
        if high - low > 2.5:
            found = found[::3]
    inside = [each for each in found if low - 0.02 <= each[0] <= high + 0.02]
    every = max(1, -(-len(inside) // 8))
    middle = (low + high) / 2
    said = ago(10**middle) if timed else number(10**middle)
    return inside[::every] or [(middle, said)]


def _ranges(axis: Axes, drawing: Drawing, palette: Palette) -> None:
    """A line for each channel, thick where most values lie."""
    quantiles = np.array(drawing["quantiles"], np.float64)
    places = np.arange(len(quantiles))
    axis.hlines(places, quantiles[:, 0], quantiles[:, 4], color=palette.faint, linewidth=1)
    axis.hlines(places, quantiles[:, 1], quantiles[:, 3], color=palette.bar, linewidth=5)
    axis.plot(quantiles[:, 2], places, "o", color=palette.ink, markersize=4)
    axis.set_yticks(places, [plain(each, MOST_SIGNS) for each in drawing["channels"]])

    def told(_: float, y: float) -> str:
        k = int(np.clip(round(y), 0, len(quantiles) - 1))
        low, middle, high = (number(float(each)) for each in quantiles[k, [0, 2, 4]])
        return f"{drawing['channels'][k]}: {low} to {high}, median {middle}"

    axis.format_coord = told  # type: ignore[assignment]
    axis.set_ylim(len(quantiles) - 0.4, -0.6)
    axis.grid(axis="x", color=palette.grid, linewidth=0.6)
    axis.set_axisbelow(True)
    size = np.abs(quantiles)[np.abs(quantiles) > 0]
    if len(size) and size.max() > 100 * np.median(size):
        axis.set_xscale("symlog", linthresh=float(10 ** np.floor(np.log10(np.median(size)))))
        axis.xaxis.set_minor_locator(_no_ticks())
        low, high = float(quantiles.min()), float(quantiles.max())
        axis.set_xlim(low * (1.5 if low < 0 else 0.8), high * (1.5 if high > 0 else 0.8))
        _thinned(axis)
    else:
        axis.xaxis.set_major_locator(_few_ticks())
    axis.xaxis.set_major_formatter(_format())


def _thinned(axis: Axes) -> None:
    """Leave out marks of a symmetric logarithmic axis that would stand on each other."""
    ticker: Any = need("matplotlib.ticker", extra="plot", purpose="Drawing an audit")
    low, high = axis.get_xlim()
    marks = [mark for mark in axis.get_xticks() if low <= mark <= high]
    most = 8
    if len(marks) > most:
        zero = [mark for mark in marks if mark == 0]
        every = -(-len(marks) // most)
        marks = sorted({*zero, *marks[::-every]})
    axis.xaxis.set_major_locator(ticker.FixedLocator(marks))


def _format() -> Any:
    ticker: Any = need("matplotlib.ticker", extra="plot", purpose="Drawing an audit")
    return ticker.FuncFormatter(lambda value, _: number(float(value)))


def _few_ticks(most: int = 6) -> Any:
    ticker: Any = need("matplotlib.ticker", extra="plot", purpose="Drawing an audit")
    return ticker.MaxNLocator(most)


def _no_ticks() -> Any:
    ticker: Any = need("matplotlib.ticker", extra="plot", purpose="Drawing an audit")
    return ticker.NullLocator()
