"""Parts of speech in the English Web Treebank, by the Tagger as it comes.

    python benchmarks/tagging.py [--seeds 0 1 2] [--only NAME ...]

Learns from the training part, is stopped by the development part, and is scored once on the test
part (`tag_ud_ewt` in the folder RECURRA_DATA: Universal Dependencies, 17 labels, 204,577 words to
learn from). No vectors from elsewhere are read. Beside it stands the most frequent label of each
word; a word never seen there gets the label that new words mostly have.
"""

from __future__ import annotations

import argparse
import gzip
import os
import time
import warnings
from pathlib import Path

import numpy as np
import torch

from recurra import Tagger
from recurra.estimators.records.tagger_baseline import most_frequent
from recurra.estimators.records.tagger_inputs import read_steps

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
WAYS: dict[str, dict] = {
    "default": {},
    "random field": {"crf": True},
    "forward only": {"bidirectional": False},
}


def read(part: str) -> tuple[list[list[str]], list[list[str]]]:
    """Read the words and labels of one part."""
    path = DATA / "tag_ud_ewt" / f"{part}.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        blocks = [block.splitlines() for block in file.read().split("\n\n") if block.strip()]
    rows = [[line.split("\t") for line in block] for block in blocks]
    return [[row[0] for row in block] for block in rows], [[r[1] for r in b] for b in rows]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="*", default=list(WAYS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    train, dev, test = read("train"), read("dev"), read("test")
    known = {word.lower() for sentence in train[0] for word in sentence}
    print(f"{'the most frequent label of each word':40} test {100 * simple(train, test):.2f}")
    for name in options.only:
        scores = []
        for seed in options.seeds:
            wall, cpu = time.perf_counter(), time.process_time()
            model = Tagger(seed=seed, **WAYS[name]).fit(*train, validation=dev)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            scores.append(100 * model.score(*test))
            new = unseen(known, *test)
            print(
                f"{name + f', seed {seed}':40} test {scores[-1]:.2f}   dev "
                f"{100 * model.score(*dev):.2f}   new words {100 * model.score(*new):.2f}   "
                f"{wall:.0f} s, {cpu:.0f} s of one core, best step {model.log_.best_step}",
                flush=True,
            )
        spread = np.std(scores, ddof=1) if len(scores) > 1 else float("nan")
        print(f"{name:40} test {np.mean(scores):.2f} ± {spread:.2f}", flush=True)


def simple(train: tuple, test: tuple) -> float:
    """Score the most frequent label of each word."""
    kept, asked = read_steps(*train), read_steps(*test)
    codes = most_frequent(kept, asked)[1]
    said = np.array(kept.target.classes)[codes]
    truth = np.array(asked.target.classes)[asked.target.values[:, 0]]
    return float((said == truth).mean())


def unseen(known: set[str], X: list[list[str]], y: list[list[str]]) -> tuple[list, list]:
    """Hide the labels of the words that were learned from."""
    hidden = [
        [label if word.lower() not in known else None for word, label in zip(*pair, strict=True)]
        for pair in zip(X, y, strict=True)
    ]
    return X, hidden


if __name__ == "__main__":
    main()
