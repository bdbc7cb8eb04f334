"""A series of which everything is known, holes after a known pattern, and the best forecast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recurra.testing.missingness import Clock, plant

HOUR, YEAR = 3_600_000_000_000, 8766
HORIZONS = (1, 3, 6)
LOADS, COMMON, OWN, SIZE = np.array([1.0, 0.9, -0.8]), 0.95, 0.8, 0.6


@dataclass(frozen=True, eq=False)
class World:
    """A series of which everything is known.

    Parameters
    ----------
    clock : Clock
        Two records: the training part, and the test part that follows.
    values, season : ndarray of float64, shape (rows, 3)
        The series, and what of it is season.
    """

    clock: Clock
    values: np.ndarray
    season: np.ndarray

    def part(self, which: int) -> slice:
        """Rows of the training part (0) or of the test part (1)."""
        return slice(*self.clock.offsets[which : which + 2])


def draw_world(rng: np.random.Generator, train: int = 3 * YEAR, test: int = YEAR) -> World:
    """Draw a series: seasons, one noise that all channels share, and one of each channel's own."""
    rows = train + test
    first = np.datetime64("2018-01-01", "ns").astype(np.int64)
    hours = np.arange(rows)
    day, weekend = 2 * np.pi * hours / 24, hours // 24 % 7 >= 5
    season = np.stack(
        [
            a * np.sin(day + shift) + 0.5 * np.cos(2 * day - shift) - b * weekend
            for a, b, shift in ((1.2, 0.8, 0.0), (1.0, 0.4, 0.7), (0.8, -0.6, 2.0))
        ],
        axis=1,
    )
    shared = _noise(COMMON, rows, 1, rng)
    own = SIZE * _noise(OWN, rows, 3, rng)
    clock = Clock("hourly", first + HOUR * hours, np.array([0, train, rows]))
    return World(clock, season + LOADS * shared + own, season)


def _noise(memory: float, rows: int, channels: int, rng: np.random.Generator) -> np.ndarray:
    """Autoregressive noise of variance 1."""
    noise = rng.normal(size=(rows, channels))
    noise[1:] *= np.sqrt(1 - memory**2)
    for row in range(1, rows):
        noise[row] += memory * noise[row - 1]
    return noise


def foretold(world: World, observed: np.ndarray) -> np.ndarray:
    """The best forecast there is in the test part, shape (rows, horizons), by a Kalman filter.

    It knows the seasons and the noise as they were drawn, and all that was observed before.
    """
    rows = world.part(1)
    rest, seen = (world.values - world.season)[rows], observed[rows]
    memory = np.array([COMMON, OWN, OWN, OWN])
    variance = np.array([1.0, SIZE**2, SIZE**2, SIZE**2])
    reads = np.column_stack([LOADS, np.eye(3)])
    state, spread = np.zeros(4), np.diag(variance)
    first = np.empty((len(rest), 4))
    for row in range(len(rest)):
        for channel in np.flatnonzero(seen[row]):
            read = reads[channel]
            gain = spread @ read / (read @ spread @ read + 1e-9)
            state = state + gain * (rest[row, channel] - read @ state)
            spread = spread - np.outer(gain, read @ spread)
        first[row] = state * reads[0]
        state = memory * state
        spread = memory[:, None] * spread * memory + np.diag((1 - memory**2) * variance)
    ahead = np.stack([(first * memory**h).sum(1) for h in HORIZONS], axis=1)
    return ahead + after(world, world.season[:, 0])[rows]


def after(world: World, series: np.ndarray) -> np.ndarray:
    """What comes 1, 3 and 6 hours after each row, shape (rows, horizons); NaN past a part's end."""
    ends = np.repeat(world.clock.offsets[1:], np.diff(world.clock.offsets))
    places = np.arange(len(series))[:, None] + HORIZONS
    there = places < ends[:, None]
    return np.where(there, series[np.minimum(places, len(series) - 1)], np.nan)


# ------------------------------------------------------------------ the patterns


@dataclass(frozen=True)
class Damage:
    """A pattern, and how it strikes.

    Parameters
    ----------
    pattern : str
        One of `PLANTS`.
    whole : bool
        Whether all channels lose the same steps; else each channel after its own draw.
    period : int, optional
        Of the season to be drawn, in hours.
    """

    pattern: str
    whole: bool = False
    period: int | None = None

    def observed(self, share: float, world: World, rng: np.random.Generator) -> np.ndarray:
        """What is left, shape (rows, 3)."""
        masks = [self._mask(share, world, rng) for _ in range(1 if self.whole else 3)]
        return np.repeat(np.stack(masks, 1), 3 // len(masks), axis=1)

    def _mask(self, share: float, world: World, rng: np.random.Generator) -> np.ndarray:
        while True:
            planted = plant(self.pattern, share, world.clock, rng)
            if planted is not None and self.period in (None, planted.period):
                return planted.observed


PATTERNS = {
    "random": Damage("random"),
    "random, whole steps": Damage("random", whole=True),
    "scattered": Damage("scattered"),
    "contiguous": Damage("contiguous"),
    "contiguous, whole steps": Damage("contiguous", whole=True),
    "recurring": Damage("recurring"),
    "periodic": Damage("periodic"),
    "by hour": Damage("seasonal", period=24),
    "by weekday": Damage("seasonal", period=168),
    "yearly": Damage("yearly"),
}
