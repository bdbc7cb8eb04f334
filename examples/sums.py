"""Sums, learned from text: "12+345" in, "357" out.

A network reads the letters of a sum and says those of the result, one after the other. It has seen
one sum of fifty; the others it has to work out. What it looks at for each digit of the result is
drawn at the end.

    python examples/sums.py
"""

import numpy as np

from recurra import Training
from recurra.estimators import SequenceToSequence


def draw(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Draw sums of two numbers of up to three digits, and their results."""
    pairs = np.random.default_rng(seed).integers(0, 1000, (count, 2))
    return [f"{a}+{b}" for a, b in pairs], [str(a + b) for a, b in pairs]


def main(sums: int = 20_000, steps: int = 3000) -> None:
    """Learn from some sums, and work out others."""
    X, y = draw(sums, seed=0)
    training = Training(steps=steps, learning_rate=4e-3, weight_decay=1e-2, check_every=250)
    model = SequenceToSequence(training=training, seed=0).fit(X, y)
    print(model.report())

    asked, results = draw(2000, seed=1)
    seen = set(X)
    new = [k for k, text in enumerate(asked) if text not in seen]
    asked, results = [asked[k] for k in new], [results[k] for k in new]
    print(f"\nright, of {len(new)} sums never seen: {model.score(asked, results):.1%}")
    chances = model.predict_proba(asked[:5])
    for text, said, chance in zip(asked, model.predict(asked[:5]), chances, strict=False):
        print(f"{text:>8} = {said:<5} sure to {chance:.0%}")

    print(f"\nwhere it looks, working out {asked[0]}:\n    " + "    ".join(asked[0]))
    for symbol, row in zip(model.stream(asked[0]), model.attend(asked[:1])[0], strict=True):
        print(symbol, " ".join(f"{share:4.0%}" for share in row))


if __name__ == "__main__":
    main()
