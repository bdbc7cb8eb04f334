"""Many shops, with prices known in advance: learn once, then read new days as they come.

The data are made up: sales follow the weekday, and rise while the price is cut.

    python examples/shops.py
"""

import numpy as np
import pandas as pd

import recurra as rc

COLUMNS = rc.Columns(id="shop", time="day", target="sales", future=["price"], static=["region"])
DAYS, NEW, AHEAD = 280, 7, 14


def make_shops(shops: int, days: int, seed: int = 0) -> pd.DataFrame:
    """Make up daily sales: each shop has its size, its week, and its days of cut prices."""
    random = np.random.default_rng(seed)
    day = pd.date_range("2024-01-01", periods=days)
    parts = []
    for shop in range(shops):
        price = np.where(np.repeat(random.random(days // 7 + 1), 7)[:days] < 0.25, 7.0, 10.0)
        week = 1 + 0.5 * np.sin(2 * np.pi * (day.day_of_week + shop % 3) / 7)
        mean = 20.0 * 2 ** (shop % 4) * week * np.where(price < 10, 1.6, 1.0)
        region = "north" if shop % 2 else "south"
        columns = {"day": day, "sales": random.poisson(mean), "price": price, "region": region}
        parts.append(pd.DataFrame({"shop": f"shop {shop + 1}", **columns}))
    return pd.concat(parts, ignore_index=True)


def main(steps: int = 500, shops: int = 12) -> None:
    """Learn from the past, read a week more, forecast two weeks with the prices planned."""
    table = make_shops(shops, DAYS + NEW + AHEAD)
    day = table.groupby("shop").cumcount()
    past, new = table[day < DAYS], table[(day >= DAYS) & (day < DAYS + NEW)]
    coming = table[day >= DAYS + NEW]  # of this only the prices are told

    model = rc.Forecaster(columns=COLUMNS, training=rc.Training(steps=steps)).fit(past)
    model.update(new)  # a week goes by: no training, the cost is that of the new rows
    forecast = model.predict(h=AHEAD, level=[80], future=coming[["shop", "day", "price"]])

    both = forecast.merge(coming, on=["shop", "day"])
    inside = both["sales"].between(both["LSTM-lo-80"], both["LSTM-hi-80"]).mean()
    shown = both.drop(columns="region").head(AHEAD)
    print(shown.to_string(index=False, float_format="%.1f"))
    print(f"\nAfter a week of updates, {inside:.0%} of {len(both)} sales lie in their 80 % band.")
    for price, rows in both.groupby("price"):
        print(f"at {price:>4}: sold {rows['sales'].mean():.1f}, foretold {rows['LSTM'].mean():.1f}")


if __name__ == "__main__":
    main()
