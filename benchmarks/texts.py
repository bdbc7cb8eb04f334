"""Texts: a Classifier as it is, beside published recurrent networks and a linear model of n-grams.

    python benchmarks/texts.py --sets sst trec --seeds 0 1 2

The data are looked for in $RECURRA_DATA (see their READMEs there). Nothing is set for any of them:
what a step is, the treatments and the training follow from the texts.

sst: sentences of films, good or bad (Socher et al. 2013), sentences alone, the official split.
trec: questions by what they ask for (Li & Roth 2002), the official split, six labels.
chnsenticorp: Chinese reviews, good or bad, the official split.
movies: long reviews (Pang & Lee 2004); to test the tenth of the corpus that has the seed's number.
names: surnames by nationality, each with each label once; a fifth to test, drawn by the seed.
repeated: the same as the files have them, a tenth of the lines more than once: what was learned is
asked about.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

from recurra.errors import DataWarning
from recurra.estimators.records.classifier import Classifier

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
PUBLISHED = {
    "sst": "LSTM 84.9, BiLSTM 87.5, with GloVe and labels of phrases (Tai et al. 2015)",
    "trec": "C-LSTM with word2vec 94.6 (Zhou et al. 2015)",
    "chnsenticorp": "BiGRU 87.85, BiLSTM 89.83 (PaddleNLP)",
    "movies": "none",
    "names": "none",
    "repeated": "none",
}
Part = tuple[list[str], list[str]]


class Task(NamedTuple):
    """Texts and labels to learn from, to stop by where there are such, and to test."""

    train: Part
    test: Part
    dev: Part | None = None


def lines(path: Path, between: str, header: bool = False) -> Part:
    """Read a label and a text from each line."""
    whole = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    parted = [each.split(between, 1) for each in whole.decode().split("\n") if each.strip()]
    return [each[1] for each in parted[header:]], [each[0] for each in parted[header:]]


def sst(seed: int) -> Task:  # noqa: ARG001 - the split is given
    """Read the sentences of films."""
    folder = DATA / "txt_sst"
    train, dev, test = (
        lines(folder / f"stsa.binary.{part}.txt", " ") for part in ("train", "dev", "test")
    )
    return Task(train, test, dev)


def trec(seed: int) -> Task:  # noqa: ARG001 - the split is given
    """Read the questions."""
    folder = DATA / "txt_trec"
    return Task(*(lines(folder / f"TREC.{part}.all.txt", " ") for part in ("train", "test")))


def chnsenticorp(seed: int) -> Task:  # noqa: ARG001 - the split is given
    """Read the Chinese reviews."""
    folder = DATA / "txt_chnsenticorp"
    train, dev, test = (
        lines(folder / f"{part}.tsv.gz", "\t", True) for part in ("train", "dev", "test")
    )
    return Task(train, test, dev)


def movies(seed: int) -> Task:
    """Read the long reviews; the fold with the seed's number is to test."""
    rest, labels = lines(DATA / "txt_movie_reviews_long" / "polarity2.tsv.gz", "\t", True)
    folds = np.array([int(each.split("\t")[0].strip("cv")) // 100 for each in rest])
    texts = [each.split("\t", 1)[1] for each in rest]
    return _parted(texts, labels, np.flatnonzero(folds != seed % 10), folds == seed % 10)


def names(seed: int) -> Task:
    """Read the surnames, each with each label once."""
    return _names(sorted({*_lines_of_names()}), seed)


def repeated(seed: int) -> Task:
    """Read the surnames as often as they are there."""
    return _names(_lines_of_names(), seed)


def _lines_of_names() -> list[tuple[str, str]]:
    files = sorted((DATA / "txt_names" / "nationality").glob("*.txt"))
    return [(line.strip(), file.stem) for file in files for line in file.open() if line.strip()]


def _names(pairs: list[tuple[str, str]], seed: int) -> Task:
    texts, labels = [name for name, _ in pairs], [label for _, label in pairs]
    places = np.arange(len(pairs))
    learned, asked = train_test_split(places, test_size=0.2, random_state=seed, stratify=labels)
    return _parted(texts, labels, learned, np.isin(places, asked))


SETS = {each.__name__: each for each in (sst, trec, chnsenticorp, movies, names, repeated)}


def _parted(texts: list[str], labels: list[str], learned: np.ndarray, asked: np.ndarray) -> Task:
    """Pick what is learned from, and what is asked about."""
    pick = lambda places: ([texts[k] for k in places], [labels[k] for k in places])  # noqa: E731
    return Task(pick(learned), pick(np.flatnonzero(asked)))


def scored(truth: list[str], found: list[str]) -> dict[str, float]:
    """Measure the answers, in per cent."""
    right = float(np.mean(np.array(truth) == np.array(found)))
    return {"accuracy": 100 * right, "macro F1": 100 * f1_score(truth, found, average="macro")}


def ours(task: Task, seed: int) -> dict[str, float]:
    """Learn with a Classifier as it is."""
    begun, model = time.perf_counter(), Classifier(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        model.fit(*task.train, validation=task.dev)
        seconds = time.perf_counter() - begun
        return scored(task.test[1], list(model.predict(task.test[0]))) | {"seconds": seconds}


def linear(task: Task) -> dict[str, float]:
    """Learn with logistic regression on tf-idf, of words in pairs, or of up to four characters."""
    spaced = np.median([len(text.split()) for text in task.train[0]]) >= 3
    words = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"\S+"}
    letters = {"analyzer": "char", "ngram_range": (1, 4 if len(task.train[0][0]) < 20 else 3)}
    begun = time.perf_counter()
    weights = TfidfVectorizer(sublinear_tf=True, **(words if spaced else letters))
    model = LogisticRegression(C=10.0, max_iter=300)
    model.fit(weights.fit_transform(task.train[0]), task.train[1])
    found = model.predict(weights.transform(task.test[0])).tolist()
    return scored(task.test[1], found) | {"seconds": time.perf_counter() - begun}


def main() -> None:
    """Print a line of JSON for each set, seed and model, and means."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    asked.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    told = asked.parse_args()
    for name in told.sets:
        results: dict[str, list[dict[str, float]]] = {"Classifier": [], "tf-idf LR": []}
        for seed in told.seeds:
            task = SETS[name](seed)
            for model, scores in (("Classifier", ours(task, seed)), ("tf-idf LR", linear(task))):
                results[model].append(scores)
                rounded = {key: round(value, 2) for key, value in scores.items()}
                print(json.dumps({"set": name, "seed": seed, "model": model} | rounded), flush=True)
        for model, scores in results.items():
            columns = {key: [each[key] for each in scores] for key in scores[0]}
            said = [f"{k} {np.mean(each):.2f} ± {np.std(each):.2f}" for k, each in columns.items()]
            print(f"{name}, {model}: {', '.join(said)}", flush=True)
        print(f"{name}, published: {PUBLISHED[name]}", flush=True)


if __name__ == "__main__":
    main()
