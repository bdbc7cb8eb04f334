"""What a picture on a page says of the point that is pointed at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from recurra.auditing.phrases import number
from recurra.errors import need

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from recurra.types import Floats

__all__ = ["points_of"]

Speaker: TypeAlias = Callable[[float], str]
"""Says a value of an axis."""

MOST = 1500  # points of an axis
SHORTEST = 3  # points of a line that is not a mere mark
PLACES = 6  # digits by which a value is the one that has a name


def points_of(figure: Figure) -> list[dict[str, Any]]:
    """List the points of a picture that have something to say.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        It has been drawn, so everything has its place.

    Returns
    -------
    list of dict
        For each axis that has any: ``"box"``, its left, top, right and bottom; ``"along"``, the way
        in which the nearest is looked for (``"x"``, ``"y"`` or ``"xy"``); ``"points"``, each with
        its place from the left and from the top and a text. Places are shares of the picture's
        width and height. An axis with a ``format_coord`` of its own is asked for the texts.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> _ = figure.subplots().plot([1, 2, 4], label="sales")
    >>> figure.draw_without_rendering()
    >>> (axis,) = points_of(figure)
    >>> [text for _, _, text in axis["points"]]
    ['sales: 0, 1', 'sales: 1, 2', 'sales: 2, 4']
    """
    found = []
    for axis in figure.axes:
        if axis.get_visible() and (told := _told_of(axis)) is not None:
            along, places, texts = told
            low, high = _shares(axis, axis.transAxes.transform([(0.0, 1.0), (1.0, 0.0)]))
            shares = _shares(axis, axis.transData.transform(places))
            inside = (shares >= low - 1e-3).all(1) & (shares <= high + 1e-3).all(1)
            points = [
                (*map(_short, place), texts[k])
                for k, place in enumerate(shares)
                if inside[k] and texts[k]
            ]
            if points:
                box = [_short(each) for each in (*low, *high)]
                found.append({"box": box, "along": along, "points": points})
    return found


def _told_of(axis: Axes) -> tuple[str, Floats, list[str]] | None:
    """Find the places of an axis, in its own units, and what is said there."""
    places, names = [], []
    for along, name, some in _marks(axis):
        places.append(some)
        names += [(name, along)] * len(some)
    if not names:
        return None
    every = np.concatenate(places)
    kept = range(0, len(every), -(-len(every) // MOST))
    own = vars(axis).get("format_coord")
    if own is not None:
        texts = [own(*every[k]) for k in kept]
    else:
        say = _speaker(axis.xaxis), _speaker(axis.yaxis)
        texts = [_text(say, *names[k], every[k]) for k in kept]
    ways = {along for _, along in names}
    return (ways.pop() if len(ways) == 1 else "xy"), every[kept], texts


def _marks(axis: Axes) -> Iterator[tuple[str, str, Floats]]:
    """Go through what is drawn: the way it goes along, its name, places of shape (count, 2)."""
    containers: Any = need("matplotlib.container", extra="plot", purpose="A page with pictures")
    for each in axis.containers:
        if isinstance(each, containers.BarContainer):
            flat = each.orientation == "horizontal"
            ends = [_end(bar, flat) for bar in each.patches]
            yield "y" if flat else "x", _name(each), np.array(ends).reshape(-1, 2)
    for line in axis.lines:
        place = np.asarray(line.get_xydata(), float)
        joined = line.get_linestyle() != "None"
        if line.get_transform() == axis.transData and len(place) >= (SHORTEST if joined else 1):
            yield "x" if joined else "xy", _name(line), place[np.isfinite(place).all(1)]
    for spots in axis.collections:
        if spots.get_offset_transform() == axis.transData:
            place = np.ma.filled(np.ma.asarray(spots.get_offsets(), float), np.nan)
            yield "xy", _name(spots), place[np.isfinite(place).all(1)]
    if "format_coord" in vars(axis):
        if not axis.lines:
            yield from (("xy", "", _strongest(image)) for image in axis.images)
        if not axis.axison:  # a text
            yield "xy", "", np.array([each.get_position() for each in axis.texts]).reshape(-1, 2)


def _end(bar: Any, flat: bool) -> tuple[float, float]:
    """Find where a bar ends."""
    x, y, wide, high = bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height()
    return (x + wide, y + high / 2) if flat else (x + wide / 2, y + high)


def _strongest(image: Any) -> Floats:
    """Find the middles of the cells of a map that are not clear, the strongest of them."""
    shade = np.asarray(image.get_array(), float)[..., -1]
    left, right, bottom, top = image.get_extent()
    rows, columns = shade.shape
    high, low = (bottom, top) if image.origin == "lower" else (top, bottom)
    x = left + (np.arange(columns) + 0.5) * (right - left) / columns
    y = high + (np.arange(rows) + 0.5) * (low - high) / rows
    order = np.argsort(-shade.ravel(), kind="stable")[:MOST]
    order = order[shade.ravel()[order] > 0]
    return np.stack([x[order % columns], y[order // columns]], 1)


def _name(artist: Any) -> str:
    label = str(artist.get_label())
    return "" if label.startswith("_") else label


def _text(say: Sequence[Speaker], name: str, along: str, place: Sequence[float]) -> str:
    """Say a name and both values, that first along which the nearest is looked for."""
    said = [one(value) for one, value in zip(say, place, strict=True)]
    values = ", ".join(reversed(said) if along == "y" else said)
    return f"{name}: {values}" if name else values


def _speaker(axis: Axis) -> Speaker:
    """Say values as an axis does: by the name that stands there, as dates, as numbers."""
    tickers: Any = need("matplotlib.ticker", extra="plot", purpose="A page with pictures")
    dates: Any = need("matplotlib.dates", extra="plot", purpose="A page with pictures")
    formatter, locator = axis.get_major_formatter(), axis.get_major_locator()
    names: dict[float, str] = {}
    if isinstance(locator, tickers.FixedLocator) and not locator.nbins:
        said = formatter.format_ticks(locator.locs)
        names = {
            round(float(place), PLACES): str(text).replace(r"\$", "$")
            for place, text in zip(locator.locs, said, strict=True)
        }
    dated = isinstance(formatter, dates.AutoDateFormatter | dates.ConciseDateFormatter)
    label = axis.get_label_text().replace("\n", " ")

    def say(value: float) -> str:
        name = names.get(round(float(value), PLACES))
        if name is not None:
            return name
        if dated:
            return f"{dates.num2date(value):%Y-%m-%d %H:%M}".removesuffix(" 00:00")
        return f"{label} {number(value)}".strip()

    return say


def _shares(axis: Axes, pixels: Floats) -> Floats:
    """Turn places on the canvas into shares of the whole picture, from its left and its top."""
    figure: Any = axis.get_figure(root=True)
    shares = np.asarray(pixels, float) / (figure.bbox.width, figure.bbox.height)
    return np.stack([shares[:, 0], 1.0 - shares[:, 1]], 1)


def _short(share: float) -> float:
    return round(float(share), 4)
