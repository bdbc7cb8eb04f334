"""Speech: spoken digits by CTC and by classification, and the yes-no corpus, over several seeds.

    python benchmarks/speech.py --seeds 0 1 2

The data are looked for in $RECURRA_DATA (see their README there). Digits: the official split of the
free spoken digit data set, recordings 0-4 of each speaker and digit to test. Yes-no: the files
sorted by name, the first, third, … to learn from and the others to test, as in icefall (lhotse).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np

from recurra.data import Scale, SequenceDataset, Stream, Target, from_audio
from recurra.data.treatments import LogMel
from recurra.estimators.records.classifier import Classifier
from recurra.estimators.speech.transcriber import Transcriber

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def digits() -> tuple[SequenceDataset, list[str], np.ndarray]:
    """Read the digits: recordings, words, and which of them are to test."""
    with np.load(DATA / "spk_fsdd_dev" / "fsdd_8k_int16.npz") as file:
        held = {name: file[name] for name in file.files}
    stream = Stream(held["audio"][:, None], held["offsets"], ("mono",), "signal", rate=8000.0)
    which = zip(held["digit"], held["speaker"], held["index"], strict=True)
    data = SequenceDataset(tuple(f"{d}_{who}_{k}" for d, who, k in which), {"audio": stream})
    return data, [DIGITS[d] for d in held["digit"]], held["index"] < 5


def yes_no() -> tuple[SequenceDataset, list[str], np.ndarray]:
    """Read the yes-no corpus; the names of the files say what is said."""
    files = sorted((DATA / "spk_yesno").rglob("*.wav"))
    words = [["no", "yes"][int(digit)] for file in files for digit in file.stem.split("_")]
    said = [" ".join(words[k : k + 8]) for k in range(0, len(words), 8)]
    return from_audio(files), said, np.arange(len(files)) % 2 == 1


def transcribe(
    data: SequenceDataset, said: list[str], test: np.ndarray, model: Transcriber
) -> dict:
    """Learn from one part, and count the errors in the other."""
    learned, asked = np.flatnonzero(~test), np.flatnonzero(test)
    begun = time.perf_counter()
    model.fit(data.take(learned), [said[k] for k in learned])
    seconds = time.perf_counter() - begun
    truth, found = [said[k] for k in asked], model.predict(data.take(asked))
    right = np.mean([one == other for one, other in zip(truth, found, strict=True)])
    rate = model.word_error_rate(data.take(asked), truth)
    return {"right %": 100 * right, "WER %": 100 * rate, "seconds": seconds}


def classify(data: SequenceDataset, said: list[str], test: np.ndarray, seed: int) -> dict:
    """Learn the digits as labels."""
    codes = np.array([[DIGITS.index(word)] for word in said])
    data = data.with_targets(digit=Target(codes, classes=DIGITS))
    begun = time.perf_counter()
    model = Classifier(treatments=[LogMel(), Scale()], seed=seed)
    model.fit(data.take(np.flatnonzero(~test)))
    seconds = time.perf_counter() - begun
    right = model.score(data.take(np.flatnonzero(test)))
    return {"right %": 100 * right, "seconds": seconds}


def main() -> None:
    """Run every task with every seed, and print means and standard deviations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    options = parser.parse_args()
    for task in options.tasks:
        rows = []
        for seed in options.seeds:
            rows.append(TASKS[task](seed))
            print(task, json.dumps({"seed": seed, **rows[-1]}), flush=True)
        for name in rows[0]:
            values = [row[name] for row in rows]
            print(f"{task}: {name} {np.mean(values):.2f} (sd {np.std(values):.2f})", flush=True)


TASKS = {
    "digits": lambda seed: transcribe(*digits(), Transcriber(seed=seed)),
    "digits as labels": lambda seed: classify(*digits(), seed),
    "digits, forwards only": lambda seed: transcribe(
        *digits(), Transcriber(bidirectional=False, seed=seed)
    ),
    "yes-no": lambda seed: transcribe(*yes_no(), Transcriber(seed=seed)),
}

if __name__ == "__main__":
    main()
