"""Heart beats by patient, and open eyes by time: splits that do not flatter.

    python benchmarks/medical.py [--seeds 0 1 2] [--only beats eyes]

Beats (`med_mitbih_ds1` in the folder RECURRA_DATA): the patients are parted into five folds, never
the beats of one patient. A step is a beat: the signal around it, and how far the beats before and
after it are away. A Tagger reads stretches of 60 beats. Macro-F1 is over the four classes N, S, V,
F; the eight beats of class Q are left out. Eyes (`med_eeg_eye`): the first 70 % of the recording
are learned from, the last 30 % asked about; nothing between them is shared.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from recurra import Tagger

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
BEFORE, AFTER, EACH = 30, 45, 3  # samples around a beat, at 100 a second; every third is kept
STRETCH = 60  # beats
EYES = 128  # samples of a stretch of the electroencephalogram: one second

Pieces = tuple[list[Any], list[Any]]
Model = Callable[[Pieces, list[Any], int], list[Any]]


def beats() -> tuple[list[Any], list[Any], list[Any]]:
    """Read stretches of beats, their classes and whose they are."""
    held = dict(np.load(DATA / "med_mitbih_ds1" / "mitbih_100hz_int8.npz"))
    X, y, whose = [], [], []
    edges = zip(held["record"], held["offsets"][:-1], held["offsets"][1:], strict=True)
    for record, start, stop in edges:
        signal = np.pad(held["signal"][start:stop].astype(float), (BEFORE, AFTER), mode="edge")
        mine = held["beat_record"] == record
        places, classes = held["beat_sample"][mine] - start, held["beat_class"][mine]
        around = places[:, None] + np.arange(0, BEFORE + AFTER, EACH)
        gaps = np.log(np.maximum(np.diff(places), 1) / np.median(np.diff(places)))
        away = np.stack([np.r_[0, gaps], np.r_[gaps, 0]], 1)
        steps = np.concatenate([signal[around] / signal.std(), away], 1)
        known = classes != "Q"
        for first in range(0, known.sum(), STRETCH):
            X.append(steps[known][first : first + STRETCH])
            y.append(classes[known][first : first + STRETCH].tolist())
            whose.append(str(record))
    return X, y, whose


def eyes() -> tuple[Pieces, Pieces]:
    """Read the recording in stretches: those of the first 70 %, and those of the rest."""
    table = pd.read_csv(next((DATA / "med_eeg_eye").glob("*.csv.gz")))
    values, labels = table.drop(columns="class").to_numpy(float), table["class"].to_numpy()
    cut = int(0.7 * len(values))

    def pieces(start: int, stop: int) -> Pieces:
        edges = range(start, stop, EYES)
        return (
            [values[k : min(k + EYES, stop)] for k in edges],
            [labels[k : min(k + EYES, stop)].tolist() for k in edges],
        )

    return pieces(0, cut), pieces(cut, len(values))


def tagger(learned: Pieces, asked: list[Any], seed: int) -> list[Any]:
    """Answer by a Tagger as it comes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Tagger(seed=seed).fit(*learned).predict(asked)


def flat(model: Any) -> Model:
    """Make a model of single steps answer for stretches."""

    def answer(learned: Pieces, asked: list[Any], _: int) -> list[Any]:
        model.fit(np.concatenate(learned[0]), np.concatenate(learned[1]))
        return [model.predict(each) for each in asked]

    return answer


def majority(learned: Pieces, asked: list[Any], _: int) -> list[Any]:
    """Answer what is most frequent."""
    labels, counts = np.unique(np.concatenate(learned[1]), return_counts=True)
    return [np.full(len(each), labels[counts.argmax()]) for each in asked]


MODELS: dict[str, Model] = {
    "the most frequent label": majority,
    "logistic regression": flat(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=1e-3))
    ),
    "boosting": flat(HistGradientBoostingClassifier(random_state=0)),
    "Tagger()": tagger,
}


def run_beats(name: str, seed: int) -> tuple[float, float]:
    """Cross-validate over patients; give macro-F1 and accuracy over all of them."""
    X, y, whose = beats()
    found: list[Any] = [None] * len(X)
    for train, test in GroupKFold(5, shuffle=True, random_state=0).split(X, groups=whose):
        learned = [X[k] for k in train], [y[k] for k in train]
        for place, each in zip(
            test, MODELS[name](learned, [X[k] for k in test], seed), strict=True
        ):
            found[place] = each
    return scores(y, found)


def run_eyes(name: str, seed: int) -> tuple[float, float]:
    """Learn from what was before, and answer for what comes after."""
    before, after = eyes()
    return scores(after[1], MODELS[name](before, after[0], seed))


def scores(y: list[Any], found: list[Any]) -> tuple[float, float]:
    """Give macro-F1 and accuracy of all steps."""
    truth, answers = np.concatenate(y), np.concatenate(found)
    return f1_score(truth, answers, average="macro"), accuracy_score(truth, answers)


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", default=["beats", "eyes"])
    chosen = parser.parse_args()
    print(f"{'set':6} {'model':24} {'macro-F1':>16} {'accuracy':>16} {'seconds':>8}")
    for which in chosen.only:
        run = {"beats": run_beats, "eyes": run_eyes}[which]
        for name in MODELS:
            seeds = chosen.seeds if name == "Tagger()" else chosen.seeds[:1]
            begun = time.perf_counter()
            each = np.array([run(name, seed) for seed in seeds])
            took = (time.perf_counter() - begun) / len(seeds)
            told = [f"{m:.3f} ± {s:.3f}" for m, s in zip(each.mean(0), each.std(0), strict=True)]
            print(f"{which:6} {name:24} {told[0]:>16} {told[1]:>16} {took:8.0f}", flush=True)


if __name__ == "__main__":
    main()
