"""Mortality of intensive-care stays from raw events, by five-fold cross-validation.

    python benchmarks/physionet.py [--seeds 0 1] [--only NAME ...]

Every row of the table reads the same events (`med_physionet2012` in the folder RECURRA_DATA) and
the same five folds. Treatments are learned from the training part of each fold.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from recurra import Classifier, SequenceDataset, Training
from recurra.data import (
    Fill,
    Indicators,
    Outliers,
    Resample,
    Scale,
    SinceObserved,
    from_events,
)
from recurra.data.treatments import Treatment

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
STATIC = ("Age", "Gender", "Height", "Weight")
EPOCHS = 12


def read() -> SequenceDataset:
    """Read events and outcomes; -1 stands for what is unknown of a static variable.

    This copy of the data has several ages for some stays, and 200 for others: both tell how a stay
    ended. The first age counts, and 90 is the highest, as in the final release.
    """
    folder = DATA / "med_physionet2012"
    events = pd.read_csv(folder / "set-a.csv.xz").query("Parameter != 'RecordID'")
    fixed = events.Parameter.isin(STATIC) & (events.Minutes == 0)
    events.loc[fixed & (events.Value < 0), "Value"] = np.nan
    age = events.Parameter == "Age"
    events.loc[age, "Value"] = events.Value[age].clip(upper=90)
    events = events[~(age & events.duplicated(["RecordID", "Parameter"]))]
    weight = events[fixed & (events.Parameter == "Weight")]
    admission = weight.drop_duplicates("RecordID").assign(Parameter="AdmissionWeight")
    outcomes = pd.read_csv(folder / "Outcomes-a.txt")
    outcomes = outcomes[outcomes.RecordID.isin(events.RecordID)]
    return from_events(
        pd.concat([events, admission]),
        id="RecordID",
        time="Minutes",
        variable="Parameter",
        value="Value",
        static=["Age", "Gender", "Height", "AdmissionWeight"],
        duplicates="last",
        outcomes=outcomes,
        target="In-hospital_death",
    )


def treatments(*more: Treatment, how: tuple[str, ...] = ("mean",)) -> list[Treatment]:
    """Winsorise, take logarithms, put on a grid of two hours over two days; then what is given."""
    grid = Resample(120.0, how, origin="clock", span=(0, 2880))
    return [Outliers("quantile"), Scale("log"), grid, *more]


def networks(data: SequenceDataset, seed: int) -> dict[str, Callable[[], Classifier]]:
    """Name the networks to be compared; the last is the one to be had, the others explain it."""
    steps = EPOCHS * -(-len(data) * 4 // 5 // 64)
    training = Training(steps, 64, learning_rate=2e-3, weight_decay=1e-2, progress=False)
    common = {"validation": 0.0, "training": training, "seed": seed}
    plain = {**common, "pooling": "last", "input_dropout": 0.0, "dropout": 0.0}
    rich = {**common, "input_dropout": 0.2, "dropout": 0.3, "recurrent_dropout": 0.4}
    filled = treatments(Fill("forward"))
    marked = treatments(Fill("forward"), Indicators(), SinceObserved())
    decayed = treatments(Fill("mean", stream="static"), Indicators(stream="static"))
    counts = Scale("log", channels=[f"{name}:count" for name in data.stream.channels])
    ways = ("mean", "min", "max", "count")
    whole = treatments(counts, Fill("forward"), Indicators(), SinceObserved(), how=ways)
    return {
        "GRU, filled": lambda: Classifier("gru", treatments=filled, **plain),
        "GRU, filled + mask + time since": lambda: Classifier("gru", treatments=marked, **plain),
        "GRU-D": lambda: Classifier("grud", treatments=decayed, **plain),
        "GRU-D, dropout and pooling": lambda: Classifier("grud", treatments=decayed, **rich),
        "GRU, mask + time since, dropout and pooling": lambda: Classifier(
            "gru", treatments=marked, **rich
        ),
        "GRU, and least, most, count": lambda: Classifier("gru", treatments=whole, **rich),
    }


def aggregates(data: SequenceDataset) -> np.ndarray:
    """Mean, least, most, last and count of each channel, beside the static covariates."""
    stream = data.stream
    frame = pd.DataFrame(stream.values, columns=stream.channels).groupby(stream.owners)
    parts = [frame.mean(), frame.min(), frame.max(), frame.last(), frame.count()]
    table = pd.concat(parts, axis=1).reindex(range(len(data))).to_numpy()
    return np.hstack([table, data.static.values])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    data = read()
    print(data)
    y = data.target.values[:, 0]
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(y, y))
    table = aggregates(data)
    simple = make_pipeline(
        SimpleImputer(), StandardScaler(), LogisticRegression(C=0.01, max_iter=2000)
    )
    for name, model in (
        ("logistic regression, aggregates", simple),
        ("boosting, aggregates", HistGradientBoostingClassifier(random_state=0)),
    ):
        report(
            name,
            folds,
            y,
            lambda train, test, model=model: model.fit(table[train], y[train]).predict_proba(
                table[test]
            )[:, 1],
        )
    for seed in options.seeds:
        for name, make in networks(data, seed).items():
            if not options.only or name in options.only:
                report(
                    f"{name}, seed {seed}",
                    folds,
                    y,
                    lambda train, test, make=make: (
                        make().fit(data.take(train)).predict_proba(data.take(test))[:, 1]
                    ),
                )


def report(name: str, folds: list, y: np.ndarray, score: Callable) -> None:
    """Score the folds and print a line."""
    start = time.perf_counter()
    found = []
    for train, test in folds:
        told = score(train, test)
        found.append((roc_auc_score(y[test], told), average_precision_score(y[test], told)))
    (roc, precision), (a, b) = np.mean(found, 0), np.std(found, 0)
    seconds = (time.perf_counter() - start) / len(folds)
    scores = f"AUROC {roc:.4f} ± {a:.4f}   AUPRC {precision:.4f} ± {b:.4f}"
    print(f"{name:52} {scores}   {seconds:5.1f} s a fold", flush=True)


if __name__ == "__main__":
    main()
