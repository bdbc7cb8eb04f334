"""The network as torch's tutorials write it, for torch and for Lightning."""

from __future__ import annotations

from shared import BATCH, HIDDEN, Task

# isort: split
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Plain(nn.Module):
    """One LSTM layer, and a linear head on its last output."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.LSTM(1, HIDDEN, batch_first=True), nn.Linear(HIDDEN, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x)[0][:, -1])[:, 0]


def batches(task: Task) -> DataLoader:
    """Shuffle the task anew in each epoch."""
    data = TensorDataset(torch.from_numpy(task.x), torch.from_numpy(task.y))
    return DataLoader(data, BATCH, shuffle=True)


def count(model: nn.Module) -> int:
    """Count the weights."""
    return sum(each.numel() for each in model.parameters())
