"""Find what was ordered: spans in sentences, learned from three hundred that are made up.

Each word has a label: B-DISH begins a dish, I-DISH goes on with it, O is neither. Dishes that the
model has never heard of are found by the words around them and by their letters.

    python examples/tag.py
"""

import random
import warnings

from recurra import Tagger, Training

COUNTS = ["a", "one", "two", "three", "four", "five", "six", "ten"]
MADE_OF = ["lentil", "tomato", "ham", "greek", "chicken", "pea", "noodle", "tuna", "fish", "rice"]
DISHES = ["soup", "soups", "pizza", "pizzas", "salad", "salads", "sandwich", "curry", "stew"]
FRUITS = ["apple", "orange", "pear", "grape", "cherry", "lemon", "tomato", "carrot", "plum", "kiwi"]
DRINKS = ["juice", "juices", "cola", "tea", "teas", "water", "smoothie", "smoothies", "lemonade"]
OPENINGS = ["", "hello", "good evening", "i would like", "can we have", "could you bring us"]
ENDINGS = ["", "please", "thanks", "for table four", "to take away", "and the bill"]


def order(chance: random.Random) -> tuple[list[str], list[str]]:
    """Make up an order: its words, and a label for each."""
    parts = [(chance.choice(OPENINGS), None)]
    things = [("DISH", MADE_OF, DISHES), ("DRINK", FRUITS, DRINKS)]
    for kind, firsts, names in chance.sample(things, chance.randint(1, 2)):
        parts += [("and", None)] if len(parts) > 1 else []
        thing = f"{chance.choice(['', *firsts])} {chance.choice(names)}"
        parts += [(chance.choice(COUNTS), "COUNT"), (thing, kind)]
    parts.append((chance.choice(ENDINGS), None))
    words = [(word, kind, first) for text, kind in parts for first, word in mark(text)]
    return [w for w, _, _ in words], [f"{f}-{kind}" if kind else "O" for _, kind, f in words]


def mark(text: str) -> list[tuple[str, str]]:
    """Mark the first word of a part, and those that go on with it."""
    return [("I" if k else "B", word) for k, word in enumerate(text.split())]


def main(steps: int = 250) -> None:
    """Learn from made-up orders, and read some that were not among them."""
    warnings.simplefilter("ignore")
    chance = random.Random(0)
    X, y = zip(*(order(chance) for _ in range(300)), strict=True)
    model = Tagger(crf=True, hidden_size=32, training=Training(steps, 16)).fit(list(X), list(y))
    print(model.report())
    for text in ("Could we have two onion soups and a mango juice please", "three lemonades"):
        words = text.split()
        for start, stop, kind in model.spans([words])[0]:
            print(f"{kind:5}  {' '.join(words[start:stop])}")


if __name__ == "__main__":
    main()
