"""torch.nn.LSTM, a DataLoader and Adam, in a loop as in torch's tutorials."""

from __future__ import annotations

from shared import EPOCHS, RATE, THREADS, Fitted, Task, take_turns

# isort: split
import sys

import torch
from plain import Plain, batches, count
from torch import nn

ATTENDS = "--attention" in sys.argv


def fit(task: Task) -> Fitted:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    model, measure, loader, steps = Plain(ATTENDS), nn.MSELoss(), batches(task), 0
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    for _ in range(EPOCHS):
        losses = []
        for values, wanted in loader:
            optimizer.zero_grad()
            loss = measure(model(values), wanted)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        steps += len(losses)
    return Fitted(sum(losses) / len(losses), steps, count(model))


if __name__ == "__main__":
    take_turns("torch-attention" if ATTENDS else "torch", torch.__version__, fit)
