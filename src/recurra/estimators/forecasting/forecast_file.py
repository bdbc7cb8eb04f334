"""A fitted forecaster as a header and arrays, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from recurra.data import Clock, Columns, CovariateEncoder, Panel
from recurra.errors import OptionError
from recurra.estimators.forecasting.forecast_engine import Engine
from recurra.estimators.forecasting.forecast_inputs import InputReader
from recurra.estimators.forecasting.forecast_state import State
from recurra.models import History, LocalFeatures, Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from recurra.models import ForecastNetwork
    from recurra.types import Array

__all__ = ["pack_engine", "pack_state", "unpack_engine", "unpack_state"]

WEIGHTS = "network."
ROLES = ("past", "future", "static")


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
    arrays: Mapping[str, Array],
    new_network: Callable[[LocalFeatures, InputReader], ForecastNetwork],
) -> Engine:
    """Take up what :func:`pack_engine` wrote.

    Parameters
    ----------
    header : mapping
        The header.
    arrays : mapping of str to ndarray
        The arrays.
    new_network : callable
        Builds the network whose weights are replaced.

    Returns
    -------
    Engine
        As it was, to the bit.
    """
    local = LocalFeatures(**header["local"])
    encoder = CovariateEncoder.from_dict(header["encoder"])
    reader = InputReader(encoder, list(header["calendar"]), header["usual_gap"])
    network = new_network(local, reader).eval()
    weights = {name: torch.tensor(arrays[WEIGHTS + name]) for name in network.state_dict()}
    network.load_state_dict(weights)
    return Engine(network, local, reader)


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
        The header.
    arrays : mapping of str to ndarray
        The arrays.

    Returns
    -------
    State
        As it was, to the bit.
    """
    columns, size = Columns(**header["columns"]), len(header["ids"])
    text = {name: np.array(each, dtype=object) for name, each in header["text"].items()}
    covariates = {
        role: {
            name: text[key] if (key := f"{role}.{name}") in text else arrays[key]
            for name in getattr(columns, role)
        }
        for role in ROLES
    }
    tail = Panel(
        ids=tuple(header["ids"]),
        offsets=np.arange(size + 1),
        times=arrays["times"],
        target=arrays["target"],
        observed=~np.isnan(arrays["target"]),
        clock=Clock(**header["clock"]),
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
