"""The house that Jack built: a model learns how the verses chain, and goes on by itself.

Each verse is a document. The last one is not learned from: it stops the training, and shows how
well the model foretells what it never read.

    python examples/generate.py
"""

import recurra as rc
from recurra.estimators import LanguageModel

CHAIN = [
    ("lay in", "the malt"),
    ("ate", "the rat"),
    ("killed", "the cat"),
    ("worried", "the dog"),
    ("tossed", "the cow with the crumpled horn"),
    ("milked", "the maiden all forlorn"),
    ("kissed", "the man all tattered and torn"),
    ("married", "the priest all shaven and shorn"),
    ("waked", "the cock that crowed in the morn"),
    ("kept", "the farmer sowing his corn"),
    ("belonged to", "the horse and the hound and the horn"),
]


def verses() -> list[str]:
    """Chain the lines: each verse says one more than the one before."""
    told, found = "the house that Jack built.", []
    for deed, who in CHAIN:
        told = f"{who}\nThat {deed} {told}"
        found.append(f"This is {told}")
    return found


def main(steps: int = 600) -> None:
    """Learn, compare with counting, write, and look at letters one by one."""
    *known, last = verses()
    model = LanguageModel(hidden_size=96, training=rc.Training(steps=steps, batch_size=8), seed=0)
    print(model.fit(known, validation=[last]).report(), "\n")

    begun = "This is the farmer sowing his corn\nThat "
    print(begun, end="")
    for piece in model.generate_stream(begun, n=400, temperature=0.3):
        print(piece, end="", flush=True)  # as it comes
    print("\n")

    session = model.stream("This is the ")  # letter by letter, in constant time and memory
    for letter in "ca":
        chances = session.step(letter)
        likely = sorted(zip(chances, model.vocabulary_, strict=True), key=lambda one: -one[0])[:3]
        print(f"after {letter!r}:", ", ".join(f"{token!r} {p:.0%}" for p, token in likely))


if __name__ == "__main__":
    main()
