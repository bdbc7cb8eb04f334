"""A diagnosis as one page of small pictures. Drawn with matplotlib's figures alone: no window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.auditing.phrases import plural
from recurra.auditing.pictures import Palette
from recurra.diagnosing.gradients import END
from recurra.errors import OptionError, need

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from recurra.diagnosing.calibrating import Reliability
    from recurra.diagnosing.curves import Curve
    from recurra.diagnosing.measures import Measures

__all__ = ["CAPTIONS", "draw", "draw_each", "draw_reliability", "draw_training"]

COLOURS = ("#0b6aa8", "#c4552d", "#5a8f3c", "#8a5fa8", "#b08a1e", "#767c85")
LOOKS = [*zip(COLOURS, ("-", "--", ":", "-.", (0, (6, 2)), (0, (1, 3))), strict=True)]
"""Of layers: a colour, and a line for those who do not see it."""
FONT, COLUMNS = 8, 3
WIDTH, HEIGHT, HEAD = 3.5, 2.5, 0.5  # inches
LOWEST = 1e-10  # of a gradient that is drawn
MOST_PARAMETERS = 12
CAPTIONS = {
    "Gradient by lag": "How much of the gradient is left at a state so many steps back. Below 1 % "
    "nothing is learned any more.",
    "Gates": "A dot is a unit, its mean over all steps; the line is the mean of all units. Units "
    "at 0 or 1 are stuck.",
    "Length of the state": "A state that grows without end explodes; one that falls to 0 forgets.",
    "Gradient by parameter": "The largest gradients, each beside the size of its weights.",
    "Training": "The loss of the batches, and of what was held back; the line is at the step whose "
    "weights were kept.",
    "Loss by position": "Where in a record the answers are wrong.",
    "Residuals with earlier ones": "Beyond the dashed lines is what could still be learned.",
    "Are probabilities right?": "On the dashed line as many are right as was said; a larger dot "
    "stands for more records.",
}
"""What each picture shows."""


def draw(found: Measures, told: str) -> Figure:
    """Draw what was measured.

    Parameters
    ----------
    found : Measures
        What was found.
    told : str
        Over the page.

    Returns
    -------
    matplotlib.figure.Figure
        One small picture for each kind of measure that there is.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    OptionError
        If nothing was measured.
    """
    figures: Any = need("matplotlib.figure", extra="plot", purpose="Drawing a diagnosis")
    palette = Palette()
    drawn = [(title, paint) for title, there, paint in _pictures(found) if there]
    if not drawn:
        raise OptionError("There is nothing to draw: nothing but what is not finite was found.")
    rows = -(-len(drawn) // COLUMNS)
    size = (WIDTH * min(COLUMNS, len(drawn)), HEIGHT * rows + HEAD)
    figure: Figure = figures.Figure(figsize=size, dpi=144, layout="constrained")
    axes = figure.subplots(rows, min(COLUMNS, len(drawn)), squeeze=False).ravel()
    for axis in axes[len(drawn) :]:
        axis.set_visible(False)
    for axis, (title, paint) in zip(axes, drawn, strict=False):
        _dress(axis, palette)
        paint(axis, found, palette)
        axis.set_title(title, loc="left", fontsize=FONT + 1, color=palette.ink)
        for label in (axis.xaxis.label, axis.yaxis.label):
            label.set_color(palette.faint)
            label.set_fontsize(FONT)
    figure.suptitle(told, x=0.01, ha="left", fontsize=FONT + 3, color=palette.ink)
    return figure


def draw_each(found: Measures) -> list[tuple[str, str, Figure]]:
    """Draw each small picture by itself.

    Parameters
    ----------
    found : Measures
        What was found.

    Returns
    -------
    list of (str, str, matplotlib.figure.Figure)
        What it is called, what it shows, and the picture without a title.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    return [
        (title, CAPTIONS[title], _alone(partial(_swapped, paint, found)))
        for title, there, paint in _pictures(found)
        if there
    ]


def _swapped(paint: Paint, found: Measures, axis: Axes, palette: Palette) -> None:
    paint(axis, found, palette)


def draw_training(curve: Curve) -> Figure:
    """Draw how a training went.

    Parameters
    ----------
    curve : Curve
        What its log tells.

    Returns
    -------
    matplotlib.figure.Figure
        The loss by step.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    return _alone(lambda axis, palette: _course(axis, curve, palette), 2 * WIDTH)


def draw_reliability(sure: Reliability) -> Figure:
    """Draw whether probabilities mean what they say.

    Parameters
    ----------
    sure : Reliability
        What was said, and what was right.

    Returns
    -------
    matplotlib.figure.Figure
        A dot for each bin.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    return _alone(lambda axis, palette: _bins(axis, sure, palette))


