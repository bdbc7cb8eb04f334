"""What a forecaster refuses, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data import Columns
from recurra.errors import DataError, OptionError
from recurra.training import Training

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from recurra.data import SequenceDataset

__all__ = [
    "SHORTEST",
    "check_choice",
    "check_count",
    "check_counts_only",
    "check_lengths",
    "check_options",
    "checked_levels",
]

SHORTEST = 3  # observed values that a series must have


def check_options(options: dict[str, Any]) -> None:
    """Refuse impossible constructor arguments, apart from the names of layers and heads."""
    for name in ("hidden_size", "num_layers", "context", "horizon"):
        if not (options[name] is None and name in ("context", "horizon")):
            check_count(name, options[name])
    if not 0 <= options["dropout"] < 1:
        raise OptionError(f"dropout={options['dropout']!r}, but it must be at least 0 and below 1.")
    season = options["season_length"]
    if isinstance(season, str):
        check_choice("season_length", season, ["auto"])
    else:
        for each in np.atleast_1d(season).tolist():
            check_count("season_length", each)
    for name, kind in (("columns", Columns), ("training", Training)):
        if not isinstance(options[name], kind):
            raise OptionError(f"{name}={options[name]!r}, but it must be a {kind.__name__}.")


def check_choice(name: str, value: object, known: Collection[str]) -> None:
    """Refuse a name that is not known."""
    if value not in known:
        choice = ", ".join(map(repr, known))
        raise OptionError(f"{name}={value!r}, but it must be one of {choice}.")


def check_count(name: str, value: object) -> None:
    """Refuse what is no whole number from 1 on."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise OptionError(f"{name}={value!r}, but it must be an int of at least 1.")


def checked_levels(level: Sequence[float] | None) -> list[float]:
    """Return levels in rising order; refuse what is no percentage."""
    levels = [] if level is None else np.atleast_1d(level).tolist()
    for one in levels:
        if isinstance(one, bool) or not isinstance(one, int | float) or not 0 < one < 100:
            raise OptionError(f"level {one!r} is no percentage between 0 and 100, such as 80.")
    return sorted(set(levels))


def check_lengths(dataset: SequenceDataset) -> None:
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


def check_counts_only(dataset: SequenceDataset) -> None:
    """Refuse targets that are no counts."""
    odd = dataset.observed & ((dataset.target < 0) | (dataset.target % 1 != 0))
    if not odd.any():
        return
    row = int(odd.argmax())
    raise DataError(
        "A negative binomial forecasts counts, but this value is none",
        code="not_a_count",
        record=dataset.ids[int(np.searchsorted(dataset.offsets, row, side="right")) - 1],
        column=dataset.columns.target,
        value=float(dataset.target[row]),
        hint="Use distribution='student_t'.",
    )
