"""Labels of series by the default Classifier, beside published networks and simple models.

    python benchmarks/series.py [--sets NAME ...] [--seeds 0 1 2]

The sets are in the folder RECURRA_DATA, split as published: ten of the UCR archive, Japanese
vowels, basic motions, pen digits, pick-up gestures of unequal length; and MNIST as 28 rows, as 784
pixels, and as pixels in one random order for all images. All are learned by ``Classifier()``. The
column "publ." is LSTM-FCN (its paper, else a reproduction) or what the note says, "DTW" the nearest
neighbour by dynamic time warping (learned window), both out of the notes beside the data; "stat."
is a logistic regression on mean, deviation, least and largest value, length, and the means of four
quarters, computed here.
"""

from __future__ import annotations

import argparse
import gzip
import os
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from recurra import Classifier
from recurra.data import SequenceDataset, from_ts, from_ucr

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
UCR = [
    *("ECG200", "GunPoint", "ItalyPowerDemand", "SyntheticControl", "Trace", "TwoLeadECG"),
    *("SonyAIBORobotSurface1", "GesturePebbleZ1", "DodgerLoopGame", "MelbournePedestrian"),
]
OTHERS = {
    "JapaneseVowels": ("cls_japanese_vowels/JapaneseVowels", 99.3, 94.9, "FCN"),
    "BasicMotions": ("cls_basic_motions/BasicMotions", 95.0, 97.5, "MLSTM-FCN"),
    "PickupGesture": ("cls_pickup_gesture_varlen/PickupGestureWiimoteZ", 80.0, None, "padded"),
    "PenDigits": ("cls_pendigits/pendigits", 97.8, None, "MLSTM-FCN"),
    "MNIST rows": ("img_mnist", 99.0, None, "LSTM"),
    "MNIST pixels": ("img_mnist", 96.2, None, "GRU; TCN 99.0"),
    "MNIST permuted": ("img_mnist", 87.3, None, "GRU; TCN 97.2"),
}

Part = tuple[Any, Any]


def read(name: str) -> tuple[Part, Part]:
    """Read the training and the test part of a set, each as records and labels."""
    if name in UCR:
        folder = DATA / "cls_ucr_dev" / name
        first, second = (from_ucr(folder / f"{name}_{part}.tsv.gz") for part in ("TRAIN", "TEST"))
        return (first, None), (second, None)
    path = DATA / OTHERS[name][0]
    if name == "PenDigits":
        parts = [np.loadtxt(path.with_suffix(end), delimiter=",") for end in (".tra", ".tes")]
        first, second = ((p[:, :16].reshape(-1, 8, 2), p[:, 16].astype(int)) for p in parts)
        return first, second
    if name.startswith("MNIST"):
        return mnist(name, "train"), mnist(name, "t10k")
    first, second = (from_ts(path.with_name(f"{path.name}_{p}.ts")) for p in ("TRAIN", "TEST"))
    return (first, None), (second, None)


def mnist(name: str, part: str) -> Part:
    """Read images as series of 28 rows, of 784 pixels, or of those in another order."""
    folder = DATA / "img_mnist"
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8).astype(int)
    images = images.astype(np.float32) / 255
    if name == "MNIST rows":
        return images, labels
    pixels = images.reshape(-1, 784, 1)
    if name == "MNIST permuted":
        pixels = pixels[:, np.random.default_rng(0).permutation(784)]
    return pixels, labels


def statistics(X: Any) -> np.ndarray:
    """Describe each record by a few numbers."""
    if isinstance(X, SequenceDataset):
        stream = X.stream
        X = np.split(stream.values, stream.offsets[1:-1])
    return np.array([_described(np.asarray(x, float)) for x in X])


def _described(x: np.ndarray) -> np.ndarray:
    quarters = [each.mean(0) for each in np.array_split(x, 4)]
    return np.concatenate(
        [[np.log(len(x))], x.mean(0), x.std(0), x.min(0), x.max(0), *quarters], dtype=float
    )


def labels(part: Part) -> np.ndarray:
    """Take the labels of a part."""
    X, y = part
    return X.target.values[:, 0] if y is None else np.asarray(y)


def simple(train: Part, test: Part) -> float:
    """Score a logistic regression on statistics."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(statistics(train[0]), labels(train))
    return 100 * float(model.score(statistics(test[0]), labels(test)))


def published(name: str) -> tuple[float, float, str]:
    """Look up a recurrent network and 1NN-DTW; NaN where there is none."""
    if name in OTHERS:
        _, network, warping, note = OTHERS[name]
        return network, np.nan if warping is None else warping, note
    table = pd.read_csv(DATA / "cls_ucr_dev" / "published.csv", index_col="name").loc[name]
    paper = table["LSTM_FCN_paper"]
    network = table["LSTM_FCN_torch_repro"] if np.isnan(paper) else paper
    return network, table["acc_1NN_DTW_learned_w"], "repeated" if np.isnan(paper) else "paper"


def main() -> None:
    """Print a line for each set, and the means over the UCR sets that have a figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", nargs="+", default=[*UCR, *OTHERS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    print(f"{'set':22} {'ours':>6} {'sd':>5} {'publ.':>6} {'DTW':>6} {'stat.':>6} {'seconds':>7}")
    rows = {}
    for name in options.sets:
        train, test = read(name)
        network, warping, note = published(name)
        scores, began = [], time.perf_counter()
        for seed in options.seeds:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = Classifier(seed=seed).fit(*train)
                scores.append(100 * model.score(*test))
        seconds = (time.perf_counter() - began) / len(options.seeds)
        base = np.nan if name.startswith("MNIST") else simple(train, test)
        rows[name] = (np.mean(scores), network, warping, base)
        told = f"{np.mean(scores):6.2f} {np.std(scores):5.2f} {network:6.1f} {warping:6.1f}"
        print(f"{name:22} {told} {base:6.1f} {seconds:7.0f}  {note}", flush=True)
    known = np.array([rows[n] for n in rows if n in UCR and np.isfinite(rows[n][:3]).all()])
    if len(known):
        ours, network, warping, base = known.mean(0)
        told = f"{ours:6.2f} {'':5} {network:6.1f} {warping:6.1f} {base:6.1f}"
        print(f"{f'mean of {len(known)} UCR sets':22} {told}")


if __name__ == "__main__":
    main()
