"""Music, frame by frame: which keys come next, and a tune of one's own.

Sixteen keys; a tune walks up or down a scale, with a chord on each fourth frame, and now and then
turns round. The network learns from frames alone which keys go together and what follows what.

    python examples/music.py
"""

import numpy as np

import recurra as rc
from recurra.estimators import NextStep

KEYS, SCALE = 16, (0, 2, 4, 5, 7, 9, 11, 12, 14)


def make(tunes: int = 80, seed: int = 0) -> list[np.ndarray]:
    """Make up tunes: one row a frame, one column a key, 1 where it is pressed."""
    random = np.random.default_rng(seed)
    found = []
    for length in random.integers(24, 60, tunes):
        place, way = random.integers(len(SCALE)), random.choice([-1, 1])
        tune = np.zeros((length, KEYS))
        for frame in range(length):
            tune[frame, SCALE[place]] = 1
            if frame % 4 == 0:
                tune[frame, [0, 4, 7]] = 1
            way = -way if random.random() < 0.05 or not 0 <= place + way < len(SCALE) else way
            place += way
        found.append(tune)
    return found


def draw(tune: np.ndarray) -> str:
    """Draw a tune, the highest key on top."""
    return "\n".join("".join("o" if pressed else "." for pressed in key) for key in tune.T[::-1])


def main(steps: int = 600) -> None:
    """Learn, score unheard tunes beside simple models, and go on with one of them."""
    training = rc.Training(steps=steps, batch_size=8, learning_rate=1e-2)
    model = NextStep(hidden_size=64, dropout=0.1, recurrent_dropout=0.0, training=training, seed=0)
    model.fit(make())
    print(model.report())
    unheard = make(20, seed=1)
    print(f"loss of a frame, on unheard tunes: {-model.score(unheard):.2f}")
    print("the first 16 frames are given, the network goes on:")
    start = unheard[0][:16]
    print(draw(np.concatenate([start, model.sample(24, start, seed=0, temperature=0.5)])))


if __name__ == "__main__":
    main()
