"""AutoETS, AutoTheta and AutoARIMA of statsforecast, for benchmarks/auto_forecaster.py.

Runs in an environment of its own (requirements-statsforecast.txt), on a table of series with the
columns unique_id, ds (whole numbers) and y, and writes the forecasts and the seconds they took.

    python peer_statsforecast.py series.csv --h 18 --season-length 12 --model AutoETS --out ets.csv
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from statsforecast import StatsForecast, models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("series", type=Path)
    parser.add_argument("--h", type=int, required=True)
    parser.add_argument("--season-length", type=int, required=True)
    parser.add_argument("--model", choices=["AutoETS", "AutoTheta", "AutoARIMA"], required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    frame = pd.read_csv(options.series, dtype={"unique_id": str})
    model = getattr(models, options.model)(season_length=options.season_length)
    first = frame[frame["unique_id"] == frame["unique_id"].iloc[0]]
    StatsForecast([models.Naive()], freq=1).forecast(df=first, h=1)  # its first call compiles
    begun = time.perf_counter()
    table = StatsForecast([model], freq=1, n_jobs=1).forecast(df=frame, h=options.h)
    seconds = time.perf_counter() - begun
    table.to_csv(options.out, index=False)
    told = {"model": options.model, "seconds": seconds, "version": version("statsforecast")}
    options.out.with_suffix(".json").write_text(json.dumps(told))
    print(told)


if __name__ == "__main__":
    main()
