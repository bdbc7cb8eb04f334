"""What every peer script shares: the arguments, M4 hourly, the official measures, the JSON line.

Needs numpy and torch only, so that it runs in each peer's own environment. Import it before
torch: it fixes the number of threads.
"""

from __future__ import annotations

import os

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")})

import argparse
import csv
import json
import logging
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

SEASON = 24


@dataclass(frozen=True)
class M4Hourly:
    """The 414 hourly series: names, training parts (700 to 960 hours), test parts (48 hours)."""

    names: list[str]
    train: list[np.ndarray]
    test: list[np.ndarray]

    @classmethod
    def read(cls, folder: Path) -> M4Hourly:
        train = _rows(folder / "Hourly-train.csv")
        test = _rows(folder / "Hourly-test.csv")
        names = list(train)
        return cls(names, [train[name] for name in names], [test[name] for name in names])

    def measure(self, forecasts: np.ndarray) -> dict[str, float]:
        """Return M4's sMAPE (per cent) and MASE of forecasts, shape (series, horizon).

        Each is the mean over the series; a horizon shorter than 48 is compared with the first
        hours of the test part.
        """
        h = forecasts.shape[1]
        smape, mase = [], []
        for train, test, forecast in zip(self.train, self.test, forecasts, strict=True):
            error = np.abs(test[:h] - forecast)
            smape.append(200 * np.mean(error / (np.abs(test[:h]) + np.abs(forecast))))
            mase.append(np.mean(error) / np.mean(np.abs(train[SEASON:] - train[:-SEASON])))
        return {"smape": float(np.mean(smape)), "mase": float(np.mean(mase))}


def _rows(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return {
            row[0]: np.array([float(cell) for cell in row[1:] if cell not in ("", "NA")])
            for row in rows
        }


def arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser of the arguments that every peer understands."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder with Hourly-*.csv")
    parser.add_argument("--hidden", type=int, default=64, help="units of the one LSTM layer")
    parser.add_argument("--batch-size", type=int, default=32, help="windows in a gradient step")
    parser.add_argument("--steps", type=int, default=500, help="gradient steps")
    parser.add_argument("--context", type=int, default=168, help="steps read, in fit and predict")
    parser.add_argument(
        "--own-window", action="store_true", help="Recurra alone: its default window instead"
    )
    parser.add_argument("--horizon", type=int, default=48, help="steps foretold")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of Adam, constant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--samples", type=int, default=0, help="draws of a normal forecast; 0: a point forecast"
    )
    return parser


def settle() -> None:
    """One thread, no chatter, and what torch imports at its first optimizer already imported."""
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    warnings.filterwarnings("ignore")
    for name in ("pytorch_lightning", "lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])


def report(
    name: str,
    version: str,
    model: torch.nn.Module,
    steps: int,
    seconds: tuple[float, float],
    measures: dict[str, float],
    **more: object,
) -> None:
    """Print the one JSON line. `seconds` are those of fit and of predict."""
    fit_s, predict_s = seconds
    line = {
        "name": name,
        "version": version,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "fit_s": round(fit_s, 4),
        "predict_s": round(predict_s, 4),
        "total_s": round(fit_s + predict_s, 4),
        "steps": steps,
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        **{key: round(value, 4) for key, value in measures.items()},
        **more,
    }
    sys.stdout.write(json.dumps(line) + "\n")
