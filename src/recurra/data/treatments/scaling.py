"""Maps of one channel to the size of a network's inputs, and back; monotone, over all numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.errors import OptionError, near
from recurra.types import Array, Floats

__all__ = [
    "SCALE_METHODS",
    "Scaling",
    "cast",
    "check_method",
    "stacked",
    "unstacked",
]

SCALE_METHODS = ("standard", "robust", "minmax", "quantile", "log", "boxcox", "yeo-johnson")
LARGEST = 1e300
PLAIN, USUAL, CONSTANT, NEVER = range(4)
NUMBERS = ("centre", "spread", "unit", "power")


@dataclass(frozen=True)
class Scaling:
    """The map of one channel: t = T(x), then (t − centre) / spread.

    Parameters
    ----------
    method : str
        One of `SCALE_METHODS`; it says what T is.
    centre, spread : float
        Of T's values.
    unit : float
        What x is divided by in T; for ``"quantile"``, the slope beyond the outermost knots.
    power : float
        The power of Box and Cox, or of Yeo and Johnson.
    knots, scores : ndarray of float64, shape (knots,)
        For ``"quantile"``: where T is known, and its values there. For ``"boxcox"`` the first knot
        is the smallest value in units, below which T goes on as a straight line.
    sort : int
        ``PLAIN`` (0 and 1 only, left alone), ``USUAL``, ``CONSTANT`` or ``NEVER`` observed.

    Examples
    --------
    >>> Scaling("standard", 10.0, 2.0).forward(np.array([10.0, 14.0]))
    array([0., 2.])
    """

    method: str
    centre: float = 0.0
    spread: float = 1.0
    unit: float = 1.0
    power: float = 1.0
    knots: Floats = field(default_factory=lambda: np.zeros(1))
    scores: Floats = field(default_factory=lambda: np.zeros(1))
    sort: int = USUAL

    def forward(self, x: Array) -> Floats:
        """Scale.

        Parameters
        ----------
        x : ndarray
            As it came; NaN stays NaN.

        Returns
        -------
        ndarray of float64
            Of the same shape; finite where `x` is.
        """
        x = np.asarray(x, np.float64)
        if self.sort == PLAIN:
            return x
        with np.errstate(over="ignore", invalid="ignore"):
            return _finite((self._transform(x) - self.centre) / self.spread)

    def backward(self, z: Array) -> Floats:
        """Scale back.

        Parameters
        ----------
        z : ndarray
            As `forward` gives it, or a network.

        Returns
        -------
        ndarray of float64
            Of the same shape; finite where `z` is.
        """
        z = np.asarray(z, np.float64)
        if self.sort == PLAIN:
            return z
        with np.errstate(over="ignore", invalid="ignore"):
            return _finite(self._back(z * self.spread + self.centre))

    def _transform(self, x: Floats) -> Floats:
        if self.method == "log":
            with np.errstate(divide="ignore"):  # of 0; a quotient could overflow
                units = np.log(np.abs(x)) - np.log(self.unit)
            return np.sign(x) * np.logaddexp(0.0, units)
        if self.method == "boxcox":
            from scipy.special import boxcox

            y, least = x / self.unit, self.knots[0]
            curved: Floats = boxcox(np.maximum(y, least), self.power)
            return curved + np.minimum(y - least, 0) * least ** (self.power - 1)
        if self.method == "yeo-johnson":
            from scipy.special import boxcox1p

            y, up = np.abs(x) / self.unit, x >= 0
            found: Floats = np.sign(x) * boxcox1p(y, np.where(up, self.power, 2 - self.power))
            return found
        if self.method == "quantile":
            return _through(x, self.knots, self.scores, 1 / self.unit)
        return x

    def _back(self, t: Floats) -> Floats:
        if self.method == "log":
            return np.sign(t) * np.expm1(np.abs(t)) * self.unit
        if self.method == "boxcox":
            from scipy.special import boxcox, inv_boxcox

            least = self.knots[0]
            edge = boxcox(least, self.power)
            curved: Floats = inv_boxcox(np.maximum(t, edge), self.power)
            return (curved + np.minimum(t - edge, 0) * least ** (1 - self.power)) * self.unit
        if self.method == "yeo-johnson":
            from scipy.special import inv_boxcox1p

            power = np.where(t >= 0, self.power, 2 - self.power)
            found: Floats = np.sign(t) * inv_boxcox1p(np.abs(t), power) * self.unit
            return found
        if self.method == "quantile":
            return _through(t, self.scores, self.knots, self.unit)
        return t


def check_method(method: str) -> None:
    """Refuse an unknown method.

    Parameters
    ----------
    method : str
        One of `SCALE_METHODS`.
    """
    if method not in SCALE_METHODS:
        raise OptionError(f"There is no method {method!r}. {near(str(method), SCALE_METHODS)}")


def stacked(scalings: Sequence[Scaling]) -> dict[str, Array]:
    """Lay the maps of several channels into arrays.

    Parameters
    ----------
    scalings : sequence of Scaling
        One for each channel.

    Returns
    -------
    dict of str to ndarray
        By field; a row for each channel.
    """
    most = max((len(each.knots) for each in scalings), default=1)
    knots, scores = np.full((2, len(scalings), most), np.nan)
    for place, each in enumerate(scalings):
        knots[place, : len(each.knots)], scores[place, : len(each.knots)] = each.knots, each.scores
    return {
        **{name: np.array([getattr(each, name) for each in scalings]) for name in NUMBERS},
        "sort": np.array([each.sort for each in scalings], np.int64),
        "knots": knots,
        "scores": scores,
    }


def unstacked(method: str, arrays: Mapping[str, Array], place: int) -> Scaling:
    """Take the map of one channel out of arrays.

    Parameters
    ----------
    method : str
        One of `SCALE_METHODS`.
    arrays : dict of str to ndarray
        What `stacked` returned.
    place : int
        Which channel.

    Returns
    -------
    Scaling
        Its map.
    """
    centre, spread, unit, power = (float(arrays[name][place]) for name in NUMBERS)
    knots, scores = arrays["knots"][place], arrays["scores"][place]
    there, sort = ~np.isnan(knots), int(arrays["sort"][place])
    return Scaling(method, centre, spread, unit, power, knots[there], scores[there], sort)


def cast(values: Floats, dtype: np.dtype) -> Array:
    """Write numbers in a floating-point type, as its largest where they are past it.

    Parameters
    ----------
    values : ndarray of float64
        The numbers.
    dtype : dtype
        A floating-point type.

    Returns
    -------
    ndarray
        Finite where `values` is.
    """
    most = np.finfo(dtype).max
    return np.clip(values, -most, most).astype(dtype)


def _finite(values: Floats) -> Floats:
    """Keep what overflowed at the largest number."""
    return np.clip(values, -LARGEST, LARGEST)


def _through(x: Floats, knots: Floats, scores: Floats, slope: float) -> Floats:
    """Go straight from knot to knot, and on with one slope beyond them."""
    beyond = x - np.clip(x, knots[0], knots[-1])
    return np.interp(x, knots, scores) + slope * beyond
