"""Air quality in Beijing, with its 214 gaps as they are: 1, 6 and 24 hours ahead.

    python benchmarks/beijing.py [--seeds 0 1 2]

Learns from the first four fifths of `irr_beijing_pm25` (in the folder RECURRA_DATA), is scored on
the last fifth where the target was observed, and stands beside persistence, the last value seen.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from recurra import Regressor, SequenceDataset, Training
from recurra.data import (
    Calendar,
    Encode,
    Fill,
    Indicators,
    Preprocessor,
    Scale,
    SinceObserved,
    from_long,
    windows,
)

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
HORIZONS = (1, 6, 24)
CONTEXT = 48


def read() -> SequenceDataset:
    """Read the hours; what is missing stays missing."""
    frame = pd.read_csv(DATA / "irr_beijing_pm25" / "hourly_beijing_pm.csv.gz")
    frame["time"] = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    frame["station"] = "embassy"
    channels = ["pm2.5", "DEWP", "TEMP", "PRES", "cbwd", "Iws", "Is", "Ir"]
    return from_long(frame, id="station", time="time", channels=channels)


def parts(data: SequenceDataset) -> tuple[SequenceDataset, SequenceDataset]:
    """Cut windows; those whose answers all come before the last fifth, and those whose do not."""
    rows = data.stream.rows
    cut = int(rows * 0.8)
    whole = windows(data, CONTEXT, horizons=HORIZONS, target="pm2.5")
    ends = np.array([start for _, start in whole.ids]) + CONTEXT
    whole = replace(whole, groups=ends // 720)
    train, test = (
        whole.take(np.flatnonzero(ends + 24 <= cut)),
        whole.take(np.flatnonzero(ends >= cut)),
    )
    return train, test


def errors(test: SequenceDataset, told: np.ndarray) -> np.ndarray:
    """Root mean squared error for each horizon, over answers that were observed."""
    actual, known = test.target.values, test.target.observed
    squared = np.where(known, (told - np.where(known, actual, 0.0)) ** 2, 0.0)
    return np.sqrt(squared.sum(0) / known.sum(0))


def persistence(test: SequenceDataset) -> np.ndarray:
    """Repeat the last value observed."""
    fill = Preprocessor([Fill("forward", channels=["pm2.5"])])
    filled = fill.fit_transform(test).stream
    last = filled.values[filled.offsets[1:] - 1, filled.channel("pm2.5")]
    return np.repeat(last[:, None], len(HORIZONS), 1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    data = read()
    train, test = parts(data)
    print(
        f"{len(train)} windows to learn from, {len(test)} to be scored, answers observed: "
        f"{test.target.observed.sum(0)}"
    )
    print(f"{'persistence':24}", errors(test, persistence(test)).round(2))
    treatments = [
        Encode(),
        Scale("standard"),
        Fill("forward"),
        Indicators(),
        SinceObserved(),
        Calendar(),
    ]
    for seed in options.seeds:
        start = time.perf_counter()
        model = Regressor(
            treatments=treatments,
            pooling="last",
            shortcut=True,
            training=Training(
                1500,
                128,
                learning_rate=2e-3,
                weight_decay=1e-2,
                progress=False,
                check_every=100,
                patience=5,
            ),
            seed=seed,
        ).fit(train)
        found = errors(test, model.predict(test))
        print(
            f"{f'Regressor, seed {seed}':24}",
            found.round(2),
            f"{time.perf_counter() - start:.0f} s",
            f"{len(model.log_.loss)} steps, best {model.log_.best_step}",
            flush=True,
        )


if __name__ == "__main__":
    main()
