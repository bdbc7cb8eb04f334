"""neuralforecast's LSTM, one step ahead with a decoder of one layer: its network is the peers'.

Each window is a series of its own, and what is wanted its 49th value.
"""

from __future__ import annotations

from shared import (
    BATCH,
    EPOCHS,
    HIDDEN,
    RATE,
    ROUNDS,
    STEPS,
    THREADS,
    WINDOWS,
    Fitted,
    Task,
    take_turns,
)

# isort: split
import logging

import neuralforecast
import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import LSTM

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
logging.getLogger("lightning_fabric").setLevel(logging.ERROR)
kept: list[pd.DataFrame] = []


def fit(task: Task) -> Fitted:
    torch.set_num_threads(THREADS)
    model = LSTM(
        h=1,
        input_size=STEPS,
        recurrent=False,
        h_train=1,
        encoder_n_layers=1,
        encoder_hidden_size=HIDDEN,
        encoder_dropout=0.0,
        decoder_layers=1,
        loss=MSE(),
        learning_rate=RATE,
        num_lr_decays=-1,
        max_steps=EPOCHS * ROUNDS,
        val_check_steps=EPOCHS * ROUNDS,
        batch_size=BATCH,
        windows_batch_size=BATCH,
        scaler_type="identity",
        random_seed=0,
        accelerator="cpu",
        devices=1,
        barebones=True,
        limit_val_batches=0,
    )
    forecaster = NeuralForecast(models=[model], freq=1)
    forecaster.fit(frame(task), val_size=0)
    fitted = forecaster.models[0]
    losses = [loss for _, loss in fitted.train_trajectories]
    weights = sum(each.numel() for each in fitted.parameters() if each.requires_grad)
    return Fitted(float(np.mean(losses[-ROUNDS:])), len(losses), weights)


def frame(task: Task) -> pd.DataFrame:
    """Make the table; in the first fit, which is thrown away."""
    if not kept:
        rows = np.concatenate([task.x[:, :, 0], task.y[:, None]], 1)
        ids, steps = np.divmod(np.arange(rows.size), STEPS + 1)
        kept.append(pd.DataFrame({"unique_id": ids, "ds": steps, "y": rows.ravel()}))
        assert len(kept[0]) == WINDOWS * (STEPS + 1)
    return kept[0]


if __name__ == "__main__":
    take_turns("neuralforecast", neuralforecast.__version__, fit)
