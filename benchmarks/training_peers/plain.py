"""The network as torch's tutorials write it, for torch and for Lightning."""

from __future__ import annotations

from shared import BATCH, HIDDEN, Task

# isort: split
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Plain(nn.Module):
    """One LSTM layer, and a linear head on its last output, or on those that are attended to."""

    def __init__(self, attends: bool = False) -> None:
        super().__init__()
        self.layer, self.head = nn.LSTM(1, HIDDEN, batch_first=True), nn.Linear(HIDDEN, 1)
        self.attends = attends
        if attends:
            self.keys, self.query = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs, _ = self.layer(x)
        if not self.attends:
            return self.head(outputs[:, -1])[:, 0]
        weights = torch.softmax(self.query(torch.tanh(self.keys(outputs))), 1)
        return self.head((weights * outputs).sum(1))[:, 0]


def batches(task: Task) -> DataLoader:
    """Shuffle the task anew in each epoch."""
    data = TensorDataset(torch.from_numpy(task.x), torch.from_numpy(task.y))
    return DataLoader(data, BATCH, shuffle=True)


def count(model: nn.Module) -> int:
    """Count the weights."""
    return sum(each.numel() for each in model.parameters())
