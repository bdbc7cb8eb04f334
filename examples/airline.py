"""Airline passengers, from a printed table to a forecast: look back, look ahead, draw.

The table has the international airline passengers of every month from 1949 to 1960, in thousands:
series G of Box and Jenkins, Time Series Analysis: Forecasting and Control (1970).

    python examples/airline.py
"""

from pathlib import Path

import pandas as pd

import recurra as rc
from recurra.evaluation import backtest, plot_forecast

TABLE = Path(__file__).with_name("airline.csv")
COLUMNS = rc.Columns(id="series", time="month", target="passengers")


def read() -> pd.DataFrame:
    """Turn the table of years and months into a long one: a row for every month."""
    wide = pd.read_csv(TABLE)
    long = wide.melt("year", var_name="name", value_name="passengers")
    month = pd.to_datetime(long["year"].astype(str) + long["name"], format="%Y%b")
    return long.assign(series="airline", month=month)[list(COLUMNS.names)].sort_values("month")


def main(out: Path = Path("out"), steps: int = 1000) -> None:
    """Compare with the baselines, forecast two years, save the table and the picture."""
    passengers = read()
    model = rc.Forecaster("lstm", columns=COLUMNS, training=rc.Training(steps=steps), seed=0)

    # Does it beat the trivial forecasts? Ask the last three years, each foretold from before it.
    print(backtest([model], passengers, h=12, n_windows=3, level=[80, 95], columns=COLUMNS))

    forecast = model.fit(passengers).predict(h=24, level=[80, 95])
    picture = plot_forecast(
        passengers, forecast, columns=COLUMNS, title="Airline passengers, 1000s"
    )

    out.mkdir(parents=True, exist_ok=True)
    forecast.to_csv(out / "airline.csv", index=False, float_format="%.1f")
    picture.savefig(out / "airline.png")
    print(f"\nThe next 24 months are in {out / 'airline.csv'} and drawn in {out / 'airline.png'}.")


if __name__ == "__main__":
    main()
