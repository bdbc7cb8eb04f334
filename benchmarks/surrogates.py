"""Whether a LASSO finds the rule that a network learned, and is refused where there is none.

From each of 20 seeds:

- sparse: the answer is a sum of three features of 10 channels over 12 steps (a mean, a last value,
  a value some steps before the last, of random channels, with random signs). The LASSO over all
  features must have exactly these three;
- exclusive or: two channels of four decide by the signs of their means, only together. The LASSO
  and the SVM must be refused, and the tree accepted;
- forecasts: each of three series goes on from its value some steps before, and by one of four known
  covariates. Of all lags and covariates these must have the largest effects in the LASSO.

``python benchmarks/surrogates.py`` prints the table; ``--seeds`` makes it smaller.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from recurra import Classifier, Columns, Forecaster, Regressor, Training
from recurra.errors import SurrogateError

QUIET = {"progress": False, "warmup": 20}


def sparse(seed: int) -> tuple[bool, float, float]:
    """Say whether the rule is found exactly, how good the network is, and the fidelity."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(6000, 12, 10))
    mean, last, late = random.permutation(10)[:3]
    back = int(random.integers(1, 4))
    signs = random.choice([-1.0, 1.0], 3) * random.uniform(0.7, 1.4, 3)
    y = (
        signs[0] * x[:, :, mean].mean(1) * np.sqrt(12)
        + signs[1] * x[:, -1, last]
        + signs[2] * x[:, -1 - back, late]
    )
    rule = {
        f"x{mean}: mean",
        f"x{last}: last value",
        f"x{late}: step {11 - back}",
        f"x{late}: {back} step{'s' * (back > 1)} before the last",
    }
    model = Regressor(
        hidden_size=48, dropout=0, input_dropout=0, seed=seed, training=Training(2500, **QUIET)
    )
    model.fit(x[:5500], y[:5500])
    found = model.surrogate(x[5500:], seed=seed)
    right = len(found.features) == 3 and set(found.features) <= rule
    if not right:
        print(f"  seed {seed}: {sorted(rule)} but {found.coefficients}")
    return right, model.score(x[5500:], y[5500:]), found.fidelity


def exclusive(seed: int) -> tuple[bool, bool, bool, float]:
    """Say whether the LASSO and the SVM are refused, the tree accepted, and the accuracy."""
    random = np.random.default_rng(seed)
    signs = random.choice([-1.0, 1.0], (700, 2))
    x = random.normal(size=(700, 8, 4))
    x[:, :, [0, 3]] += signs[:, None]
    y = np.where(signs[:, 0] * signs[:, 1] > 0, "same", "other")
    model = Classifier(hidden_size=24, dropout=0, seed=seed, training=Training(300, **QUIET))
    model.fit(x[:400], y[:400])
    refused = []
    for kind in ("lasso", "svm", "tree"):
        try:
            model.surrogate(x[400:], kind, seed=seed)
            refused.append(False)
        except SurrogateError as error:
            refused.append("kind='tree'" in str(error))
    return refused[0], refused[1], not refused[2], model.score(x[400:], y[400:])


def foretold(seed: int) -> tuple[bool, float]:
    """Say whether lag and covariate are the two largest effects, and the fidelity."""
    random = np.random.default_rng(seed)
    lag, told, parts = int(random.integers(2, 10)), int(random.integers(4)), []
    for k in range(3):
        known, y = random.normal(size=(400, 4)), random.normal(size=400)
        for t in range(lag, 400):
            y[t] = 0.8 * y[t - lag] + known[t, told] + 0.5 * y[t]
        columns = {f"x{c}": known[:, c] for c in range(4)}
        parts.append(pd.DataFrame({"unique_id": k, "ds": range(400), "y": 10.0**k * y, **columns}))
    frame, columns = pd.concat(parts), Columns(future=[f"x{c}" for c in range(4)])
    model = Forecaster(columns=columns, seed=seed, training=Training(600, **QUIET)).fit(frame)
    found = model.surrogate(frame, seed=seed)
    right = set(found.features[:2]) == {f"y: lag {lag}", f"x{told} then"}
    if not right:
        print(f"  seed {seed}: lag {lag}, x{told}, but {found.coefficients}")
    return right, found.fidelity


def main() -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    seeds = range(parser.parse_args().seeds)
    right, scores, fidelity = zip(*map(sparse, seeds), strict=True)
    print(f"sparse rule: exact support in {sum(right)} of {len(seeds)}")
    print(f"  R² of the networks {min(scores):.3f} to {max(scores):.3f}, "
          f"fidelity {min(fidelity):.3f} to {max(fidelity):.3f}")  # fmt: skip
    lasso, svm, tree, accuracy = zip(*map(exclusive, seeds), strict=True)
    print(f"exclusive or, of {len(seeds)}: LASSO refused and told to use a tree {sum(lasso)}, SVM "
          f"{sum(svm)}, tree accepted {sum(tree)}")  # fmt: skip
    print(f"  accuracy of the networks {min(accuracy):.3f} to {max(accuracy):.3f}")
    right, fidelity = zip(*map(foretold, seeds), strict=True)
    print(f"forecasts: lag and covariate first in {sum(right)} of {len(seeds)}, "
          f"fidelity {min(fidelity):.3f} to {max(fidelity):.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
