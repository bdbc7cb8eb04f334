"""Machines that wear out: how many hours are left, said while the readings come in.

Each machine was watched from new to somewhere before its end: vibration and heat, once an hour,
some readings lost. Wear adds up at a pace of its own; what is left is to be said from the readings
alone. The machines are made up.

    python examples/wear.py
"""

import numpy as np

import recurra as rc


def make(machines: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Make up machines: readings so far, and the hours left."""
    random = np.random.default_rng(seed)
    readings, left = [], []
    for _ in range(machines):
        life = random.integers(40, 120)
        wear = np.linspace(0, 1, life) ** 2
        both = np.stack([1 + 4 * wear, 60 + 25 * wear], 1)
        both += random.normal(0, (0.3, 2.0), (life, 2))
        both[random.random(life) < 0.1] = np.nan
        now = random.integers(life // 3, life)
        readings.append(both[:now])
        left.append(life - now)
    return readings, np.array(left, float)


def main(machines: int = 600, steps: int = 800) -> None:
    """Learn; then watch one machine hour by hour."""
    X, y = make(machines, seed=0)
    training = rc.Training(steps=steps, batch_size=32)
    model = rc.Regressor(training=training, validation=0.15, seed=0).fit(X, y)
    print(model.report())
    new, left = make(1, seed=1)
    session = model.stream()
    print("\nhour  vibration  hours left: said, true")
    for hour, row in enumerate(new[0]):
        said = session.step(row)[0]
        if hour % 10 == 9:
            true = len(new[0]) - 1 - hour + left[0]
            print(f"{hour + 1:4}  {row[0]:9.2f}  {said:16.0f}, {true:.0f}")


if __name__ == "__main__":
    main()
