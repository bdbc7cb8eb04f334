"""What missing values cost a forecast, by pattern and by treatment, in a series that is known.

    python benchmarks/missing_treatments.py [--quick] [--shares 0.2 0.6] [--seeds 3]

Three hourly channels with a daily and a weekly season and correlated noise. Values are taken away
after a pattern, in training and test part alike; the first channel is forecast 1, 3 and 6 hours
ahead. Only observed answers are trained on, but all answers of the test part are asked for, as they
were before anything was taken away. A figure is the error divided by that of the same network,
trained and tested on complete data.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from known_series import HORIZONS, HOUR, PATTERNS, World, after, draw_world, foretold

from recurra import Regressor, Training
from recurra.auditing import audit
from recurra.data import Preprocessor, SequenceDataset, Stream
from recurra.data.batching import windows
from recurra.data.sequences import Target
from recurra.data.treatments import (
    Calendar,
    Duplicates,
    Fill,
    Gaps,
    Indicators,
    Scale,
    SinceObserved,
    Treatment,
)

WINDOW = 48
SHARES = (0.05, 0.2, 0.6, 0.9)


# ---------------------------------------------------------------- the treatments


@dataclass(frozen=True)
class Way:
    """A way to deal with what is missing; numbers are scaled and the calendar is added before.

    Parameters
    ----------
    fill : Fill, optional
        What fills holes.
    marks : tuple of Treatment
        What tells the network of holes.
    layer : str
        The layer.
    """

    fill: Fill | None
    marks: tuple[Treatment, ...] = (Indicators(), SinceObserved(cap=7 * 86400.0))
    layer: str = "gru"

    @property
    def treatments(self) -> list[Treatment]:
        """In order."""
        return [*BEFORE, *([self.fill] if self.fill else []), *self.marks]


BEFORE: tuple[Treatment, ...] = (Scale(), Calendar(("hour", "weekday")))
WAYS = {
    "mean alone": Way(Fill("mean"), ()),
    "forward alone": Way(Fill("forward"), ()),
    "mean": Way(Fill("mean")),
    "forward": Way(Fill("forward")),
    "linear": Way(Fill("linear", ("forward", "mean"))),
    "time": Way(Fill("time", ("forward", "mean"))),
    "seasonal": Way(Fill("seasonal", ("forward", "mean"), period="hour of week")),
    "knn": Way(Fill("knn", rows=1000)),
    "regression": Way(Fill("regression")),
    "GRU-D": Way(None, (), layer="grud"),
}
ADVISED = Way(Fill("forward", ("regression", "mean"), limit=6), (Indicators(),))
"""The last value for some hours, then what the calendar and the other channels say."""
BOUNDS = {0.05: 0.06, 0.2: 0.2, 0.6: 0.5, 0.9: 0.9}
"""How far the advised way may stay behind complete data, by share."""
CLOSE = {0.05: 0.07, 0.2: 0.1, 0.6: 0.15, 0.9: 0.3}
"""How far it may stay behind the best forecast there is."""
NEVER_SEEN = 0.5
"""From this share on, most hours or weekdays are never observed where holes keep to them: the best
forecast knows their season, and nothing else can. There is no bound then."""


def dataset(world: World, which: int, observed: np.ndarray) -> SequenceDataset:
    """Make a data set of a part."""
    rows = world.part(which)
    values = np.where(observed[rows], world.values[rows], np.nan)
    return _dataset(values, world.clock.times[rows])


def _dataset(values: np.ndarray, times: np.ndarray) -> SequenceDataset:
    seen = ~np.isnan(values)
    stream = Stream(
        values,
        np.array([0, len(times)]),
        ("a", "b", "c"),
        observed=None if seen.all() else seen,
        times=times,
        clock="calendar",
        zone="UTC",
    )
    return SequenceDataset(("all",), {"values": stream})


def cut(data: SequenceDataset, answers: np.ndarray, stride: int) -> SequenceDataset:
    """Cut windows, and look up the answers of each one's last hour."""
    made, first = windows(data, WINDOW, stride), data.stream.clock_times[0]
    last = made.stream.clock_times[made.stream.offsets[1:] - 1]
    outputs = tuple(f"h={h}" for h in HORIZONS)
    return made.with_targets(y=Target(answers[(last - first) // HOUR], outputs=outputs))


# ------------------------------------------------------------------ the forecasts


@dataclass(frozen=True)
class Bench:
    """How much is computed.

    Parameters
    ----------
    stride : int
        Hours between windows.
    steps, hidden : int
        Of the training, and of the network.
    """

    stride: int = 5
    steps: int = 300
    hidden: int = 24

    def error(
        self, world: World, observed: np.ndarray, way: Way | list[Treatment], seed: int = 0
    ) -> float:
        """Train a network on what was observed, test it on all answers: root mean squared error."""
        known = np.where(observed[:, 0], world.values[:, 0], np.nan)
        parts = [
            (dataset(world, which, observed), after(world, series)[world.part(which)])
            for which, series in enumerate((known, world.values[:, 0]))
        ]
        layer = way.layer if isinstance(way, Way) else "gru"
        treatments = way.treatments if isinstance(way, Way) else way
        return self.error_of(parts, treatments, layer, seed)

    def error_of(
        self,
        parts: list[tuple[SequenceDataset, np.ndarray]],
        treatments: list[Treatment],
        layer: str,
        seed: int,
    ) -> float:
        """Train on one part, test on the other; answers are those of each hour.

        From a fill that looks ahead on, treatments see one window at a time; those before may look
        back to the beginning of a part.
        """
        ahead = [isinstance(one, Fill) and not one.causal for one in treatments]
        first = ahead.index(True) if any(ahead) else len(treatments)
        before, (train, test) = Preprocessor(treatments[:first]), parts
        learn = cut(before.fit_transform(train[0]), train[1], self.stride)
        ask = cut(before.transform(test[0]), test[1], self.stride)
        model = Regressor(
            layer,
            hidden_size=self.hidden,
            pooling="last",
            input_dropout=0.0,
            dropout=0.0,
            treatments=treatments[first:],
            validation=0.0,
            training=Training(self.steps, 64, learning_rate=1e-2, warmup=20, progress=False),
            seed=seed,
        ).fit(learn)
        miss = model.predict(ask) - ask.target.values
        return float(np.sqrt(np.nanmean(miss**2)))

    def best(self, world: World, observed: np.ndarray) -> float:
        """The error of the best forecast there is, at the same windows."""
        miss = foretold(world, observed) - after(world, world.values[:, 0])[world.part(1)]
        return float(np.sqrt(np.nanmean(miss[WINDOW - 1 :: self.stride] ** 2)))


def audited(world: World, observed: np.ndarray) -> list[Treatment]:
    """What the audit of the training part recommends, and the calendar."""
    found = audit(dataset(world, 0, observed), target="a").recommended
    return [*found.treatments, BEFORE[1]]


# ------------------------------------------------------------- stamps that repeat


def repeated(
    world: World, share: float, kind: str, rng: np.random.Generator
) -> list[tuple[SequenceDataset, np.ndarray]]:
    """Both parts, with a share of the steps in two rows of one stamp, and answers.

    ``"halves"``: each channel stands in one of the two rows. ``"readings"``: both rows have all
    channels, each with an error of its own.
    """
    values, parts = world.values.copy(), []
    twice = rng.random(len(values)) < share
    other = np.full_like(values, np.nan)
    if kind == "halves":
        where = twice[:, None] & (rng.random(values.shape) < 0.5)
        other[where], values[where] = values[where], np.nan
        known = world.values[:, 0]
    else:
        other[twice] = values[twice] + rng.normal(0, 0.5, (twice.sum(), 3))
        values[twice] += rng.normal(0, 0.5, (twice.sum(), 3))
        known = np.where(twice, (values + other)[:, 0] / 2, values[:, 0])
    for which, series in enumerate((known, world.values[:, 0])):
        part = world.part(which)
        rows = np.repeat(np.arange(part.start, part.stop), 1 + twice[part])
        later = np.r_[False, rows[1:] == rows[:-1]]
        read = np.where(later[:, None], other[rows], values[rows])
        parts.append((_dataset(read, world.clock.times[rows]), after(world, series)[part]))
    return parts


DOUBLES: dict[str, tuple[Treatment, ...]] = {
    "as they are": (*BEFORE, Fill("forward"), Indicators(), Gaps()),
    "first": (Duplicates("first"), *BEFORE),
    "last": (Duplicates("last"), *BEFORE),
    "mean": (Duplicates("mean"), *BEFORE),
}


# --------------------------------------------------------------------- the tables


def row(*cells: object) -> None:
    """Print a row of a table."""
    said = (f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells)
    print(f"| {' | '.join(said)} |", flush=True)


def heading(*names: str) -> None:
    """Print the first two rows of a table."""
    row(*names)
    row(*("---" for _ in names))


def main() -> None:
    """Print the tables, and whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="20 % only, and one seed")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.2, 0.6], help="of all ways")
    parser.add_argument("--seeds", type=int, default=2, help="of the advised way")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    begun = perf_counter()
    shares, seeds = ([0.2], 1) if options.quick else (options.shares, options.seeds)
    bench, world = Bench(), draw_world(np.random.default_rng(0))
    everything = np.ones(world.values.shape, bool)
    whole = [bench.error(world, everything, list(BEFORE), seed) for seed in range(seeds)]
    best = bench.best(world, everything)
    print(f"Complete data: error {np.mean(whole):.3f}; the best there is {best:.3f}.")
    for share in shares:
        all_ways(bench, world, share, whole[0])
    stamps(bench, world, shares, whole[0])
    held = [advised(bench, world, share, whole) for share in (shares if options.quick else SHARES)]
    print(f"\n{perf_counter() - begun:.0f} s")
    if not all(held):
        raise SystemExit(1)


def all_ways(bench: Bench, world: World, share: float, whole: float) -> None:
    """Print every way at a share."""
    print(f"\n{share:.0%} missing: error / error on complete data\n")
    heading("pattern", "lost", *WAYS, "audit", "advised", "best there is")
    for name, damage in PATTERNS.items():
        observed = damage.observed(share, world, np.random.default_rng(0))
        ways = [*WAYS.values(), audited(world, observed), ADVISED]
        cells = [bench.error(world, observed, way) / whole for way in ways]
        row(name, f"{1 - observed.mean():.0%}", *cells, bench.best(world, observed) / whole)


def stamps(bench: Bench, world: World, shares: list[float], whole: float) -> None:
    """Print what becomes of stamps that repeat."""
    print("\nStamps in two rows: error / error on complete data\n")
    heading("rows", "share", *DOUBLES)
    for kind in ("halves", "readings"):
        for share in shares:
            parts = repeated(world, share, kind, np.random.default_rng(0))
            errors = [bench.error_of(parts, list(ways), "gru", 0) for ways in DOUBLES.values()]
            row(kind, f"{share:.0%}", *(error / whole for error in errors))


def advised(bench: Bench, world: World, share: float, whole: list[float]) -> bool:
    """Print the advised way, each seed with holes of its own; say whether it keeps its bounds."""
    bound, close, held = BOUNDS[share], CLOSE[share], True
    said = f"at most {bound:.0%} behind complete data, {close:.0%} behind the best there is"
    print(f"\nAdvised, {share:.0%} missing: {said}\n")
    heading("pattern", *(f"seed {seed}" for seed in range(len(whole))), "/ best there is", "holds")
    for name, damage in PATTERNS.items():
        ratios, behind = [], []
        for seed, complete in enumerate(whole):
            observed = damage.observed(share, world, np.random.default_rng(seed))
            error = bench.error(world, observed, ADVISED, seed)
            ratios.append(error / complete)
            behind.append(error / bench.best(world, observed))
        within = max(ratios) <= 1 + bound and max(behind) <= 1 + close
        if damage.pattern == "seasonal" and share > NEVER_SEEN:
            row(name, *ratios, max(behind), "no bound")
            continue
        row(name, *ratios, max(behind), "yes" if within else "NO")
        held &= within
    return held


if __name__ == "__main__":
    main()
