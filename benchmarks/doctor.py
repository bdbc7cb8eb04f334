"""Does the doctor name the illness that was planted, and leave the healthy alone?

    python benchmarks/doctor.py [--seeds 20] [--only vanishing …]

Each illness is planted in networks of several tasks, with another seed for data and weights each
time; what counts is whether its code is among the warnings and advice. Healthy networks are of
eleven kinds, trained to the end on data that they can learn; any warning or advice is a false
alarm.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch

import recurra as rc
from recurra.diagnosing import Diagnosis
from recurra.layers import GRU, LSTM, RNN

RATES = {"records": 2e-3, "forecast": 1e-2}


def trained(steps: int = 300, rate: float = 5e-3, **more: Any) -> rc.Training:
    return rc.Training(steps, 32, learning_rate=rate, check_every=50, progress=False, **more)


# ------------------------------------------------------------------ data


def copied(seed: int, lag: int, steps: int = 40, records: int = 300) -> tuple[Any, Any]:
    """The answer is what was read so many steps before the end."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(records, steps, 1 + seed % 2))
    return X, X[:, steps - 1 - lag, 0] + 0.1 * random.normal(size=records)


def waves(seed: int, records: int = 300, steps: int = 40) -> tuple[Any, Any]:
    """Three frequencies, in noise."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, 3, records)
    turns = np.array([0.2, 0.4, 0.7])[kinds][:, None] * np.arange(steps)
    X = np.sin(turns + random.uniform(0, 6, (records, 1)))[..., None]
    return X + 0.3 * random.normal(size=X.shape), np.array([*"abc"], object)[kinds]


def ragged(seed: int, records: int = 300) -> tuple[list[Any], Any]:
    """Records of 5 to 30 steps in three channels; the answer is the mean of two of them."""
    random = np.random.default_rng(seed)
    lengths = random.integers(5, 30, records)
    X = [random.normal(size=(n, 3)) + random.normal(size=3) for n in lengths]
    return X, np.array([each[:, :2].mean() for each in X])


def seasons(seed: int, count: int = 10, steps: int = 240) -> pd.DataFrame:
    """Series with a season of 12 steps."""
    random, at = np.random.default_rng(seed), np.arange(steps)
    parts = [
        pd.DataFrame({
            "unique_id": k,
            "ds": at,
            "y": 10 + 3 * np.sin(at * np.pi / 6 + random.uniform(0, 6)) + random.normal(size=steps),
        })
        for k in range(count)
    ]  # fmt: skip
    return pd.concat(parts)


def damped(seed: int, records: int = 60, steps: int = 80) -> list[Any]:
    """Rows that depend on the two before."""
    random = np.random.default_rng(seed)
    rows = np.zeros((records, steps, 2))
    for t in range(2, steps):
        rows[:, t] = 1.2 * rows[:, t - 1] - 0.5 * rows[:, t - 2]
        rows[:, t] += random.normal(size=(records, 2))
    return [*rows]


def sentences(seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    who, does, what = ["the cat", "a dog", "my son"], ["sees", "likes"], ["milk", "the sun", "tea"]
    return [" ".join(map(random.choice, (who, does, what))) + "." for _ in range(200)]


# ------------------------------------------------------------------ fits

Fit = tuple[Any, tuple[Any, ...]]


def of_records(seed: int, lag: int, layer: str, **more: Any) -> Fit:
    X, y = copied(seed, lag)
    options = {"hidden_size": 32, "pooling": "last", "training": trained()} | more
    if seed % 3 == 2:
        y = np.where(y > 0, "up", "down").astype(object)
        options |= {"front": None, "skip": False}
        return rc.Classifier(layer, seed=seed, **options).fit(X, y), (X, y)
    return rc.Regressor(layer, seed=seed, **options).fit(X, y), (X, y)


def of_any(seed: int, layer: str) -> Fit:
    """One of four tasks."""
    if seed % 4 == 0:
        return of_records(seed, 3, layer)
    if seed % 4 == 1:
        X, y = waves(seed)
        return rc.Classifier(layer, hidden_size=32, training=trained(), seed=seed).fit(X, y), (X, y)
    if seed % 4 == 2:
        df = seasons(seed)
        return rc.Forecaster(layer, hidden_size=32, training=trained(), seed=seed).fit(df), (df,)
    rows = damped(seed)
    return rc.NextStep(layer, hidden_size=32, training=trained(), seed=seed).fit(rows), (rows,)


def layers_of(model: Any, kind: Any) -> list[Any]:
    return [each for each in model.network_.modules() if isinstance(each, kind)]


# ------------------------------------------------------------------ illnesses


@torch.no_grad()
def radius(size: float) -> Callable[[int], Fit]:
    def plant(seed: int) -> Fit:
        model, data = of_records(seed, 15 + seed % 10, "rnn")
        for layer in layers_of(model, RNN):
            weight = layer.weight_hh_l0.data
            weight.mul_(size / torch.linalg.eigvals(weight).abs().max())
        return model, data

    return plant


def forgetting(seed: int) -> Fit:
    model, data = of_any(seed, "lstm")
    for layer in layers_of(model, LSTM):
        size = layer.hidden_size
        layer.bias_ih_l0.data[size : 2 * size] = -5.0
        layer.bias_hh_l0.data[size : 2 * size] = 0.0
    return model, data


def hundredfold(seed: int) -> Fit:
    """The rate that is usual for the task, times a hundred."""
    layer = ("gru", "lstm", "rnn")[seed % 3]
    if seed % 4 == 0:
        df, fast = seasons(seed), trained(rate=100 * RATES["forecast"])
        layer = "lstm" if layer == "rnn" else layer
        return rc.Forecaster(layer, hidden_size=32, training=fast, seed=seed).fit(df), (df,)
    X, y = (waves, ragged)[seed % 2](seed)
    kind = (rc.Classifier, rc.Regressor)[seed % 2]
    model = kind(layer, hidden_size=32, seed=seed)
    model.set_training(learning_rate=100 * RATES["records"], progress=False)
    return model.fit(X, y), (X, y)


def dead(seed: int) -> Fit:
    """The layer becomes one of relu units, half of which never open."""
    model, data = of_records(seed, 3, "rnn")
    (old,) = layers_of(model, RNN)
    relu = RNN(**{**old.arguments(), "nonlinearity": "relu"})
    relu.load_state_dict(old.state_dict())
    half = torch.randperm(32, generator=torch.Generator().manual_seed(seed))[:16]
    relu.bias_ih_l0.data[half] = -9.0
    model.network_.layers[0] = relu.eval()
    return model, data


def saturated(seed: int) -> Fit:
    """Weights thirty times as large, or biases far out."""
    model, data = of_any(seed, ("lstm", "gru")[seed // 4 % 2])
    chance = torch.Generator().manual_seed(seed)
    for layer in layers_of(model, LSTM | GRU):
        if seed % 2:
            layer.weight_ih_l0.data.mul_(30)
            layer.weight_hh_l0.data.mul_(30)
        else:
            signs = torch.randint(0, 2, layer.bias_ih_l0.shape, generator=chance) * 2.0 - 1
            layer.bias_ih_l0.data.copy_(10 * signs)
    return model, data


def unscaled(seed: int) -> Fit:
    X, y = (waves, copied)[seed % 2](seed, *(() if seed % 2 == 0 else (3,)))
    X = 1000 * (X + seed % 3)
    kind = (rc.Classifier, rc.Regressor)[seed % 2]
    layer = ("gru", "lstm", "rnn")[seed % 3]
    options = {"treatments": [], "hidden_size": 32, "training": trained(150), "seed": seed}
    return kind(layer, **options).fit(X, y), (X, y)


def forgetful(seed: int) -> Fit:
    """What is needed lies farther back than the layer was given time to learn."""
    X, y = copied(seed, 40 + 2 * (seed % 10), 70)
    options = {"hidden_size": 32, "pooling": "last", "training": trained(150), "seed": seed}
    layer = ("gru", "lstm")[seed % 2]
    return rc.Regressor(layer, **options).fit(X, y), (X, y)


ILLNESSES: dict[str, tuple[str, Callable[[int], Fit]]] = {
    "radius 0.5": ("vanishing", radius(0.5)),
    "radius 1.5": ("exploding", radius(1.5)),
    "forget bias -5": ("forgetting", forgetting),
    "learning rate x 100": ("learning_rate", hundredfold),
    "dead relu units": ("dead_units", dead),
    "saturated gates": ("saturated", saturated),
    "inputs of thousands": ("unscaled", unscaled),
    "memory too short": ("short_memory", forgetful),
}


# ------------------------------------------------------------------ the healthy


def healthy(seed: int) -> Fit:
    """A network of one of eleven kinds, as anyone would fit it."""
    quiet = {"progress": False}
    match seed % 11:
        case 0:
            X, y = waves(seed)
            return rc.Classifier(seed=seed).set_training(**quiet).fit(X, y), (X, y)
        case 1:
            X, y = ragged(seed)
            return rc.Regressor(seed=seed).set_training(**quiet).fit(X, y), (X, y)
        case 2:
            df = seasons(seed)
            training = rc.Training(600, progress=False)
            return rc.Forecaster(training=training, seed=seed).fit(df), (df,)
        case 3:
            rows = damped(seed)
            return rc.NextStep(seed=seed).set_training(**quiet).fit(rows), (rows,)
        case 4:
            X, y = copied(seed, 2, records=600)
            model = rc.Regressor("rnn", pooling="last", dropout=0.0, input_dropout=0.0, seed=seed)
            return model.set_training(**quiet).fit(X, y), (X, y)
        case 5:
            X, y = waves(seed)
            model = rc.Classifier("lstm", bidirectional=True, seed=seed).set_training(**quiet)
            return model.fit(X, y), (X, y)
        case 6:
            text = sentences(seed)
            model = rc.LanguageModel(unit="char", hidden_size=64, seed=seed)
            return model.set_training(steps=200, **quiet).fit(text), (text,)
        case 7:
            X, y = copied(seed, 12, 20, records=3000)
            model = rc.Regressor("lstm", pooling="last", memory=20, dropout=0.0,
                                 input_dropout=0.0, seed=seed)  # fmt: skip
            return model.set_training(steps=1500, patience=None, **quiet).fit(X, y), (X, y)
        case 8:
            df = seasons(seed)
            training = rc.Training(600, progress=False)
            return rc.Forecaster("gru", training=training, seed=seed).fit(df), (df,)
        case 9:
            X, y = ragged(seed)
            labels = np.where(y > 0, "high", "low").astype(object)
            model = rc.Classifier("rnn", seed=seed).set_training(**quiet)
            return model.fit(X, labels), (X, labels)
        case _:  # latches what it read first
            X, y = copied(seed, 11, 12, records=600)
            labels = np.where(y > 0, "up", "down").astype(object)
            options = {"pooling": "last", "dropout": 0.0, "input_dropout": 0.0, "front": None}
            model = rc.Classifier("rnn", seed=seed, **options)
            return model.set_training(steps=800, **quiet).fit(X, labels), (X, labels)


# ------------------------------------------------------------------ the table


def said(diagnosis: Diagnosis) -> list[str]:
    found = [each.code for each in diagnosis.findings if each.level != "note"]
    return [*dict.fromkeys(found)]


def examine(fit: Callable[[int], Fit], seed: int) -> Diagnosis:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, data = fit(seed)
        return model.diagnose(*data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=[*ILLNESSES, "healthy"])
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    for name in asked.only:
        begun, misses, also = time.perf_counter(), [], {}
        code, fit = ILLNESSES.get(name, ("", healthy))
        hits = 0
        for seed in range(asked.seeds):
            codes = said(examine(fit, seed))
            right = code in codes if code else not codes
            hits += right
            if not right:
                misses.append(f"seed {seed}: {', '.join(codes) or 'healthy'}")
            for each in codes:
                also[each] = also.get(each, 0) + 1
        others = ", ".join(f"{k} {v}" for k, v in also.items() if k != code)
        took = time.perf_counter() - begun
        told = f"{name:20} {code or 'nothing':14} {hits:3}/{asked.seeds}  {took:4.0f} s"
        print(f"{told}  also: {others}", flush=True)
        for miss in misses:
            print(f"    missed: {miss}", flush=True)


if __name__ == "__main__":
    main()
