"""Explanations of real answers, to be read and checked: digits, reviews, stays in hospital.

    python benchmarks/explained.py --tasks digits films hotels stays --out pictures

The data are looked for in $RECURRA_DATA (see their READMEs there). Each task trains one network,
quickly, and not as well as `speech.py` and `texts.py` do; prints some explanations; and says how
often they agree with what is known of the data.

digits   three recordings of the free spoken digit data set, one after the other, with pauses. Each
         word the network writes is asked for: how often does the tenth of a second that counts most
         lie in the recording of that digit, beside how long that is; and how often with random
         weights?
films    sentences of films, good or bad (Socher et al. 2013): the words that count most, over all.
hotels   Chinese reviews, good or bad (ChnSentiCorp): the same.
stays    two days of intensive care (PhysioNet 2012): what a death was foretold by, beside what is
         known: a low score of consciousness (GCS), little urine, high urea (BUN), lactate and age
         are bad signs, in every score of severity (SAPS II, Le Gall et al. 1993).
"""

from __future__ import annotations

import argparse
import gzip
import os
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np

from recurra import Classifier, Training
from recurra.errors import DataWarning, MissingExtraError
from recurra.estimators.speech.transcriber import Transcriber
from recurra.explaining import Explanation, explain

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE, PAUSE, WINDOW = 8000, 0.15, 10  # samples a second; seconds; steps of 10 ms
ASKED, COMMON = 60, 5  # texts that are explained; how often a word has to be among them


def draw(why: Explanation, out: Path | None, name: str) -> None:
    """Save a picture, where it is wanted."""
    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    try:
        why.plot().savefig(out / f"{name}.png")
    except MissingExtraError as error:
        print(error)


# ------------------------------------------------------------------- digits


def spoken(held: dict[str, np.ndarray], test: bool, count: int) -> list[tuple]:
    """Put recordings of one speaker together, three by three; say where each begins and ends."""
    chance, found = np.random.default_rng(int(test)), []
    for _ in range(count):
        speaker = chance.choice(np.unique(held["speaker"]))
        there = np.flatnonzero((held["speaker"] == speaker) & ((held["index"] < 5) == test))
        wave, spans = [np.zeros(int(PAUSE * RATE))], []
        chosen = chance.choice(there, 3)
        for k in chosen:
            begun = sum(map(len, wave))
            part = held["audio"][held["offsets"][k] : held["offsets"][k + 1]] / 32768
            wave += [part, np.zeros(int(PAUSE * RATE))]
            spans.append((begun / RATE, (begun + len(part)) / RATE))
        said = [DIGITS[held["digit"][k]] for k in chosen]
        sound = np.concatenate(wave)
        found.append((sound + chance.normal(0, 1e-3, len(sound)), said, spans))
    return found


def digits(out: Path | None, steps: int) -> None:
    """Learn words from three digits in a row, and ask where each was heard."""
    with np.load(DATA / "spk_fsdd_dev" / "fsdd_8k_int16.npz") as file:
        held = {name: file[name] for name in file.files}
    learned, asked = spoken(held, False, 800), spoken(held, True, 30)
    training = Training(steps=steps, batch_size=16, learning_rate=4e-3)
    model = Transcriber(hidden_size=96, num_layers=1, training=training)
    model.fit([wave for wave, *_ in learned], [" ".join(said) for _, said, _ in learned], rate=RATE)
    print(model.report(), end="\n\n")
    hits, chances, unlearned = [], [], []
    for wave, said, spans in asked:
        if len(set(said)) < 3 or model.transcribe(wave) != " ".join(said):
            continue
        for word, (start, stop) in zip(said, spans, strict=True):
            how = {"method": "occlusion", "by": "window", "window": WINDOW, "checks": False}
            why = model.explain(wave, target=word, **how)
            (begun, ended) = why.top(1)[0].step
            hits.append(begun < stop and ended > start)
            chances.append((stop - start + WINDOW / 100) / (len(wave) / RATE))
            random = explain(model._question(wave, word).randomised(0), **how)
            (begun, ended) = random.top(1)[0].step
            unlearned.append(begun < stop and ended > start)
        if len(hits) == 3:
            whole = model.explain(wave, target=said[1])
            print(whole, end="\n\n")
            draw(whole, out, "digits")
    print(
        f"of {len(hits)} words, the {WINDOW / 100:g} s that counts most lies in the digit in "
        f"{np.mean(hits):.0%}; by chance {np.mean(chances):.0%}, with random weights "
        f"{np.mean(unlearned):.0%}\n"
    )


# ------------------------------------------------------------------- texts


