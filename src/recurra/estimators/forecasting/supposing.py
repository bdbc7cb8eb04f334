"""What would be foretold if a covariate, or the past, were another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recurra.data import Columns, Panel, from_frame
from recurra.data.panel.future import future_frame
from recurra.errors import OptionError, near
from recurra.estimators.forecasting.first_values import from_first_value
from recurra.estimators.forecasting.forecast_checks import check_horizon
from recurra.explaining.what_if import new_values, read_change

if TYPE_CHECKING:
    from recurra.estimators.forecasting.forecast_engine import Engine
    from recurra.estimators.forecasting.forecast_state import State
    from recurra.types import Array, Floats, Integers

__all__ = ["Supposed", "suppose"]


class Supposed(NamedTuple):
    """Two forecasts, and what is between them.

    Attributes
    ----------
    changes : tuple of str
        What was changed, in words.
    coming : Panel
        The steps that are foretold.
    before, after : ndarray, shape (series, h)
        The forecasts.
    """

    changes: tuple[str, ...]
    coming: Panel
    before: Floats
    after: Floats


def suppose(
    engine: Engine,
    state: State,
    spacing: Integers,
    change: Mapping[str, Any],
    h: int,
    future: Any = None,
    df: Any = None,
) -> Supposed:
    """Forecast twice: as it is, and with something changed.

    Parameters
    ----------
    engine : Engine
        What forecasts.
    state : State
        Where the series stand.
    spacing : ndarray of int64, shape (series,)
        The usual distance between the stamps of each.
    change : dict of str
        For each column what it becomes.
    h : int
        How many steps.
    future : DataFrame, str or Path, optional
        The future covariates.
    df : DataFrame, str or Path, optional
        The past, where that is to be changed.

    Returns
    -------
    Supposed
        Both forecasts; see `recurra.Forecaster.what_if`.
    """
    if not isinstance(change, Mapping) or not change:
        raise OptionError(f"change={change!r}, but it is a dict: {{column: value}}.")
    columns = state.tail.columns
    past_names = [name for name in change if name not in columns.future]
    _check_known(past_names, columns, df)
    panel = None
    if df is not None:
        panel = from_first_value(from_frame(df, columns, clock=state.tail.clock))
        state, spacing = engine.read(panel), panel.spacing
    check_horizon(h, len(state.tail))
    coming = other = future_frame(future, state.tail, h, spacing=spacing)
    before, said = engine.point(state, coming), []
    for name, wanted in change.items():
        if name in columns.future:
            values, words = _with_column(coming, name, coming.future[name], wanted)
            other = replace(other, future={**other.future, name: values})
            said.append(f"coming {name} {words}")
        elif panel is not None:
            panel, words = _with_past(panel, name, wanted)
            said.append(f"past {name} {words}")
    if past_names and panel is not None:
        state = engine.read(panel)
    return Supposed(tuple(said), coming, before, engine.point(state, other))


def _check_known(names: Sequence[str], columns: Columns, df: Any) -> None:
    """Refuse columns of the past that are none, or are not given."""
    known = [*columns.future, columns.target, *columns.past]
    for name in names:
        if name not in known:
            raise OptionError(f"There is no column {name!r} to change. {near(str(name), known)}")
    if names and df is None:
        raise OptionError(
            f"{names[0]!r} is known of the past alone, which the model does not keep: give the "
            "rows of the series too, df=."
        )


def _with_column(panel: Panel, name: str, old: Array, change: Any) -> tuple[Array, str]:
    """Change a column of every series."""
    steps, value, words = read_change(change)
    new = old.copy()
    for start, stop in zip(panel.offsets, panel.offsets[1:], strict=False):
        made = new_values(name, old[start:stop][steps], value)
        kept = new[start:stop].copy()
        try:
            kept[steps] = made
        except (TypeError, ValueError):
            shown = made[0] if len(made) else value
            raise OptionError(f"{name!r} holds numbers, but the change gives {shown!r}.") from None
        new[start:stop] = kept
    return new, words


def _with_past(panel: Panel, name: str, change: Any) -> tuple[Panel, str]:
    """Change the target, or a past covariate."""
    if name == panel.columns.target:
        target, words = _with_column(panel, name, panel.target, change)
        return replace(panel, target=target, observed=~np.isnan(target)), words
    values, words = _with_column(panel, name, panel.past[name], change)
    return replace(panel, past={**panel.past, name: values}), words