def _alone(paint: Callable[[Axes, Palette], None], width: float = WIDTH) -> Figure:
    """Draw one picture on a figure of its own."""
    figures: Any = need("matplotlib.figure", extra="plot", purpose="Drawing a diagnosis")
    figure: Figure = figures.Figure(figsize=(width, HEIGHT), dpi=144, layout="constrained")
    axis, palette = figure.subplots(), Palette()
    _dress(axis, palette)
    paint(axis, palette)
    for label in (axis.xaxis.label, axis.yaxis.label):
        label.set_color(palette.faint)
        label.set_fontsize(FONT)
    return figure


Paint = Callable[["Axes", "Measures", Palette], None]


def _pictures(found: Measures) -> list[tuple[str, bool, Paint]]:
    """List the pictures, with whether there is something to show."""
    long = any(len(each.gradient) > 2 for each in found.layers)
    return [
        ("Gradient by lag", long, _gradients),
        ("Gates", any(each.gates for each in found.layers), _gates),
        ("Length of the state", long, _norms),
        ("Gradient by parameter", bool(found.parameters), _parameters),
        ("Training", found.curve is not None, _curve),
        ("Loss by position", found.by_position is not None, _positions),
        ("Residuals with earlier ones", found.autocorrelation is not None, _repeats),
        ("Are probabilities right?", found.reliability is not None, _reliability),
    ]


def _dress(axis: Axes, palette: Palette) -> None:
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color(palette.faint)
    axis.tick_params(colors=palette.faint, labelsize=FONT, length=2, which="both")
    axis.grid(axis="y", color=palette.grid, linewidth=0.7)
    axis.set_axisbelow(True)


def _legend(axis: Axes, palette: Palette, **where: Any) -> None:
    if len(axis.get_legend_handles_labels()[1]) > 1:
        axis.legend(frameon=False, fontsize=FONT - 1, labelcolor=palette.ink, **where)


def _gradients(axis: Axes, found: Measures, palette: Palette) -> None:
    shown = found.layers[: len(LOOKS)]
    for each, (colour, dash) in zip(shown, LOOKS, strict=False):
        lags = np.arange(len(each.gradient))
        seen = np.where(each.gradient >= LOWEST, each.gradient, np.nan)
        axis.plot(lags, seen, color=colour, linestyle=dash, label=_short(each.name))
    axis.axhline(END, color=palette.faint, linewidth=1.0, linestyle=(0, (4, 3)))
    axis.annotate("1 %", (1, END), (-2, 2), xycoords=("axes fraction", "data"), ha="right",
                  textcoords="offset points", fontsize=FONT, color=palette.faint)  # fmt: skip
    for season in found.seasons:
        axis.axvline(season, color=palette.faint, linewidth=0.8)
    low = min(float(each.gradient.min()) for each in shown)
    high = max(float(each.gradient.max()) for each in shown)
    axis.set_yscale("log")
    axis.set_ylim(max(0.5 * min(low, END), LOWEST), 2 * max(high, 1.0))
    axis.minorticks_off()
    axis.set_xlabel(f"steps back{_left_out(len(found.layers) - len(shown), 'layer')}")
    _legend(axis, palette)


def _gates(axis: Axes, found: Measures, palette: Palette) -> None:
    """Where the gates of all units stand, on average over steps."""
    names, parts = [], []
    for each in found.layers:
        for gate in each.gates:
            names.append(gate.name if len(found.layers) == 1 else f"{each.name}: {gate.name}")
            parts.append(gate.units)
    left = len(names) - MOST_PARAMETERS
    names, parts = names[:MOST_PARAMETERS], parts[:MOST_PARAMETERS]
    chance = np.random.default_rng(0)
    for place, units in enumerate(parts):
        shaken = place + chance.uniform(-0.22, 0.22, len(units))
        axis.plot(units, shaken, ".", color=palette.bar, alpha=0.5, markersize=4)
        axis.plot([units.mean()] * 2, [place - 0.32, place + 0.32], color=COLOURS[1])
    axis.set_yticks(range(len(names)), [_short(name) for name in names])
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(-0.03, 1.03)
    axis.grid(visible=False)
    axis.set_xlabel(f"mean of each unit: 0 shut, 1 open{_left_out(left, 'gate')}")


