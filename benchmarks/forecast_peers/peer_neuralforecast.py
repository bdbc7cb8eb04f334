"""neuralforecast's LSTM on M4 hourly: fit and predict, timed, as one JSON line.

Direct mode (the library's default) with a decoder of one layer is `LSTM(1, hidden)` and
`Linear(hidden, 1)`: the weights RNNModel of darts has, too. `--recurrent` takes the library's
autoregressive mode, whose LSTM projects its state to one number and so is another network.

Every gradient step copies all windows of `--series` series and then draws `--batch-size` of
them. With the library's defaults, 32 series and a window at every step, that copy takes longer
than the network. The defaults here, 8 series and a window every 8 steps, leave some 40,000
windows to draw from, cost little and forecast nearly as well (sMAPE 15.1 against 14.7).
"""

from __future__ import annotations

from shared import M4Hourly, arguments, report, settle

# isort: split
from time import perf_counter

import neuralforecast
import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MAE, DistributionLoss
from neuralforecast.models import LSTM


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--recurrent", action="store_true", help="the autoregressive mode")
    parser.add_argument("--step-size", type=int, default=8, help="steps between windows")
    parser.add_argument("--series", type=int, default=8, help="series in a gradient step")
    options = parser.parse_args()
    settle()
    data = M4Hourly.read(options.data)
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(data.names, [len(y) for y in data.train]),
            "ds": np.concatenate([np.arange(len(y)) for y in data.train]),
            "y": np.concatenate(data.train).astype(np.float32),
        }
    )
    if options.samples:
        loss = DistributionLoss("Normal", level=[80], num_samples=options.samples)
    else:
        loss = MAE()

    start = perf_counter()
    model = LSTM(
        h=options.horizon,
        input_size=options.context - (options.horizon if options.recurrent else 0),
        inference_input_size=options.context,
        recurrent=options.recurrent,
        h_train=options.horizon if options.recurrent else 1,
        encoder_n_layers=1,
        encoder_hidden_size=options.hidden,
        decoder_layers=1,
        loss=loss,
        learning_rate=options.learning_rate,
        max_steps=options.steps,
        val_check_steps=options.steps,
        optimizer=torch.optim.Adam,
        optimizer_kwargs={"fused": True},
        batch_size=options.series,
        windows_batch_size=options.batch_size,
        valid_batch_size=len(data.names),
        inference_windows_batch_size=-1,
        step_size=options.step_size,
        scaler_type="standard",
        random_seed=options.seed,
        alias="LSTM",
        accelerator="cpu",
        devices=1,
        barebones=True,
        limit_val_batches=0,
    )
    forecaster = NeuralForecast(models=[model], freq=1)
    forecaster.fit(frame, val_size=0)
    fitted = perf_counter()
    forecast = forecaster.predict()
    done = perf_counter()

    forecasts = forecast.set_index("unique_id")["LSTM"].to_numpy().reshape(-1, options.horizon)
    order = forecast["unique_id"].to_numpy()[:: options.horizon]
    row = {name: k for k, name in enumerate(order)}
    forecasts = forecasts[[row[name] for name in data.names]]
    report(
        "neuralforecast",
        neuralforecast.__version__,
        forecaster.models[0],
        len(forecaster.models[0].train_trajectories),
        (fitted - start, done - fitted),
        data.measure(forecasts),
    )


if __name__ == "__main__":
    main()
