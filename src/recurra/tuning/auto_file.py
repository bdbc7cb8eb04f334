"""A fitted AutoForecaster as a header and arrays, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
import pandas as pd

from recurra.data import Columns, Panel
from recurra.errors import FileError
from recurra.estimators import Forecaster
from recurra.estimators.learning.restoring import SCHEMA, agree, check_header, options_of
from recurra.layers.checked import attempt
from recurra.tuning.auto_ensemble import Ensemble
from recurra.tuning.auto_leaderboard import Leaderboard
from recurra.tuning.auto_members import BaselineMember, NetworkMember, make_baselines
from recurra.tuning.auto_treatments import TREATMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recurra.types import Array

__all__ = ["pack", "unpack"]

PANEL = {"offsets": "int64", "times": "int64", "target": "float64"}


class _Member(TypedDict):
    name: str
    weight: float
    treatment: str | None
    changes: dict[str, str | int | float]
    model: dict[str, Any] | None


class _Row(TypedDict):
    rank: int
    model: str
    options: str
    OWA: float | None
    MASE: float | None
    sMAPE: float | None
    RMSE: float | None
    seconds: float
    weight: float | None
    state: Literal["whole", "cut short", "failed"]
    error: str


class _Board(TypedDict):
    measure: str
    judged_on: str
    rows: list[_Row]


HEADER: dict[str, Any] = {
    "parameters": dict[str, Any],
    "backend": Literal["pandas", "polars", "pyarrow"],
    "season_lengths": tuple[int, ...],
    "notes": tuple[str, ...],
    "leaderboard": _Board,
    "members": list[_Member],
    "leader": int,
    "reach": float | None,
}
"""What the header of a file holds, besides its class and its schema."""


def pack(model: Any, ensemble: Ensemble) -> tuple[dict[str, Any], dict[str, Array]]:
    """Write down a fitted model.

    Parameters
    ----------
    model : AutoForecaster
        Fitted.
    ensemble : Ensemble
        What it forecasts with.

    Returns
    -------
    header : dict
        What JSON holds.
    arrays : dict of str to ndarray
        The numbers.
    """
    parameters = model.get_params(deep=False)
    board = model.leaderboard_
    rows = board.table.astype(object).where(board.table.notna(), None).to_dict("records")
    arrays: dict[str, Array] = {name: getattr(ensemble.panel, name) for name in PANEL}
    members = []
    for i, (each, weight) in enumerate(zip(ensemble.members, ensemble.weights, strict=True)):
        told: dict[str, Any] = {"name": each.name, "weight": weight}
        told |= {"treatment": None, "changes": {}, "model": None}
        if isinstance(each, NetworkMember):
            header, own = each.model._packed()
            arrays |= {f"{i}.{name}": array for name, array in own.items()}
            told |= {"treatment": each.treatment, "changes": each.changes, "model": header}
        members.append(told)
    header = {
        "estimator": type(model).__name__,
        "schema": SCHEMA,
        "parameters": parameters
        | {"columns": asdict(model.columns), "training": asdict(model.training)},
        "backend": model._backend,
        "season_lengths": model.season_lengths_,
        "notes": model.notes_,
        "leaderboard": {"measure": board.measure, "judged_on": board.judged_on, "rows": rows},
        "members": members,
        "leader": ensemble.leader,
        "reach": None if ensemble.reach == np.inf else ensemble.reach,
    }
    return header, arrays


def unpack(kind: Any, header: dict[str, Any], arrays: dict[str, Array]) -> Any:
    """Take up what :func:`pack` wrote.

    Parameters
    ----------
    kind : type
        AutoForecaster.
    header : dict
        The header.
    arrays : dict of str to ndarray
        The arrays.

    Returns
    -------
    AutoForecaster
        It answers the same to the bit.
    """
    told = check_header(header, HEADER)
    model = kind(**options_of(kind, told["parameters"]))
    attempt(model._check_options)
    model._backend, model.notes_ = told["backend"], told["notes"]
    model.season_lengths_ = told["season_lengths"]
    season = min(told["season_lengths"], default=1)
    board = told["leaderboard"]
    table = pd.DataFrame(board["rows"], columns=list(_Row.__annotations__))
    numbers = dict.fromkeys(("OWA", "MASE", "sMAPE", "RMSE", "weight"), float)
    model.leaderboard_ = Leaderboard(table.astype(numbers), board["measure"], board["judged_on"])
    known = tuple(f"{i}." for i in range(len(told["members"])))
    for name in arrays:
        if name not in PANEL and not name.startswith(known):
            raise FileError(f"The file has an array {name[:80]!r} that nothing needs.")
    members = [_member(each, season, _own(arrays, i)) for i, each in enumerate(told["members"])]
    model._ensemble = _ensemble(told, members, arrays)
    return model


def _own(arrays: Mapping[str, Array], i: int) -> dict[str, Array]:
    """The arrays of one member."""
    start = f"{i}."
    return {k.removeprefix(start): each for k, each in arrays.items() if k.startswith(start)}


def _member(told: _Member, season: int, arrays: dict[str, Array]) -> Any:
    """Make one member."""
    if told["model"] is None:
        known = {each.name: each for each in make_baselines(season)}
        if told["name"] not in known or arrays:
            raise FileError(f"header.members has {told['name'][:80]!r}, which is no baseline here.")
        return known[told["name"]]
    if told["treatment"] not in TREATMENTS:
        raise FileError("header.members has a treatment that this version does not know.")
    model = Forecaster._restore(told["model"], arrays)
    return NetworkMember(model, told["treatment"], season, told["changes"])


def _ensemble(told: dict[str, Any], members: list[Any], arrays: Mapping[str, Array]) -> Ensemble:
    """Join the members, where the series end."""
    leader = told["leader"]
    if not 0 <= leader < len(members) or not isinstance(members[leader], NetworkMember):
        raise FileError("header.leader must be the place of a network among header.members.")
    reach = np.inf if told["reach"] is None else told["reach"]
    weights = [each["weight"] for each in told["members"]]
    if min(weights) < 0 or not np.isclose(sum(weights), 1.0):
        raise FileError("The weights of header.members must be shares of 1.")
    found = Ensemble(members, weights, leader, reach)
    panel = _panel(members[leader].model._state.tail, arrays)
    for each in members:
        if isinstance(each, BaselineMember):
            each.stand(panel)
        else:
            agree(len(each.model._state.tail), len(panel), "series of a member")
            each._back = each.treated(panel)
    found.panel = panel
    return found


def _panel(tail: Panel, arrays: Mapping[str, Array]) -> Panel:
    """The series that baselines forecast from."""
    for name, kind in PANEL.items():
        if name not in arrays or arrays[name].ndim != 1 or str(arrays[name].dtype) != kind:
            raise FileError(f"The file must have {name!r}, numbers of type {kind} in a row.")
    offsets, times, target = (arrays[name] for name in PANEL)
    ends = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, -1)
    rising = len(offsets) == len(tail) + 1 and bool((np.diff(offsets) > 0).all())
    if not rising or ends != (0, len(times)) or len(times) != len(target):
        raise FileError("offsets, times and target must be of as many rows and series.")
    columns = Columns(tail.columns.id, tail.columns.time, tail.columns.target)
    observed = ~np.isnan(target)
    return Panel(tail.ids, offsets, times, target, observed, {}, {}, {}, tail.clock, columns)