def films() -> dict[str, tuple[list[str], list[str]]]:
    """Read the sentences of films."""
    found = {}
    for part in ("train", "test"):
        text = (DATA / "txt_sst" / f"stsa.binary.{part}.txt").read_text("utf-8")
        rows = [row.split(" ", 1) for row in text.splitlines() if row.strip()]
        found[part] = [said for _, said in rows], [("bad", "good")[int(label)] for label, _ in rows]
    return found


def hotels() -> dict[str, tuple[list[str], list[str]]]:
    """Read the Chinese reviews."""
    found = {}
    for part in ("train", "test"):
        with gzip.open(DATA / "txt_chnsenticorp" / f"{part}.tsv.gz", "rt", "utf-8") as file:
            rows = [row.rstrip("\n").split("\t")[-2:] for row in file][1:]
        found[part] = [said for _, said in rows], [("bad", "good")[int(label)] for label, _ in rows]
    return found


def texts(
    name: str, read: dict[str, tuple[list[str], list[str]]], out: Path | None, steps: int
) -> None:
    """Learn what is good or bad, and add up what the words count."""
    warnings.filterwarnings("ignore", message=".*'token' are unknown")
    (X, y), (unread, _) = read["train"], read["test"]
    model = Classifier(training=Training(steps=steps)).fit(X[:4000], y[:4000])
    print(model.report(), end="\n\n")
    sums = defaultdict(list)
    chosen = np.random.default_rng(0).choice(len(unread), ASKED, replace=False)
    for k in chosen:
        why = model.explain([unread[k]], target="good", checks=False)
        (stream,) = why.reads.values()
        for token, score in zip(stream.steps, why.by_step(), strict=True):
            sums[token].append(score)
    shortest = min(chosen[:20], key=lambda k: abs(len(unread[k]) - 90))
    why = model.explain([unread[shortest]], target="good")
    print(why, end="\n\n")
    draw(why, out, name)
    means = {token: np.mean(each) for token, each in sums.items() if len(each) >= COMMON}
    order = sorted(means, key=means.__getitem__)
    for side, some in (("good", order[::-1][:8]), ("bad", order[:8])):
        print(f"{side:5}", "  ".join(f"{token} {means[token]:+.2f}" for token in some))
    print()


# ------------------------------------------------------------------- stays

KNOWN = {"GCS": -1, "Urine": -1, "BUN": 1, "Lactate": 1, "Age": 1}  # of high values


def stays(out: Path | None, steps: int) -> None:
    """Learn who dies, and hold what that is foretold by against what is known."""
    from physionet import read, treatments

    from recurra.data import Fill, Indicators

    warnings.filterwarnings("ignore", category=DataWarning)
    data = read()
    order = np.random.default_rng(0).permutation(len(data))
    marked = treatments(Fill("forward"), Indicators())
    training = Training(steps=steps, batch_size=64, learning_rate=2e-3, weight_decay=1e-2)
    model = Classifier("gru", treatments=marked, training=training, dropout=0.3)
    model.fit(data.take(order[:3000]))
    print(model.report(), end="\n\n")
    asked = data.take(order[3000 : 3000 + ASKED * 3])
    values, sums = defaultdict(list), defaultdict(list)
    for k in range(len(asked)):
        why = model.explain(asked.take([k]), target=1, checks=False)
        for stream, read_there in why.reads.items():
            shown = np.asarray(read_there.values)  # in standard deviations, as they are treated
            for channel, score in zip(read_there.channels, why.by_channel(stream), strict=True):
                values[channel].append(shown[:, read_there.columns.index(channel)].mean())
                sums[channel].append(score)
    for channel, sign in KNOWN.items():
        found = np.corrcoef(values[channel], sums[channel])[0, 1]
        bad = "high" if sign > 0 else "low"
        print(f"{channel:8} {bad:>4} is known to be bad: value and score go together {found:+.2f}")
    riskiest = int(np.argmax(model.predict_proba(asked)[:, 1]))
    why = model.explain(asked.take([riskiest]), target=1)
    print("", why, sep="\n", end="\n\n")
    draw(why, out, "stays")


def main() -> None:
    """Explain what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = ("digits", "films", "hotels", "stays")
    parser.add_argument("--tasks", nargs="+", choices=known, default=known)
    parser.add_argument("--steps", type=int, help="of training; 800 of sounds, else 400")
    parser.add_argument("--out", type=Path, help="a folder for pictures")
    options = parser.parse_args()
    for task in options.tasks:
        if task == "digits":
            digits(options.out, options.steps or 800)
        elif task == "stays":
            stays(options.out, options.steps or 400)
        else:
            texts(
                task, {"films": films, "hotels": hotels}[task](), options.out, options.steps or 400
            )


if __name__ == "__main__":
    main()
