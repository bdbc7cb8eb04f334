"""What occlusion of every step costs, and how near it comes to reading the record anew each time.

    python benchmarks/occlusion.py [--steps 500] [--repeats 20]

Networks are trained on records of which a few steps matter (the sum of two marked ones; the order
of two pulses), and asked about longer ones. Printed for each: how long one answer takes (the
network alone, and `predict`); how long all steps, as ratios of these, interleaved, medians; the
same for reading the record anew for each step, together in batches; and the correlation of both
scores, their largest difference as a share of the largest, and whether the first two steps agree.
"""

from __future__ import annotations

import argparse
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch

from recurra import Classifier, Regressor, Training
from recurra.explaining.occlusion import occlusion
from recurra.explaining.question import Question

STEPS = 120  # of the records learned from


def adding(rng: Any, records: int, steps: int) -> tuple[Any, Any]:
    """Two marked steps, and the sum of their values."""
    X = np.zeros((records, steps, 2))
    X[..., 0] = rng.uniform(-1, 1, X.shape[:2])
    for row in X:
        row[rng.choice(steps, 2, replace=False), 1] = 1.0
    return X, (X[..., 0] * X[..., 1]).sum(1)


def order(rng: Any, records: int, steps: int) -> tuple[Any, Any]:
    """A pulse in each of two channels among noise: which comes first."""
    X, y = rng.normal(0, 0.1, (records, steps, 2)), []
    for row in X:
        first, second = rng.choice(steps, 2, replace=False)
        row[first, 0], row[second, 1] = 2.0, 2.0
        y.append("first" if first < second else "second")
    return X, y


MODELS = {
    "adding, GRU(32), last": (
        adding,
        Regressor,
        {"layer": "gru", "hidden_size": 32, "pooling": "last"},
    ),
    "adding, LSTM(64), last": (
        adding,
        Regressor,
        {"layer": "lstm", "hidden_size": 64, "pooling": "last"},
    ),
    "order, GRU(64), three pools": (order, Classifier, {"layer": "gru", "hidden_size": 64}),
    "order, 2 × LSTM(32), both ways": (
        order,
        Classifier,
        {"layer": "lstm", "hidden_size": 32, "num_layers": 2, "bidirectional": True},
    ),
}


def timed(*ways: Any, repeats: int) -> list[float]:
    """Run each in its turn, again and again: the median seconds of each."""
    took: list[list[float]] = [[] for _ in ways]
    for _ in range(repeats):
        for one, times in zip(ways, took, strict=True):
            begun = perf_counter()
            one()
            times.append(perf_counter() - begun)
    return [median(times) for times in took]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--records", type=int, default=20, help="of which scores are compared")
    told = parser.parse_args()
    print(f"{told.steps} steps, {torch.get_num_threads()} threads")
    for name, (make, estimator, options) in MODELS.items():
        rng = np.random.default_rng(0)
        training = Training(steps=1500, batch_size=64, learning_rate=3e-3)
        model = estimator(training=training, front=None, dropout=0.0, input_dropout=0.0, **options)
        model.fit(*make(rng, 3000, STEPS))
        held, truth = make(rng, told.records, told.steps)
        score = model.scores(held, truth)[0]
        agreed, apart, same = [], [], []
        for row in held:
            question = model._question(row[None], None)
            values = {k: r.values[None] for k, r in question.reads.items()}
            ends = float(question.answer(values).detach())
            (fast,) = occlusion(question, "step", None, ends).values()
            question.occluded_steps = lambda stream: None  # noqa: ARG005
            (slow,) = occlusion(question, "step", None, ends).values()
            agreed.append(np.corrcoef(fast[:, 0], slow[:, 0])[0, 1])
            apart.append(abs(fast - slow).max() / abs(slow).max())
            top = [set(np.argsort(-abs(each[:, 0]))[:2].tolist()) for each in (fast, slow)]
            same.append(top[0] == top[1])
        row, question = held[:1], model._question(held[:1], None)
        (stream,) = question.reads
        values = {k: r.values[None] for k, r in question.reads.items()}

        @torch.no_grad()
        def answer(question: Question = question, values: Any = values) -> None:
            question.answer(values)

        def all_steps(question: Question = question, stream: str = stream) -> None:
            question.occluded_steps(stream)

        def predict(model: Any = model, row: Any = row) -> None:
            model.predict(row)

        one, told_by, every = timed(answer, predict, all_steps, repeats=told.repeats)
        question.occluded_steps = lambda stream: None  # noqa: ARG005
        (anew,) = timed(lambda q=question: occlusion(q, "step", None, 0.0), repeats=3)
        print(
            f"{name} ({score.measure} {score.value:.3f}): an answer {one * 1e3:.2f} ms, by predict "
            f"{told_by * 1e3:.2f}; all steps {every * 1e3:.2f} = {every / one:.1f} answers, "
            f"{every / told_by:.1f} predicts; anew {anew / one:.0f} answers; correlation "
            f"{min(agreed):.3f} at least, median {median(agreed):.4f}; apart {median(apart):.3f}, "
            f"at most {max(apart):.2f}; first two alike {sum(same)}/{len(same)}"
        )


if __name__ == "__main__":
    main()
