"""darts' RNNModel(model="LSTM") on M4 hourly: fit and predict, timed, as one JSON line.

RNNModel has no scaler of its own, so fit includes scaling the series and predict scaling the
forecasts back. Its forecasts are autoregressive: the state is kept, one step at a time.
"""

from __future__ import annotations

from shared import M4Hourly, arguments, report, settle

# isort: split
from time import perf_counter

import darts
import numpy as np
import torch
from darts import TimeSeries
from darts.dataprocessing.transformers import Scaler
from darts.models import RNNModel
from darts.utils.likelihood_models.torch import GaussianLikelihood
from sklearn.preprocessing import StandardScaler


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    settle()
    data = M4Hourly.read(options.data)
    series = [TimeSeries.from_values(y.astype(np.float32)) for y in data.train]

    start = perf_counter()
    scaler = Scaler(StandardScaler())
    scaled = scaler.fit_transform(series)
    scaled_at = perf_counter()
    model = RNNModel(
        model="LSTM",
        input_chunk_length=options.context,
        training_length=options.context,
        hidden_dim=options.hidden,
        n_rnn_layers=1,
        loss_fn=torch.nn.L1Loss(),
        likelihood=GaussianLikelihood() if options.samples else None,
        optimizer_kwargs={"lr": options.learning_rate, "fused": True},
        batch_size=options.batch_size,
        n_epochs=options.steps,
        random_state=options.seed,
        pl_trainer_kwargs={
            "max_steps": options.steps,
            "accelerator": "cpu",
            "devices": 1,
            "barebones": True,
        },
    )
    model.fit(scaled, dataloader_kwargs={"pin_memory": False})
    fitted = perf_counter()
    steps = model.trainer.global_step
    forecast = model.predict(
        options.horizon,
        series=scaled,
        batch_size=len(series),
        num_samples=max(options.samples, 1),
        dataloader_kwargs={"pin_memory": False},
        verbose=False,
        show_warnings=False,
    )
    forecast = scaler.inverse_transform(forecast)
    done = perf_counter()

    forecasts = np.stack([np.median(f.all_values(copy=False)[:, 0], axis=-1) for f in forecast])
    report(
        "darts",
        darts.__version__,
        model.model,
        steps,
        (fitted - start, done - fitted),
        data.measure(forecasts),
        scaling_s=round(scaled_at - start, 4),
    )


if __name__ == "__main__":
    main()
