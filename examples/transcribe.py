"""A language of three whistles: learned from recordings and their texts, then written down live.

The recordings are made up: a word is a tone, ``lo``, ``mi`` or ``hi``, and pauses part words. Where
in a recording a word lies is told to nobody.

    python examples/transcribe.py
"""

import numpy as np

from recurra import Training
from recurra.estimators import Transcriber

RATE = 8000
TONES = {"lo": 300, "mi": 800, "hi": 1800}


def whistle(text: str, random: np.random.Generator) -> np.ndarray:
    """Whistle the words of a text, a little out of tune, with pauses."""
    parts = [np.zeros(random.integers(200, 1200))]
    for word in text.split():
        time = np.arange(random.integers(600, 1200)) / RATE
        tone = 0.3 * np.sin(2 * np.pi * TONES[word] * random.normal(1, 0.02) * time)
        parts += [tone, np.zeros(random.integers(300, 1200))]
    sound = np.concatenate(parts)
    return sound + random.normal(0, 0.003, len(sound))


def make(count: int, seed: int) -> tuple[list[np.ndarray], list[str]]:
    """Make recordings and their texts."""
    random = np.random.default_rng(seed)
    texts = [" ".join(random.choice([*TONES], random.integers(1, 5))) for _ in range(count)]
    return [whistle(text, random) for text in texts], texts


def main(count: int = 150, steps: int = 300) -> None:
    """Learn, count the errors, and listen to a recording in pieces of a tenth of a second."""
    sounds, texts = make(count, seed=0)
    training = Training(steps=steps, batch_size=16, learning_rate=1e-2)
    model = Transcriber(hidden_size=32, bidirectional=False, dropout=0.0, training=training)
    print(model.fit(sounds, texts, rate=RATE).report())
    unheard, said = make(30, seed=1)
    print(f"{model.word_error_rate(unheard, said):.1%} of the words never heard before are wrong")
    session = model.stream()
    for start in range(0, len(unheard[0]), RATE // 10):
        print(f"{start / RATE:4.1f} s  {session.step(unheard[0][start : start + RATE // 10])}")
    print(f"   end  {session.finish()}\n  said  {said[0]}")


if __name__ == "__main__":
    main()
