"""A fitted forecaster as a header and arrays, and back."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
import torch

from recurra.data import Clock, Columns, CovariateEncoder, Panel
from recurra.data.panel.covariates import CategoryColumn, RealColumn
from recurra.errors import FileError, OptionError
from recurra.estimators.forecasting.forecast_engine import Engine
from recurra.estimators.forecasting.forecast_inputs import CYCLES, InputReader
from recurra.estimators.forecasting.forecast_state import State
from recurra.layers.checked import attempt, build_network, check_sizes
from recurra.models import History, LocalFeatures, Pace
from recurra.training import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recurra.models import ForecastNetwork
    from recurra.types import Array

__all__ = ["HEADER", "check_arrays", "pack_engine", "pack_state", "unpack_engine", "unpack_state"]

WEIGHTS = "network."
ROLES = ("past", "future", "static")
ZONE = re.compile(r"(?!dateutil)[A-Za-z](?:[\w+-]|[/:.()](?![/.]))*")  # never a path
UNITS = ("s", "ms", "us", "ns")


class _Local(TypedDict):
    lags: list[int]
    decay: float
    floor: float


class _Engine(TypedDict):
    local: _Local
    encoder: dict[Literal["past", "future", "static"], dict[str, RealColumn | CategoryColumn]]
    calendar: list[str]
    usual_gap: float


class _State(TypedDict):
    ids: tuple[str | int | float, ...]
    clock: Clock
    columns: Columns
    text: dict[str, list[str | None]]


HEADER: dict[str, Any] = {
    "parameters": dict[str, Any],
    "backend": Literal["pandas", "polars", "pyarrow"],
    "season_lengths": tuple[int, ...],
    "notes": tuple[str, ...],
    "log": Log,
    "engine": _Engine,
    "state": _State,
}
"""What the header of a file holds, besides its class and its schema."""


def pack_engine(engine: Engine) -> tuple[dict[str, Any], dict[str, Array]]:
    """Write down a trained network and how it reads.

    Parameters
    ----------
    engine : Engine
        The engine.

    Returns
    -------
    header : dict
        What JSON holds.
    arrays : dict of str to ndarray
        The weights.
    """
    local, reader = engine.local, engine.reader
    header = {
        "local": {"lags": local.lags, "decay": local.decay, "floor": local.floor},
        "encoder": reader.encoder.to_dict(),
        "calendar": reader.calendar,
        "usual_gap": reader.usual_gap,
    }
    weights = engine.network.state_dict()
    return header, {WEIGHTS + name: each.numpy() for name, each in weights.items()}


def unpack_engine(
    header: Mapping[str, Any],
    sizes: Mapping[str, int],
    arrays: Mapping[str, Array],
    new_network: Callable[[LocalFeatures, InputReader], ForecastNetwork],
) -> Engine:
    """Take up what :func:`pack_engine` wrote.

    Parameters
    ----------
    header : mapping
        The header, made.
    sizes : mapping of str to int
        The sizes of the network besides, to be held against the arrays.
    arrays : mapping of str to ndarray
        The arrays.
    new_network : callable
        Builds the network whose weights are replaced.

    Returns
    -------
    Engine
        As it was, to the bit.
    """
    weights = {k.removeprefix(WEIGHTS): v for k, v in arrays.items() if k.startswith(WEIGHTS)}
    check_sizes(dict(sizes), weights, "header.parameters")
    if not header["local"]["lags"] or min(header["local"]["lags"]) < 1:
        raise FileError("header.engine.local.lags must be whole numbers from 1 on.")
    local = LocalFeatures(**header["local"])
    for name in header["calendar"]:
        if name.partition("_")[0] not in ("sin", "cos") or name.partition("_")[2] not in CYCLES:
            raise FileError(f"header.engine.calendar has {name[:80]!r}, which no calendar has.")
    encoder = CovariateEncoder({role: header["encoder"].get(role, {}) for role in ROLES})
    reader = InputReader(encoder, header["calendar"], header["usual_gap"])
    network: Any = build_network(lambda: new_network(local, reader), weights)
    return Engine(network, local, reader)


def check_arrays(header: Mapping[str, Any], engine: Engine, arrays: Mapping[str, Array]) -> None:
    """Refuse arrays that are not where these series can stand.

    Parameters
    ----------
    header : mapping
        The header of the state, made.
    engine : Engine
        The engine.
    arrays : mapping of str to ndarray
        All arrays of the file.

    Raises
    ------
    FileError
        If one is missing, too many, or of another type or shape; or the clock is none.
    """
    clock, size = header["clock"], len(header["ids"])
    if clock.zone is not None and not ZONE.fullmatch(clock.zone):
        raise FileError(f"header.state.clock.zone is {clock.zone[:80]!r}, which is no time zone.")
    if clock.unit not in UNITS and not (clock.kind == "integer" and _is_integer(clock.unit)):
        raise FileError(f"header.state.clock.unit is {clock.unit[:80]!r}, which is no unit.")
    if not size:
        raise FileError("header.state.ids is empty, but there must be a series.")
    layer: Any = engine.network.layer
    one = np.zeros(1, layer.weight_ih_l0.detach().numpy().dtype)
    states = attempt(lambda: layer(torch.zeros(1, 1, layer.input_size))[1])
    each = states if isinstance(states, tuple) else (states,)
    steps = arrays["factors"].shape[1:2] if "factors" in arrays else ()
    levels = arrays["levels"].shape[:1] if "levels" in arrays else ()
    wanted: dict[str, tuple[tuple[int, ...], str]] = {
        **{f"layer.{k}": ((len(s), size, s.shape[-1]), str(one.dtype)) for k, s in enumerate(each)},
        "recent": ((size, 1 + max(engine.local.lags)), "float64"),
        **dict.fromkeys((*Pace._fields, "target"), ((size,), "float64")),
        **dict.fromkeys(("times", "spacing"), ((size,), "int64")),
        "levels": (levels, "float64"),
        "factors": ((*levels, *steps), "float64"),
    }
    for role in ROLES:
        for name in getattr(header["columns"], role):
            key = f"{role}.{name}"
            if key in header["text"]:
                _check_length(header["text"][key], size, key)
            else:
                kind = str(arrays[key].dtype) if key in arrays else "float64"
                wanted[key] = ((size,), kind if kind in ("bool", "float64") else "float64")
    _check_all({k: v for k, v in arrays.items() if not k.startswith(WEIGHTS)}, wanted)


def _is_integer(unit: str) -> bool:
    """Say whether this is a type of whole numbers."""
    return re.fullmatch(r"u?int(8|16|32|64)", unit) is not None


def _check_length(column: list[str | None], size: int, key: str) -> None:
    if len(column) != size:
        raise FileError(f"header.state.text.{key} has {len(column)} rows for {size} series.")


def _check_all(
    arrays: Mapping[str, Array], wanted: Mapping[str, tuple[tuple[int, ...], str]]
) -> None:
    """Hold names, shapes and types of arrays against those that are wanted."""
    for name, (shape, kind) in wanted.items():
        if name not in arrays:
            raise FileError(f"The file lacks the array {name[:80]!r}.")
        if arrays[name].shape != shape or str(arrays[name].dtype) != kind:
            found = f"{arrays[name].dtype} with shape {arrays[name].shape}"
            raise FileError(f"{name[:80]!r} is of {found}, but must be {kind} with shape {shape}.")
    for name in arrays:
        if name not in wanted:
            raise FileError(f"The file has an array {name[:80]!r} that nothing needs.")


def pack_state(state: State) -> tuple[dict[str, Any], dict[str, Array]]:
    """Write down where every series stands.

    Parameters
    ----------
    state : State
        After the newest row of every series.

    Returns
    -------
    header : dict
        What JSON holds: identifiers, clock, columns, text.
    arrays : dict of str to ndarray
        What it does not.
    """
    tail, layer = state.tail, state.layer
    tensors = {"recent": state.history.recent, **state.history.pace._asdict()}
    layers = layer if isinstance(layer, tuple) else (layer,)
    tensors |= {f"layer.{k}": each for k, each in enumerate(layers)}
    arrays = {name: each.numpy() for name, each in tensors.items()}
    arrays |= {"times": tail.times, "target": tail.target}
    text: dict[str, list[str | None]] = {}
    for role in ROLES:
        for name, column in getattr(tail, role).items():
            if column.dtype == object:
                text[f"{role}.{name}"] = column.tolist()
            else:
                arrays[f"{role}.{name}"] = column
    header = {
        "ids": [_plain(each) for each in tail.ids],
        "clock": asdict(tail.clock),
        "columns": asdict(tail.columns),
        "text": text,
    }
    return header, arrays


def unpack_state(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> State:
    """Take up what :func:`pack_state` wrote.

    Parameters
    ----------
    header : mapping
        The header, made.
    arrays : mapping of str to ndarray
        The arrays, checked.

    Returns
    -------
    State
        As it was, to the bit.
    """
    columns, size = header["columns"], len(header["ids"])
    text = {name: np.array(each, dtype=object) for name, each in header["text"].items()}
    covariates = {
        role: {
            name: text[key] if (key := f"{role}.{name}") in text else arrays[key]
            for name in getattr(columns, role)
        }
        for role in ROLES
    }
    tail = Panel(
        ids=header["ids"],
        offsets=np.arange(size + 1),
        times=arrays["times"],
        target=arrays["target"],
        observed=~np.isnan(arrays["target"]),
        clock=header["clock"],
        columns=columns,
        past=covariates["past"],
        future=covariates["future"],
        static=covariates["static"],
    )
    tensors = {name: torch.from_numpy(arrays[name].copy()) for name in ("recent", *Pace._fields)}
    layers = sorted(name for name in arrays if name.startswith("layer."))
    layer = tuple(torch.from_numpy(arrays[name].copy()) for name in layers)
    pace = Pace(*(tensors[name] for name in Pace._fields))
    history = History(tensors["recent"], pace)
    return State(tail, history, layer if len(layer) > 1 else layer[0])


def _plain(name: object) -> str | int | float:
    """Return an identifier as JSON holds it."""
    plain = name.item() if isinstance(name, np.generic) else name
    if isinstance(plain, bool) or not isinstance(plain, str | int | float):
        raise OptionError(
            f"The identifier {name!r} is a {type(name).__name__}, but a model file holds text and "
            "numbers. Give the series such identifiers."
        )
    return plain
