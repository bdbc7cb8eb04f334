"""What people think of a film, told from what they write: a list of texts and a list of labels.

Nothing is read, parted or coded by hand: texts go in, labels come out, at the end or word by word.

    python examples/sentiment.py
"""

import itertools

import recurra as rc

THINGS = ("film", "story", "cast", "music", "ending")
GOOD = ("wonderful", "moving", "clever", "charming")
BAD = ("boring", "hollow", "clumsy", "annoying")
SAYS = ("The {} was {}", "I found the {} {}", "What a {}, so {} !", "The {} ? Truly {} .")


def make() -> tuple[list[str], list[str]]:
    """Write some opinions; what is not good is bad."""
    texts, labels = [], []
    for say, thing, word in itertools.product(SAYS, THINGS, (*GOOD, *BAD)):
        texts += [say.format(thing, word), say.format(thing, f"not {word}")]
        labels += ["good", "bad"] if word in GOOD else ["bad", "good"]
    return texts, labels


def main(steps: int | None = None) -> None:
    """Learn, answer for opinions of one's own, and follow one of them word by word."""
    training = None if steps is None else rc.Training(steps=steps, progress=False)
    model = rc.Classifier(hidden_size=32, training=training).fit(*make())
    print(model.report(), end="\n\n")
    said = ["a charming story", "the music was not clever", "charmed by the cast"]
    for text, label in zip(said, model.predict(said), strict=True):
        print(f"{label:5} {text}")
    stream = model.stream()
    place = model.classes_.tolist().index("good")
    for word in ("The", "ending", "was", "not", "boring"):
        print(f"{word:8} good with probability {stream.step(word)[place]:.2f}")


if __name__ == "__main__":
    main()
