"""What a forecaster refuses, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data import Columns
from recurra.data.offsets import place_of
from recurra.errors import DataError, OptionError, check_count
from recurra.estimators.learning.options import check_choice, check_seed
from recurra.training import Training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recurra.data import Panel

__all__ = [
    "SHORTEST",
    "check_counts_only",
    "check_horizon",
    "check_lengths",
    "check_names",
    "check_options",
    "check_update",
    "checked_levels",
]

SHORTEST = 3  # observed values that a series must have
MOST_CELLS = 20_000_000  # forecast at a time


def check_options(options: dict[str, Any]) -> None:
    """Refuse impossible constructor arguments, apart from the names of layers and heads."""
    for name in ("hidden_size", "num_layers", "context", "horizon"):
        if not (options[name] is None and name in ("context", "horizon")):
            check_count(name, options[name])
    dropout = options["dropout"]
    if dropout is not None and not (
        isinstance(dropout, int | float | np.floating)
        and not isinstance(dropout, bool)
        and 0 <= dropout < 1
    ):
        raise OptionError(f"dropout={dropout!r}, but it must be at least 0 and below 1, or None.")
    check_seed(options["seed"])
    season = options["season_length"]
    if isinstance(season, str):
        check_choice("season_length", season, ["auto"])
    else:
        for each in np.atleast_1d(season).tolist():
            check_count("season_length", each)
    for name, kind in (("columns", Columns), ("training", Training)):
        if not isinstance(options[name], kind):
            raise OptionError(f"{name}={options[name]!r}, but it must be a {kind.__name__}.")


def check_names(columns: Columns, alias: str) -> None:
    """Refuse columns that are called like those of the answers."""
    for name in columns.names:
        bounds = name.startswith((f"{alias}-lo-", f"{alias}-hi-"))
        if bounds or name in (alias, "sample", "cutoff"):
            raise OptionError(
                f"A column is called {name!r}, like one of the answers. Rename it in the frame and "
                "in columns=Columns(...)."
            )


def check_horizon(h: int, paths: int) -> None:
    """Refuse a horizon that is no count, or whose forecasts would not fit into memory."""
    check_count("h", h)
    if h * paths > MOST_CELLS:
        raise OptionError(
            f"h={h} for {paths} series or paths makes {h * paths:,} values, but {MOST_CELLS:,} at "
            "a time are the most. Use a smaller h, fewer paths or fewer series."
        )


def checked_levels(level: Sequence[float] | float | None) -> list[float]:
    """Return levels in rising order; refuse what is no percentage."""
    levels = [] if level is None else [level] if isinstance(level, int | float) else [*level]
    for one in levels:
        if isinstance(one, bool | str) or not 0 < one < 100:
            raise OptionError(f"level {one!r} is no percentage between 0 and 100, such as 80.")
    return sorted(set(levels))


def check_lengths(dataset: Panel) -> None:
    """Refuse series with too few observed values."""
    seen = np.add.reduceat(dataset.observed.astype(int), dataset.offsets[:-1])
    if (seen >= SHORTEST).all():
        return
    worst, short = int(seen.argmin()), int((seen < SHORTEST).sum())
    raise DataError(
        f"The series has {seen[worst]} observed values, but {SHORTEST} are needed to see how it "
        "moves",
        code="too_short",
        record=dataset.ids[worst],
        hint=f"{short} of {len(dataset)} series are too short: leave them out, or wait.",
    )


def check_counts_only(dataset: Panel) -> None:
    """Refuse targets that are no counts."""
    odd = dataset.observed & ((dataset.target < 0) | (dataset.target % 1 != 0))
    if not odd.any():
        return
    row = int(odd.argmax())
    when = dataset.clock.show(int(dataset.times[row]))
    raise DataError(
        f"A negative binomial forecasts counts, but the value at {when} is none",
        code="not_a_count",
        record=dataset.ids[place_of(dataset.offsets, row)[0]],
        column=dataset.columns.target,
        value=float(dataset.target[row]),
        hint="Use distribution='student_t'.",
    )


def check_update(new: Panel, tail: Panel) -> None:
    """Refuse new rows of a series that has no value yet, or whose identifier has another type."""
    known = {str(name): name for name in tail.ids}
    seen = np.add.reduceat(new.observed.astype(int), new.offsets[:-1])
    for name, values in zip(new.ids, seen, strict=True):
        like = known.get(str(name), name)
        if like != name:
            raise DataError(
                f"The identifier is a {type(name).__name__}, but at the fit it was the "
                f"{type(like).__name__} {like!r}",
                code="other_type",
                record=name,
                column=new.columns.id,
                hint="Give identifiers as they were given to fit.",
            )
        if not values and str(name) not in known:
            raise DataError(
                "The series is new, but has no observed value to start from",
                code="all_missing",
                record=name,
                column=new.columns.target,
                hint="Leave it out until it has one.",
            )
