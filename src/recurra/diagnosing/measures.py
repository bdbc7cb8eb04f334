"""Everything that is measured of a network, before anyone says what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from recurra.diagnosing.calibrating import Reliability, reliability
from recurra.diagnosing.columns import Column
from recurra.diagnosing.curves import Curve, curve_of
from recurra.diagnosing.examined import Examined
from recurra.diagnosing.finite import Broken, broken_weight, watching
from recurra.diagnosing.gradients import (
    ParameterGradient,
    by_parameter,
    lag_norms,
    memory_of,
    rate_of,
)
from recurra.diagnosing.listening import Call, listening
from recurra.diagnosing.remains import Autocorrelation, Relation, autocorrelation, relations
from recurra.diagnosing.units import Gate, dead_units, flat_units, gates_of, state_norms
from recurra.diagnosing.walking import MOST_RECORDS, MOST_STEPS, Walk, walked
from recurra.diagnosing.weights import forget_bias, spectral_radius

if TYPE_CHECKING:
    from recurra.types import Floats

__all__ = ["LayerMeasures", "Measures", "measure", "measure_layer"]

SEASONS, FEWEST_LAGS = 2, 60  # how far residuals are correlated with themselves


@dataclass(frozen=True)
class LayerMeasures:
    """What was measured of one recurrent layer in one direction.

    Attributes
    ----------
    name : str
        Which.
    cell, activation : str
        What it is.
    units : int
        How many.
    steps : int
        Of the longest record that was walked through.
    gradient : ndarray, shape (lags + 1,)
        How strongly the last state depends on that of k steps before, 1 at lag 0.
    memory : float
        The lag at which that falls below 1 %; infinite where it does not.
    rate : float
        The factor by which it changes at each step.
    gates : tuple of Gate
        What its gates do.
    dead : tuple of int
        Units that say the same throughout.
    flat : float
        Share of saturated values of tanh units.
    norms : tuple of ndarray, each of shape (steps,)
        How long h is after each step, and of an LSTM c.
    radius : float
        Spectral radius of what feeds back.
    forget_bias : float
        Of the gate that keeps the state.
    input_size : float
        Root mean square of what it reads.
    """

    name: str
    cell: str
    activation: str
    units: int
    steps: int
    gradient: Floats
    memory: float
    rate: float
    gates: tuple[Gate, ...]
    dead: tuple[int, ...]
    flat: float
    norms: tuple[Floats, ...]
    radius: float
    forget_bias: float
    input_size: float

    @property
    def growth(self) -> float:
        """How many times the gradient grows on its way back, from its least."""
        return float(self.gradient[-1] / max(self.gradient.min(), 1e-30))

    @property
    def kept(self) -> Gate | None:
        """The gate that keeps the state."""
        wanted = {"lstm": "forget", "gru": "update"}.get(self.cell)
        return next((gate for gate in self.gates if gate.name == wanted), None)


@dataclass(frozen=True)
class Measures:
    """Everything that was measured.

    Attributes
    ----------
    task : str
        The class of the estimator.
    records : int
        How many records there are.
    length : float
        The median steps of a record as the first recurrent layer reads it; 0 without one.
    loss : float
        Mean over the batch that was looked at.
    layers : tuple of LayerMeasures
        In the order in which they were called.
    parameters : tuple of ParameterGradient
        The gradient of that loss.
    columns : tuple of Column
        What is read.
    curve : Curve, optional
        How the training went.
    skill : float
        Share of the variance of the answers to whole records that is explained, the least of all
        targets: below 0 where the mean is better; NaN where it is not known.
    probed : bool
        Whether there were residuals to be held against what was read, or against themselves.
    left : tuple of Relation
        What residuals still go with, the largest share first.
    autocorrelation : Autocorrelation, optional
        Of residuals along series.
    seasons : tuple of int
        In steps.
    reliability : Reliability, optional
        Of probabilities.
    by_position : ndarray, shape (steps,), optional
        Mean loss of each step, for tasks that answer at each.
    broken_weight, broken : Broken, optional
        The first weight, and the first thing said, that is not finite.
    hole : tuple, optional
        The first number read that is none: stream, channel, record, row.
    """

    task: str
    records: int
    length: float
    loss: float
    layers: tuple[LayerMeasures, ...] = ()
    parameters: tuple[ParameterGradient, ...] = ()
    columns: tuple[Column, ...] = ()
    curve: Curve | None = None
    skill: float = float("nan")
    probed: bool = False
    left: tuple[Relation, ...] = ()
    autocorrelation: Autocorrelation | None = None
    seasons: tuple[int, ...] = ()
    reliability: Reliability | None = None
    by_position: Floats | None = None
    broken_weight: Broken | None = None
    broken: Broken | None = None
    hole: tuple[str, str, object, int] | None = None

    @property
    def memory(self) -> float:
        """The longest memory of its layers, in steps; 0 without layers."""
        return max((each.memory for each in self.layers), default=0.0)

    @property
    def is_finite(self) -> bool:
        """Whether all that was looked at are numbers."""
        return self.broken is None and self.broken_weight is None and self.hole is None


def measure(
    examined: Examined, seed: int = 0, *, records: int = MOST_RECORDS, steps: int = MOST_STEPS
) -> Measures:
    """Measure everything.

    Parameters
    ----------
    examined : Examined
        What is looked at; its weights and its mode stay as they are.
    seed : int
        Source of chance.
    records, steps : int
        How many are gone through one by one at most.

    Returns
    -------
    Measures
        Where something is not finite, only that.
    """
    weight = broken_weight(examined.network)
    loss, calls, gradients, broken = _run(examined)
    log = examined.log
    found = Measures(
        examined.task,
        examined.records,
        float(np.median(calls[0].lengths)) if calls else 0.0,
        loss,
        columns=examined.columns,
        curve=None if log is None else curve_of(log),
        seasons=examined.seasons,
        broken_weight=weight,
        broken=broken,
        hole=examined.hole,
    )
    if not found.is_finite:
        return found
    walks = [walk for call in calls for walk in walked(call, records, steps)]
    left = [r for each in examined.answers for r in relations(
        each.inputs, each.lengths, each.channels, each.residuals, each.spread)]  # fmt: skip
    chances = examined.chances
    repeats = autocorrelation(examined.series, _lags(examined.seasons))
    told = {
        "skill": _skill(examined),
        "probed": bool(examined.answers) or repeats is not None,
        "layers": tuple(measure_layer(walk, seed) for walk in walks if walk.steps),
        "parameters": gradients,
        "left": tuple(sorted(left, key=lambda each: -each.share)),
        "autocorrelation": repeats,
        "by_position": _by_position(examined),
        "reliability": None
        if chances is None
        else reliability(chances.probabilities, chances.codes, seed),
    }
    return Measures(**{**vars(found), **told})


def measure_layer(walk: Walk, seed: int = 0) -> LayerMeasures:
    """Measure one layer in one direction.

    Parameters
    ----------
    walk : Walk
        What it went through.
    seed : int
        Source of chance.

    Returns
    -------
    LayerMeasures
        All of it.
    """
    norms = lag_norms(walk, seed)
    read = walk.inputs[walk.real].double()
    return LayerMeasures(
        walk.name,
        walk.cell,
        walk.activation,
        walk.states[0][0].shape[-1],
        walk.steps,
        norms,
        memory_of(norms),
        rate_of(norms),
        gates_of(walk),
        dead_units(walk),
        flat_units(walk),
        state_norms(walk),
        spectral_radius(walk),
        forget_bias(walk),
        float(read.pow(2).mean().sqrt()) if read.numel() else 0.0,
    )


def _run(
    examined: Examined,
) -> tuple[float, list[Call], tuple[ParameterGradient, ...], Broken | None]:
    """Compute the loss and its gradient, and hear what the layers are given."""
    network: torch.nn.Module = examined.network
    before = {name: each.grad for name, each in network.named_parameters()}
    training = network.training
    network.eval()
    for each in network.parameters():
        each.grad = None
    try:
        with torch.enable_grad(), listening(network) as calls, watching(network) as broken:
            total, count, *_ = network.loss(examined.batch)  # type: ignore[operator]
        if not broken and torch.isfinite(total):
            total.backward()
        gradients = by_parameter(network, int(count))
    finally:
        for name, each in network.named_parameters():
            each.grad = before[name]
        network.train(training)
    first = broken[0] if broken else None
    value = float(total.detach()) / max(int(count), 1)
    if first is None and not np.isfinite(value):
        first = Broken("loss", (), value, 1)
    return value, calls, gradients, first


def _skill(examined: Examined) -> float:
    found = []
    for each in examined.answers:
        known = np.isfinite(each.residuals).all(1)
        if known.any() and each.spread.sum() > 0:
            squares = (each.residuals[known] ** 2).mean(0).sum()
            found.append(1 - float(squares / each.spread.sum()))
    return min(found, default=float("nan"))


def _lags(seasons: tuple[int, ...]) -> int:
    return max(SEASONS * max(seasons, default=0), FEWEST_LAGS)


def _by_position(examined: Examined) -> Floats | None:
    if examined.losses is None:
        return None
    losses, counted = examined.losses
    counts = counted.sum(0)
    sums = np.where(counted > 0, losses, 0.0).sum(0)
    found: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return found
