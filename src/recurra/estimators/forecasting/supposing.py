"""What would be foretold if a covariate, or the past, were another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recurra.data import Panel, from_frame
from recurra.data.panel.future import future_frame
from recurra.errors import OptionError, near
from recurra.estimators.forecasting.first_values import from_first_value
from recurra.estimators.forecasting.forecast_checks import check_horizon
from recurra.explaining.what_if import WhatIf, new_values, read_change

if TYPE_CHECKING:
    from recurra.estimators.forecasting.forecaster import Forecaster
    from recurra.types import Array

__all__ = ["suppose"]


def suppose(
    model: Forecaster, change: Mapping[str, Any], h: int, future: Any = None, df: Any = None
) -> WhatIf:
    """Forecast twice: as it is, and with something changed.

    Parameters
    ----------
    model : Forecaster
        A fitted one.
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
    WhatIf
        Both forecasts; see `recurra.Forecaster.what_if`.
    """
    if not isinstance(change, Mapping) or not change:
        raise OptionError(f"change={change!r}, but it is a dict: {{column: value}}.")
    columns, tail = model.columns, model._state.tail
    coming_names = [name for name in change if name in columns.future]
    past_names = [name for name in change if name not in columns.future]
    known = [*columns.future, columns.target, *columns.past]
    for name in past_names:
        if name not in known:
            raise OptionError(f"There is no column {name!r} to change. {near(str(name), known)}")
    if past_names and df is None:
        raise OptionError(
            f"{past_names[0]!r} is known of the past alone, which the model does not keep: give the "
            "rows of the series too, df=."
        )
    state, spacing = model._state, model._spacing
    panel = None
    if df is not None:
        panel = from_first_value(from_frame(df, columns, clock=tail.clock))
        state, spacing = model._engine.read(panel), panel.spacing
    check_horizon(h, len(state.tail))
    coming = future_frame(future, state.tail, h, spacing=spacing)
    before = model._engine.point(state, coming)
    said = []
    for name in coming_names:
        values, words = _with_column(coming, name, coming.future[name], change[name])
        coming = replace(coming, future={**coming.future, name: values})
        said.append(f"coming {name} {words}")
    for name in past_names:
        assert panel is not None
        panel, words = _with_past(panel, name, change[name])
        said.append(f"past {name} {words}")
    if past_names and panel is not None:
        state = model._engine.read(panel)
    after = model._engine.point(state, coming)
    keys = model._keys(coming)
    ids, times = ([*keys[name]] for name in (columns.id, columns.time))
    told = {columns.id: ids, columns.time: times}
    return WhatIf(tuple(said), told, before.ravel(), after.ravel(), columns.time)


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
