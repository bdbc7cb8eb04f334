"""Write a small file of every class in the form of this version, and the answers it must give.

Run at a release, with ``make golden``; the files of releases are never written again.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import recurra
from recurra import layers
from recurra.testing.answers import pick
from recurra.testing.estimator_cases import CASES, brief

HOME = Path(__file__).parent
RECORDS = range(3)
LAYERS = {
    "LSTM": lambda: layers.LSTM(2, 3, num_layers=2, batch_first=True, peephole=True),
    "GRU": lambda: layers.GRU(2, 3, batch_first=True, bidirectional=True),
    "RNN": lambda: layers.RNN(2, 3, batch_first=True, learn_initial_state=True),
    "Jordan": lambda: layers.Jordan(2, 3, batch_first=True),
    "GRUD": lambda: layers.GRUD(2, 3, batch_first=True),
}


def plain(answer: Any) -> Any:
    """Give an answer as JSON holds it."""
    if isinstance(answer, dict):
        return {str(name): plain(each) for name, each in answer.items()}
    if isinstance(answer, pd.DataFrame):
        return plain(
            {name: answer[name].astype(str if name == "ds" else object) for name in answer}
        )
    if isinstance(answer, np.ndarray | np.generic | pd.Series):
        return plain(answer.tolist())
    return [plain(each) for each in answer] if isinstance(answer, list | tuple) else answer


def asked(model: Any, question: dict[str, Any]) -> dict[str, Any]:
    """Ask a model what its file was asked when it was written."""
    if "methods" not in question:
        return plain({"predict": model.predict(3, level=[80])})
    X = question["X"]
    if X and isinstance(X[0], list) and not isinstance(X[0][0], str):
        X = [np.array(each, float) for each in X]
    return plain({name: getattr(model, name)(X) for name in question["methods"]})


def forecaster() -> recurra.Forecaster:
    """Fit a forecaster of two series, one with a hole, and three covariates."""
    random, days = np.random.default_rng(0), pd.date_range("2024-03-01", periods=40, tz="UTC")
    parts = [
        pd.DataFrame({"unique_id": name, "ds": days, "y": random.normal(size=40).cumsum()})
        for name in ("a", "b")
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[7, "y"] = np.nan
    frame = frame.assign(shop=frame.unique_id.str.upper(), wind=random.normal(size=80))
    columns = recurra.Columns(past=["wind"], static=["shop"])
    options = {"hidden_size": 4, "context": 16, "horizon": 3, "training": brief(6)}
    return recurra.Forecaster(columns=columns, **options).fit(frame)


def fitted() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Fit an estimator of every class; say what each is asked."""
    made: dict[str, tuple[Any, dict[str, Any]]] = {"Forecaster": (forecaster(), {})}
    for name, make in CASES.items():
        case = make()
        X = pick(case.X, list(RECORDS))
        if isinstance(X, recurra.SequenceDataset):
            offsets = X.stream.offsets[1:-1]
            X = [each[:, 0] for each in np.split(X.stream.values, offsets)]
        made[name] = (case.fitted(), {"X": plain(X), "methods": case.methods})
    return made


def main() -> None:
    """Write the folder of this version."""
    folder = HOME / recurra.__version__
    if folder.exists() and "--again" not in sys.argv:
        sys.exit(f"{folder} is there already: a release has been written. (--again before one.)")
    warnings.simplefilter("ignore")
    folder.mkdir(exist_ok=True)
    for name, (model, question) in fitted().items():
        model.save(folder / f"{name}.recurra")
        told = {**question, "answers": asked(model, question)}
        (folder / f"{name}.json").write_text(json.dumps(told))
    torch.manual_seed(0)
    for name, make in LAYERS.items():
        layer = make().eval()
        layer.save(folder / f"{name}.layer")
        with torch.no_grad():
            said = layer(torch.linspace(-1, 1, 8).reshape(1, 4, 2))[0]
        (folder / f"{name}.layer.json").write_text(json.dumps(said.tolist()))


if __name__ == "__main__":
    main()
