"""The same in Lightning: a LightningModule, and a Trainer that logs, writes and shows nothing."""

from __future__ import annotations

from shared import EPOCHS, RATE, THREADS, Fitted, Task, take_turns

# isort: split
import logging

import lightning
import torch
from lightning.pytorch import LightningModule, Trainer
from plain import Plain, batches, count
from torch import nn

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Lit(LightningModule):
    """What the Trainer wants to know."""

    def __init__(self) -> None:
        super().__init__()
        self.model, self.measure = Plain(), nn.MSELoss()
        self.losses: list[torch.Tensor] = []

    def on_train_epoch_start(self) -> None:
        self.losses = []

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        loss = self.measure(self.model(batch[0]), batch[1])
        self.losses.append(loss.detach())
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), RATE)


def fit(task: Task) -> Fitted:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    model = Lit()
    trainer = Trainer(accelerator="cpu", devices=1, max_epochs=EPOCHS, barebones=True)
    trainer.fit(model, batches(task))
    return Fitted(torch.stack(model.losses).mean().item(), trainer.global_step, count(model))


if __name__ == "__main__":
    take_turns("lightning", lightning.__version__, fit)
