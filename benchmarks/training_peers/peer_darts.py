"""darts' BlockRNNModel("LSTM"): 48 steps in, one out, so its network is the peers'.

Each window is a series of its own, and what is wanted its 49th value. RNNModel, which learns the
next value at every step, would be asked for 48 answers where the others are asked for one.
"""

from __future__ import annotations

from shared import BATCH, EPOCHS, HIDDEN, RATE, STEPS, THREADS, Fitted, Task, take_turns

# isort: split
import logging

import darts
import numpy as np
import torch
from darts import TimeSeries
from darts.models import BlockRNNModel
from pytorch_lightning.callbacks import Callback

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
kept: list[list[TimeSeries]] = []


class Losses(Callback):
    """Keeps those of the last epoch."""

    def on_train_epoch_start(self, *_: object) -> None:
        self.seen: list[torch.Tensor] = []

    def on_train_batch_end(self, *given: dict) -> None:
        self.seen.append(given[2]["loss"].detach())


def fit(task: Task) -> Fitted:
    torch.set_num_threads(THREADS)
    losses = Losses()
    model = BlockRNNModel(
        input_chunk_length=STEPS,
        output_chunk_length=1,
        model="LSTM",
        hidden_dim=HIDDEN,
        n_rnn_layers=1,
        dropout=0.0,
        loss_fn=torch.nn.MSELoss(),
        optimizer_kwargs={"lr": RATE},
        batch_size=BATCH,
        n_epochs=EPOCHS,
        random_state=0,
        pl_trainer_kwargs={"accelerator": "cpu", "devices": 1, "barebones": True}
        | {"callbacks": [losses]},
    )
    model.fit(series(task), dataloader_kwargs={"pin_memory": False})
    weights = sum(each.numel() for each in model.model.parameters())
    return Fitted(torch.stack(losses.seen).mean().item(), model.trainer.global_step, weights)


def series(task: Task) -> list[TimeSeries]:
    """Make the series; in the first fit, which is thrown away."""
    if not kept:
        rows = np.concatenate([task.x[:, :, 0], task.y[:, None]], 1)
        kept.append([TimeSeries.from_values(row) for row in rows])
    return kept[0]


if __name__ == "__main__":
    take_turns("darts", darts.__version__, fit)