def _norms(axis: Axes, found: Measures, palette: Palette) -> None:
    """The state of one layer by its parts, h and c; of several by their colours."""
    several, shown = len(found.layers) > 1, found.layers[: len(LOOKS)]
    for each, (colour, dash) in zip(shown, LOOKS, strict=False):
        h, *c = each.norms
        steps = np.arange(1, len(h) + 1)
        label = _short(each.name) if several else "h"
        axis.plot(steps, h, color=colour, linestyle=dash, label=label)
        for norms in c:
            if several:
                axis.plot(steps, norms, color=colour, linestyle=dash, linewidth=0.7, alpha=0.6)
            else:
                axis.plot(steps, norms, "--", color=colour, label="c")
    thin = "; thin: c" if several and any(len(each.norms) > 1 for each in shown) else ""
    axis.set_ylim(0)
    axis.set_xlabel(f"step{thin}{_left_out(len(found.layers) - len(shown), 'layer')}")
    axis.set_ylabel("root mean square")
    _legend(axis, palette)


def _parameters(axis: Axes, found: Measures, palette: Palette) -> None:
    """The largest gradients, each in units of its parameter."""
    sizes = [each.gradient / max(each.weight, 1e-12) for each in found.parameters]
    order = np.argsort(sizes)[::-1][:MOST_PARAMETERS]
    places = sorted(order)
    shown = [max(sizes[k], 1e-12) for k in places]
    axis.barh(range(len(places)), shown, color=palette.bar, height=0.7)
    axis.set_yticks(range(len(places)), [_short(found.parameters[k].name) for k in places])
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlim(10 ** np.floor(np.log10(min(shown))), 10 ** np.ceil(np.log10(max(shown))))
    axis.minorticks_off()
    axis.grid(visible=False)
    axis.grid(axis="x", color=palette.grid, linewidth=0.7)
    axis.set_xlabel("gradient ÷ weight")


def _curve(axis: Axes, found: Measures, palette: Palette) -> None:
    assert found.curve is not None
    _course(axis, found.curve, palette)


def _course(axis: Axes, curve: Curve, palette: Palette) -> None:
    steps = np.arange(1, curve.steps + 1)
    axis.plot(steps, curve.loss, color=palette.bar, alpha=0.25, linewidth=0.7)
    axis.plot(steps, curve.smooth, color=palette.bar, label="training")
    if len(curve.validation):
        axis.plot(*curve.validation.T, color=COLOURS[1], label="held back")
        axis.axvline(curve.best_step, color=palette.faint, linewidth=0.8)
    values = np.concatenate([curve.smooth, curve.validation[:, 1]])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    axis.set_ylim(low - 0.05 * (high - low) - 1e-9, high + 0.1 * (high - low) + 1e-9)
    axis.set_xlabel("step")
    axis.set_ylabel("loss")
    _legend(axis, palette)


def _positions(axis: Axes, found: Measures, palette: Palette) -> None:
    losses = found.by_position
    assert losses is not None
    axis.plot(np.arange(1, len(losses) + 1), losses, color=palette.bar)
    axis.set_xlabel("step of the record")
    axis.set_ylabel("loss")


def _repeats(axis: Axes, found: Measures, palette: Palette) -> None:
    repeats = found.autocorrelation
    assert repeats is not None
    lags = np.arange(1, len(repeats.values))
    axis.bar(lags, repeats.values[1:], color=palette.bar, width=0.7)
    for side in (-repeats.bound, repeats.bound):
        axis.axhline(side, color=palette.faint, linewidth=1.0, linestyle=(0, (4, 3)))
    for season in found.seasons:
        axis.axvline(season, color=palette.faint, linewidth=0.8)
    most = max(0.4, 1.1 * float(np.abs(repeats.values[1:]).max()))
    axis.set_ylim(-most, most)
    axis.set_xlabel("steps before")
    axis.set_ylabel("correlation")


def _reliability(axis: Axes, found: Measures, palette: Palette) -> None:
    assert found.reliability is not None
    _bins(axis, found.reliability, palette)


def _bins(axis: Axes, sure: Reliability, palette: Palette) -> None:
    axis.plot([0, 1], [0, 1], color=palette.faint, linewidth=1.0, linestyle=(0, (4, 3)))
    there = sure.counts > 0
    sizes = 8 + 60 * sure.counts[there] / sure.counts.max()
    axis.scatter(sure.said[there], sure.right[there], s=sizes, color=palette.bar)
    axis.set_xlim(0, 1.03)
    axis.set_ylim(0, 1.03)
    axis.set_xlabel("probability said")
    axis.set_ylabel("share that is right")


def _short(name: str) -> str:
    return name if len(name) <= 26 else f"…{name[-25:]}"


def _left_out(count: int, noun: str) -> str:
    return f" ({plural(count, noun)} not drawn)" if count > 0 else ""
