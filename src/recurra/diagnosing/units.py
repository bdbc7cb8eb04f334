"""What gates and units do: how far open, which are dead, how long the state is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from recurra.diagnosing.walking import Walk

if TYPE_CHECKING:
    from recurra.types import Floats

__all__ = ["Gate", "dead_units", "flat_units", "gates_of", "state_norms"]

SHUT = 0.02
"""A gate below it, or above 1 minus it, is saturated: σ' is a tenth of its largest, or less."""
FLAT = 0.98
"""A tanh unit beyond it, either way, is saturated: tanh' is a twenty-fifth of its largest."""
STILL = 1e-4
"""A unit whose deviation over all records and steps is below it says nothing."""
SLOW = 0.1
"""A gate that keeps a state may forget so little that records are a tenth of its memory, as chrono
initialisation wants it (arXiv:1804.11188); beyond that it does nothing else than keep."""


@dataclass(frozen=True)
class Gate:
    """What one gate of a layer does.

    Attributes
    ----------
    name : str
        ``"forget"``, say.
    mean : float
        Over units, records and steps.
    shut, open : float
        Shares of its values below .02 and above .98.
    saturated : float
        Share of its values that are saturated: both of these, but for slow keeping and writing,
        which is how a gate remembers for long.
    units : ndarray, shape (hidden,)
        The mean of each unit.
    """

    name: str
    mean: float
    shut: float
    open: float
    saturated: float
    units: Floats


def gates_of(walk: Walk) -> tuple[Gate, ...]:
    """Look at the gates of a layer.

    Parameters
    ----------
    walk : Walk
        The layer, in one direction.

    Returns
    -------
    tuple of Gate
        None for a layer without gates.
    """
    real = walk.real
    if not walk.gates or not real.any():
        return ()
    slow = min(SHUT, SLOW / max(float(walk.lengths.double().mean()), 1.0))
    found = []
    for name, gate in walk.gates.items():
        values = gate[real]
        shut, ajar = values < SHUT, values > 1 - SHUT
        low, high = shut, ajar
        if name == walk.keeps:
            high = values > 1 - slow
        elif name == "input":  # it writes as slowly as the other forgets
            low = values < slow
        share = float((low | high).double().mean())
        shares = (float(shut.double().mean()), float(ajar.double().mean()))
        found.append(Gate(name, float(values.mean()), *shares, share, values.mean(0).numpy()))
    return tuple(found)


def dead_units(walk: Walk) -> tuple[int, ...]:
    """Name the units that say the same at every step of every record.

    Parameters
    ----------
    walk : Walk
        The layer, in one direction.

    Returns
    -------
    tuple of int
        Their numbers; a relu that is 0 throughout is one of them.
    """
    said = walk.hidden[walk.real]
    if len(said) < 2:
        return ()
    return tuple((said.std(0) < STILL).nonzero()[:, 0].tolist())


def flat_units(walk: Walk) -> float:
    """Say which share of the values of tanh units is saturated.

    Parameters
    ----------
    walk : Walk
        The layer, in one direction.

    Returns
    -------
    float
        0 for cells whose units are no tanh of a sum alone.
    """
    if walk.cell != "elman" or walk.activation != "tanh":
        return 0.0
    said = walk.hidden[walk.real]
    return float((said.abs() > FLAT).double().mean()) if len(said) else 0.0


def state_norms(walk: Walk) -> tuple[Floats, ...]:
    """Measure how long each tensor of the state is after each step.

    Parameters
    ----------
    walk : Walk
        The layer, in one direction.

    Returns
    -------
    tuple of ndarray, each of shape (steps,)
        The root mean square over units and records that have such a step: h, and of an LSTM c.
    """
    real: Tensor = walk.real[..., None]
    count = walk.real.sum(1).clamp(min=1)
    found = []
    for part in range(len(walk.states[0])):
        values = torch.stack([state[part].detach() for state in walk.states[1:]])
        squares = torch.where(real, values, 0.0).pow(2).mean(-1).sum(1)
        found.append((squares / count).sqrt().numpy())
    return tuple(found)
