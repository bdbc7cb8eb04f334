"""The picture of the grid: every peer's time over ours, one dot for a case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plan import LAYOUTS, MODES, OURS

STYLES = {
    "torch": ("#d1495b", "o"),
    "compile": ("#e0a030", "s"),
    "keras": ("#8d5fb0", "^"),
    "jax": ("#17a2a2", "v"),
    "onnx": ("#4f9d3a", "D"),
    "openvino": ("#27508c", "P"),
    "runtime": ("#777777", "X"),
}
"""Colour and mark of each peer."""


def draw(result: dict[str, Any], folder: Path) -> None:
    """Write engine.svg and engine.png: a panel for each cell, mode and layout."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = [row for row in result["grid"] if row["ratio"]]
    if not rows:
        return
    cells = list(dict.fromkeys(row["case"]["cell"] for row in rows))
    kinds = [(m, k) for m in MODES for k in LAYOUTS if panel_rows(rows, mode=m, layout=k)]
    sizes = [sizes_of(panel_rows(rows, mode=mode, layout=layout)) for mode, layout in kinds]
    heights = [0.4 * len(each) + 0.5 for each in sizes]
    figure, axes = plt.subplots(
        len(kinds),
        len(cells),
        figsize=(4.2 * len(cells) + 1.5, sum(heights) + 0.35 * len(kinds) + 1.6),
        height_ratios=heights,
        sharex=True,
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    for i, (mode, layout) in enumerate(kinds):
        for j, cell in enumerate(cells):
            chosen = panel_rows(rows, cell=cell, mode=mode, layout=layout)
            fill(axes[i, j], chosen, sizes[i], f"{cell.upper()}, {mode}, {layout}")
    scale(axes[0, 0], rows)
    label(figure, result, rows)
    for ending in ("svg", "png"):
        figure.savefig(folder / f"engine.{ending}", dpi=110)
    plt.close(figure)


def sizes_of(rows: list[dict[str, Any]]) -> list[tuple[int, ...]]:
    return list(dict.fromkeys(tuple(row["case"]["shape"]) for row in rows))


def panel_rows(rows: list[dict[str, Any]], **wanted: str) -> list[dict[str, Any]]:
    return [r for r in rows if all(r["case"][key] == value for key, value in wanted.items())]


def fill(axis: Any, rows: list[dict[str, Any]], sizes: list[Any], title: str) -> None:
    """Dots of one panel: hollow on one thread, full on more."""
    axis.axvspan(1e-9, 1, color="#f3f0ea", zorder=0)
    axis.axvline(1, color="#333333", linewidth=1)
    for row in rows:
        threads = row["case"]["threads"]
        place = sizes.index(tuple(row["case"]["shape"])) + (0.16 if threads > 1 else -0.16)
        for name in [name for name in row["ratio"] if name in STYLES]:
            colour, mark = STYLES[name]
            face = colour if threads > 1 else "white"
            style = {"color": colour, "marker": mark, "markerfacecolor": face, "markersize": 6}
            axis.plot(row["ratio"][name], place, clip_on=False, **style)
    axis.set_yticks(range(len(sizes)), ["×".join(map(str, size)) for size in sizes])
    axis.set_ylim(len(sizes) - 0.4, -0.6)
    axis.set_title(title, fontsize=10, loc="left")
    axis.grid(axis="x", which="both", color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.tick_params(axis="y", length=0)


def scale(axis: Any, rows: list[dict[str, Any]]) -> None:
    """One logarithmic scale for all panels, with as many numbers as have room."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    ratios = [value for row in rows for name, value in row["ratio"].items() if name != OURS]
    low, high = min(0.5, *ratios) / 1.2, max(2.0, *ratios) * 1.2
    steps = (1, 2, 5) if high / low < 400 else (1,)
    ticks = [step * 10.0**power for power in range(-5, 6) for step in steps]
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    axis.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low < tick < high]))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))


def label(figure: Any, result: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """The legend, and what machine it was."""
    from matplotlib.lines import Line2D

    names = [name for name in STYLES if any(name in row["ratio"] for row in rows)]
    marks = [
        Line2D([], [], color=STYLES[name][0], marker=STYLES[name][1], linestyle="")
        for name in names
    ]
    threads = sorted({row["case"]["threads"] for row in rows})
    for count in threads:
        face = "#555555" if count > 1 else "white"
        style = {"color": "#555555", "marker": "o", "markerfacecolor": face, "linestyle": ""}
        marks.append(Line2D([], [], **style))
        names.append(f"{count} thread{'s' * (count > 1)}")
    figure.legend(marks, names, loc="outside lower left", ncols=9, frameon=False, fontsize=10)
    about = result["machine"]
    title = "Time of each peer over Recurra's: right of the line, Recurra is faster\n"
    title += f"batch×time×inputs×hidden, float32. {about['cpu']}, {about['cpus']} CPUs, "
    title += f"commit {about['commit']}, {about['date'][:10]}"
    figure.suptitle(title, x=0.012, ha="left", fontsize=11)
