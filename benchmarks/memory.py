"""Long memories: adding numbers 600 steps apart, copying after 100 steps, parity of 256 bits.

    python benchmarks/memory.py [--seeds 0 1] [--only adding copy parity]

Each problem goes through a public estimator, from records drawn at random to answers for others.
Nothing is averaged over time that the last state should hold: ``pooling="last"``, no convolutions.

adding    600 steps of two channels: numbers from 0 to 1, and a mark at two of them, one in each
          half. Regressor says their sum; always saying 1 has a mean squared error of 1/6.
copy      10 symbols of 8, 100 blanks, a sign, then as many steps to say the symbols in. Tagger;
          learned from delays of 1 to 100. One that remembers nothing is at 10 log 8 / 120 nats a
          step.
parity    Whether the number of ones is even. Classifier; learned from 1 to 40 bits, asked of 256.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
import torch

from recurra import Classifier, Regressor, Training
from recurra.estimators import Tagger

BLANK, SIGN = 0, 9


def adding(seed: int, steps: int = 600, records: int = 10_000, rounds: int = 2500) -> float:
    """Return the mean squared error on as many fresh records as were learned from."""

    def draw(chance: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        numbers, marks = chance.random((count, steps)), np.zeros((count, steps))
        rows, half = np.arange(count), steps // 2
        marks[rows, chance.integers(0, half, count)] = 1
        marks[rows, chance.integers(half, steps, count)] = 1
        return np.stack([numbers, marks], 2).astype(np.float32), (numbers * marks).sum(1)

    chance = np.random.default_rng(seed)
    training = Training(steps=rounds, batch_size=50, learning_rate=4e-3, check_every=rounds // 10)
    model = Regressor(
        pooling="last",
        memory=steps,
        front=None,
        input_dropout=0.0,
        dropout=0.0,
        treatments=(),
        validation=0.05,
        training=training,
        seed=seed,
    )
    model.fit(*draw(chance, records))
    errors = []
    for _ in range(10):
        X, y = draw(chance, records // 10)
        errors.append(np.mean((model.predict(X) - y) ** 2))
    return float(np.mean(errors))


def copy(seed: int, delay: int = 100, records: int = 20_000, rounds: int = 4000) -> float:
    """Return the loss in nats a step, as a share of that of one that remembers nothing."""

    def draw(
        chance: np.random.Generator, delays: np.ndarray
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        X, y = [], []
        for each in delays.tolist():
            symbols = chance.integers(1, 9, 10)
            read, said = np.full(each + 20, BLANK), np.full(each + 20, BLANK)
            read[:10], read[each + 9], said[each + 10 :] = symbols, SIGN, symbols
            X.append(np.eye(10, dtype=np.float32)[read])
            y.append(said)
        return X, y

    chance = np.random.default_rng(seed)
    training = Training(steps=rounds, batch_size=64, learning_rate=4e-3, check_every=rounds // 10)
    model = Tagger(
        "gru",
        bidirectional=False,
        memory=delay + 20,
        dropout=0.0,
        treatments=(),
        validation=0.02,
        training=training,
        seed=seed,
    )
    delays = 1 + np.floor(delay * chance.random(records) ** 2).astype(int)
    model.fit(*draw(chance, delays))
    X, y = draw(chance, np.full(1000, delay))
    right = [p[np.arange(len(a)), a] for p, a in zip(model.predict_proba(X), y, strict=True)]
    loss = -float(np.mean(np.log(np.maximum(right, 1e-12))))
    return loss / (10 * math.log(8) / (delay + 20))


def parity(seed: int, longest: int = 40, asked: int = 256, rounds: int = 8000) -> float:
    """Return the share of right answers for longer strings."""

    def draw(
        chance: np.random.Generator, lengths: np.ndarray
    ) -> tuple[list[np.ndarray], np.ndarray]:
        bits = [chance.integers(0, 2, length) for length in lengths]
        return [2.0 * each - 1 for each in bits], np.array([each.sum() % 2 for each in bits])

    chance = np.random.default_rng(seed)
    training = Training(steps=rounds, batch_size=64, learning_rate=5e-3, patience=None)
    model = Classifier(
        hidden_size=32,
        pooling="last",
        front=None,
        input_dropout=0.0,
        dropout=0.0,
        treatments=(),
        training=training,
        seed=seed,
    )
    model.fit(*draw(chance, chance.integers(1, longest + 1, 20_000)))
    return model.score(*draw(chance, np.full(2000, asked)))


PROBLEMS: dict[str, tuple[Callable[[int], float], str]] = {
    "adding": (adding, "mean squared error, 600 steps (nothing learned: 0.1667)"),
    "copy": (copy, "loss by that without memory, delay 100 (nothing learned: 1)"),
    "parity": (parity, "right answers at 256 bits (nothing learned: 0.5)"),
}


def main() -> None:
    """Run the problems and print a line for each seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=list(PROBLEMS), default=list(PROBLEMS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.only:
        solve, measure = PROBLEMS[name]
        for seed in given.seeds:
            begun = time.process_time()
            found = solve(seed)
            spent = time.process_time() - begun
            print(
                f"{name:8} seed {seed}  {found:.5f}  {measure}  {spent:.0f} s of one core",
                flush=True,
            )


if __name__ == "__main__":
    main()
