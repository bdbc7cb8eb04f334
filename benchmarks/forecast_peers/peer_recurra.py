"""Recurra's Forecaster on M4 hourly: fit and predict, timed, as one JSON line.

The network reads the lags it always reads, beside the value itself, and trains a Student-t head;
the learning rate and its schedule are its own. Validation is left to the last step, since the peers
have none.
"""

from __future__ import annotations

from shared import M4Hourly, arguments, report, settle

# isort: split
from time import perf_counter

import numpy as np
import pandas as pd

import recurra
from recurra import Forecaster, Training


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    settle()
    data = M4Hourly.read(options.data)
    sizes = [len(series) for series in data.train]
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(data.names, sizes),
            "ds": np.concatenate([np.arange(size) for size in sizes]),
            "y": np.concatenate(data.train),
        }
    )
    seldom = 5 * options.steps  # there are five times as many checks at the beginning
    training = Training(steps=options.steps, batch_size=options.batch_size, check_every=seldom)

    start = perf_counter()
    model = Forecaster(
        hidden_size=options.hidden,
        context=None if options.own_window else options.context,
        training=training,
        seed=options.seed,
    ).fit(frame)
    fitted = perf_counter()
    if options.samples:
        paths = model.simulate(options.horizon, n=options.samples)["LSTM"].to_numpy()
        paths = paths.reshape(len(sizes), options.horizon, options.samples)
        forecasts = np.median(paths, axis=-1)
    else:
        forecasts = model.predict(options.horizon)["LSTM"].to_numpy().reshape(len(sizes), -1)
    done = perf_counter()

    report(
        "recurra",
        recurra.__version__,
        model.network_,
        len(model.log_.loss),
        (fitted - start, done - fitted),
        data.measure(forecasts),
    )


if __name__ == "__main__":
    main()
