"""Training a small network, from arrays to weights, beside plain torch.

2,000 windows of 48 steps, LSTM(32) and a linear head on its last output, squared error, Adam, 20
epochs of batches of 32: the same model and the same number of steps. The peer is ``torch.nn.LSTM``
with a DataLoader, as in torch's tutorials. Both run in turn, and the median counts. Seconds on the
clock feel what else runs on the machine; seconds of the processor do so less. The network has its
own way back, without autograd; with ``--pooling attention`` it has none.

    python benchmarks/small_training.py --threads 2 --repeats 5
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

import recurra as rc

WINDOWS, STEPS, HIDDEN, BATCH, EPOCHS, RATE = 2000, 48, 32, 32, 20, 1e-3


class Plain(nn.Module):
    """What the peer trains."""

    def __init__(self, pooling: str) -> None:
        super().__init__()
        self.layer, self.head = nn.LSTM(1, HIDDEN, batch_first=True), nn.Linear(HIDDEN, 1)
        self.attends = pooling == "attention"
        if self.attends:
            self.keys, self.query = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Answer by the last output, or by those that are attended to."""
        outputs, _ = self.layer(x)
        if not self.attends:
            return self.head(outputs[:, -1])[:, 0]
        weights = torch.softmax(self.query(torch.tanh(self.keys(outputs))), 1)
        return self.head((weights * outputs).sum(1))[:, 0]


def by_torch(x: np.ndarray, y: np.ndarray, pooling: str) -> float:
    """Train with torch and a DataLoader; return the last epoch's mean loss."""
    torch.manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True)
    model, measure, losses = Plain(pooling), nn.MSELoss(), [0.0]
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    for _ in range(EPOCHS):
        losses = []
        for values, wanted in loader:
            optimizer.zero_grad()
            loss = measure(model(values), wanted)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return statistics.mean(losses)


def by_recurra(x: np.ndarray, y: np.ndarray, pooling: str) -> float:
    """Train with a Regressor that has no treatments, checks or dropout; return as `by_torch`."""
    rounds = -(-WINDOWS // BATCH)
    training = rc.Training(
        steps=EPOCHS * rounds,
        batch_size=BATCH,
        optimizer="adam",
        learning_rate=RATE,
        schedule="constant",
        warmup=0,
        clip_norm=None,
        patience=None,
        progress=False,
    )
    model = rc.Regressor(
        layer="lstm",
        hidden_size=HIDDEN,
        pooling=pooling,
        input_dropout=0.0,
        dropout=0.0,
        treatments=[],
        validation=0,
        training=training,
    )
    losses = model.fit(x, y).log_.loss  # of y as it is learned: by its standard deviation
    return statistics.mean(losses[-rounds:]) * float(y.var())


def timed(run: Callable[[], float]) -> tuple[float, float, float]:
    """Return seconds on the clock, seconds of the processor, and the loss."""
    clock, processor = time.perf_counter(), time.process_time()
    loss = run()
    return time.perf_counter() - clock, time.process_time() - processor, loss


def main() -> None:
    """Run both in turn and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pooling", choices=("last", "attention"), default="last")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    x = np.random.default_rng(0).normal(size=(WINDOWS, STEPS, 1)).astype(np.float32)
    y = x[:, -5:, 0].sum(1)
    ways = {
        "torch": lambda: by_torch(x, y, given.pooling),
        "recurra": lambda: by_recurra(x, y, given.pooling),
    }
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    for turn in range(given.repeats + 1):
        for name, run in ways.items():
            result = timed(run)
            if turn:  # the first warms up
                found[name].append(result)
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in found.items()
    }
    print(f"{given.threads} threads, median of {given.repeats}, warm")
    for name, (clock, processor, loss) in medians.items():
        print(f"{name:8} {clock:6.2f} s  {processor:6.2f} s of the processor  loss {loss:.4f}")
    ratios = [one / other for one, other in zip(medians["torch"], medians["recurra"], strict=True)]
    print(f"torch / recurra: {ratios[0]:.1f} on the clock, {ratios[1]:.1f} of the processor")


if __name__ == "__main__":
    main()
