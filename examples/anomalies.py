"""A pump is watched: find what is odd in its readings, without having seen a fault.

Pressure and current go up and down together, every day alike. Learned from two quiet weeks, the
detector reads the next two, row by row: a jolt, a sensor that hangs, and a pump that runs out of
step, though each single reading is a usual one.

    python examples/anomalies.py
"""

import numpy as np

import recurra as rc
from recurra.estimators import AnomalyDetector

DAY, WEEKS = 96, 2  # a reading each quarter of an hour
FAULTS = {"jolt": (200, 203), "hanging sensor": (560, 640), "out of step": (1000, 1060)}


def readings(seed: int) -> np.ndarray:
    """Make up two quiet weeks."""
    random = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(7 * WEEKS * DAY) / DAY
    pressure = 50 + 10 * np.sin(phase) + random.normal(0, 0.5, len(phase))
    current = 8 + 2 * np.sin(phase + 0.4) + random.normal(0, 0.1, len(phase))
    return np.stack([pressure, current], 1)


def faulty(seed: int = 1) -> np.ndarray:
    """The same, with three faults."""
    values = readings(seed)
    jolt, hang, out = (slice(*span) for span in FAULTS.values())
    values[jolt, 0] += 25
    values[hang, 1] = values[hang.start, 1]
    values[out, 0] = values[out, 0][::-1] + 3 * np.sin(np.arange(60))
    return values


def main(steps: int = 300) -> None:
    """Learn from quiet weeks, and watch the next ones as they come."""
    training = rc.Training(steps=steps, batch_size=12, learning_rate=1e-2)
    # A pump does not change its ways: what is odd stays odd, however often it is seen.
    detector = AnomalyDetector(adapts=False, quiet=DAY, training=training, seed=0)
    detector.fit([readings(0)])
    print(detector.report())
    values, session = faulty(), detector.stream()
    for place, row in enumerate(values):
        score = session.step(row)
        if session.alarm:
            told = [name for name, (a, b) in FAULTS.items() if a <= place < b + DAY // 4]
            print(f"reading {place}: alarm, score {score:.2f} ({', '.join(told) or 'nothing'})")
    truth = np.zeros(len(values), int)
    for first, stop in FAULTS.values():
        truth[first:stop] = 1
    found = detector.event_scores([values], [truth])
    print(f"{found.precision:.0%} of the events are faults, {found.recall:.0%} of the faults found")


if __name__ == "__main__":
    main()
