"""AutoForecaster beside AutoETS, AutoTheta and AutoARIMA: M3 monthly, and thirteen classics.

What is chosen is chosen on the training part: the test part (of M3 the last 18 months) is looked
at once, for the table. sMAPE, MASE and OWA are those of the M4 competition, against Naive2. Ten
minutes are given to M3, and ten to the classics, a third to each of their three groups. The load
of the machine is printed beside: a minute beside busy neighbours is less than a minute.

The peers run in an environment of their own (benchmarks/forecast_peers); their forecasts are kept
in --folder, and made only where they are not there.

    python -m venv ENV && ENV/bin/pip install -r forecast_peers/requirements-statsforecast.txt
    python benchmarks/auto_forecaster.py --python-statsforecast ENV/bin/python --folder results
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from competitions import DATA, Competition, m3_monthly, row

from recurra import AutoForecaster, Forecaster, Training
from recurra.estimators import Naive2
from recurra.metrics import owa

PEER = Path(__file__).parent / "forecast_peers" / "peer_statsforecast.py"
PEERS = ("AutoTheta", "AutoETS", "AutoARIMA")
CLASSICS = {
    "classics, monthly": (12, 18, {
        "Airline": "Passengers", "monthly-milk": "Pounds per cow", "wineind": "Y",
        "ShampooSales": "Sales", "PBS_dataset": "Scripts", "seatbelts": "KSI",
        "monthly-sunspots": "Sunspots",
    }),
    "classics, quarterly": (4, 8, {
        "ausbeer": "Y", "macrodata": "realgdp", "Uschange": "Consumption",
    }),
    "classics, yearly": (1, 6, {"Lynx": "0", "nile": "volume", "sunspots": "SUNACTIVITY"}),
}  # fmt: skip


def classics(name: str) -> Competition:
    """Series of one clock: season, steps held back, and the column of each file."""
    season, h, columns = CLASSICS[name]
    values = {
        file: pd.read_csv(DATA / "fc_classic" / f"{file}.csv")[column].to_numpy(float)
        for file, column in columns.items()
    }
    train = {file: each[:-h] for file, each in values.items()}
    return Competition(name, train, {file: each[-h:] for file, each in values.items()}, season, {})


def foretold(table: pd.DataFrame, competition: Competition) -> np.ndarray:
    """The last column of a long table, shape (series, h), in the order of the series."""
    by = dict(list(table.groupby("unique_id")[table.columns[-1]]))
    return np.stack([by[name].to_numpy(float) for name in competition.train])


def peer(model: str, competition: Competition, python: str, folder: Path) -> np.ndarray | None:
    """Forecasts of one peer; None where there are none and no environment to make them."""
    stem = competition.name.replace(", ", "-").replace(" ", "-")
    out, series = folder / f"{stem}-{model}.csv", folder / f"{stem}.csv"
    if not out.exists():
        if not python:
            return None
        competition.frame.to_csv(series, index=False)
        told = ["--h", competition.h, "--season-length", competition.season_length]
        call = [python, PEER, series, *told, "--model", model, "--out", out]
        subprocess.run([str(each) for each in call], check=True, stdout=subprocess.DEVNULL)
    return foretold(pd.read_csv(out, dtype={"unique_id": str}), competition)


def run(competition: Competition, seconds: float, seed: int) -> dict[str, np.ndarray]:
    """Forecast with AutoForecaster and with a default Forecaster."""
    frame, season, h = competition.frame, competition.season_length, competition.h
    load, begun = os.getloadavg()[0], time.perf_counter()
    model = AutoForecaster(seconds, horizon=h, season_length=season, seed=seed).fit(frame)
    took = time.perf_counter() - begun
    loads = f"load {load:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores"
    print(f"\n{competition.name}: {len(frame['unique_id'].unique())} series, h={h}")
    print(f"limit {seconds:.0f} s, took {took:.1f} s; {loads}\n{model.leaderboard_}")
    usual = Forecaster(season_length=season, seed=seed, training=Training(progress=False))
    return {
        "AutoForecaster": foretold(model.predict(h), competition),
        "Forecaster, as it is": foretold(usual.fit(frame).predict(h), competition),
    }


def scores(competition: Competition, forecasts: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Print and return sMAPE, MASE and OWA on the test part."""
    reference = competition.baseline(Naive2(competition.season_length))
    found = {"Naive2": [*reference, 1.0]}
    for name, each in forecasts.items():
        score = competition.score(each)
        found[name] = [*score, owa(*score, *reference)]
    print(f"\n{competition.name}, test part{'':16} {'sMAPE':>7} {'MASE':>7} {'OWA':>7}")
    for name, each in sorted(found.items(), key=lambda pair: pair[1][-1]):
        print(f"  {name:28} {row(*each)}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python-statsforecast", default="")
    parser.add_argument("--folder", type=Path, required=True, help="of the peers' forecasts")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["M3", "classics"])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    pd.set_option("display.width", 200)
    jobs = [] if options.only == "classics" else [(m3_monthly(), 60 * options.minutes)]
    if options.only != "M3":
        part = 60 * options.minutes / len(CLASSICS)
        jobs += [(classics(name), part) for name in CLASSICS]
    found = {}
    for competition, seconds in jobs:
        forecasts = run(competition, seconds, options.seed)
        for name in PEERS:
            each = peer(name, competition, options.python_statsforecast, options.folder)
            if each is not None:
                forecasts[name] = each
        found[competition.name] = scores(competition, forecasts)
    (options.folder / "scores.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
