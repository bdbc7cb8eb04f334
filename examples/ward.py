"""A hospital ward: vital signs at odd hours, events as they come, a few facts, and one question.

Three kinds of input, on clocks of their own and with holes: pulse and temperature, measured now
and then and seldom together; drugs given; age and sex. The patients are made up: who is at risk
depends on how the pulse went, on one drug, and on age.

    python examples/ward.py
"""

import numpy as np

import recurra as rc
from recurra.data import SequenceDataset, Stream, Target, split

DRUGS = ("antibiotic", "insulin", "sedative")


def make(patients: int = 600, seed: int = 0) -> SequenceDataset:
    """Make up patients; times are hours since admission."""
    random = np.random.default_rng(seed)
    age, trend = random.uniform(20, 90, patients), random.normal(size=patients)
    checks, given = random.integers(5, 25, patients), random.integers(0, 8, patients)
    hours = [np.sort(random.uniform(0, 48, n)) for n in checks]
    pulse = [
        75 + t * h / 3 + random.normal(0, 4, len(h)) for t, h in zip(trend, hours, strict=True)
    ]
    warmth = [random.normal(37, 0.5, n) for n in checks]
    vitals = np.stack([np.concatenate(pulse), np.concatenate(warmth)], 1)
    seen = random.random(vitals.shape) < (0.7, 0.3)
    codes = [random.integers(0, len(DRUGS), n) for n in given]
    insulin = np.array([(c == 1).sum() for c in codes])
    risk = 1.5 * trend + 0.8 * (insulin - insulin.mean()) + (age - 55) / 20
    streams = {
        "vitals": Stream(
            np.where(seen, vitals, np.nan),
            np.concatenate([[0], np.cumsum(checks)]),
            ("pulse", "temperature"),
            observed=seen,
            times=np.concatenate(hours),
            clock="number",
        ),
        "drugs": Stream(
            np.concatenate(codes)[:, None],
            np.concatenate([[0], np.cumsum(given)]),
            ("drug",),
            kind="tokens",
            times=np.concatenate([np.sort(random.uniform(0, 48, n)) for n in given]),
            clock="number",
            categories={"drug": DRUGS},
        ),
    }
    facts = np.stack([age, random.integers(0, 2, patients)], 1)
    return SequenceDataset(
        tuple(f"patient {k}" for k in range(patients)),
        streams,
        Stream(facts, np.arange(patients + 1), ("age", "sex")),
        {"at risk": Target((risk > 0).astype(np.int64)[:, None], classes=("no", "yes"))},
    )


def main(patients: int = 600, steps: int = 300) -> None:
    """Learn, and say what each kind of input is worth."""
    train, test = split(make(patients), 0.25, seed=0, by="record")
    truth = [record.targets["at risk"][0, 0] for record in map(test.at, range(len(test)))]
    print(train)
    for left_out in (None, "vitals", "drugs", "static"):
        model = rc.Classifier("gru", hidden_size=32, training=rc.Training(steps=steps), seed=0)
        right = model.fit(without(train, left_out)).predict(without(test, left_out)) == truth
        told = "with all of it" if left_out is None else f"without {left_out}"
        print(f"{told:16} {right.mean():5.1%} right")


def without(data: SequenceDataset, name: str | None) -> SequenceDataset:
    """Leave one kind of input out."""
    streams = {key: stream for key, stream in data.streams.items() if key != name}
    static = None if name == "static" else data.static
    return SequenceDataset(data.ids, streams, static, data.targets)


if __name__ == "__main__":
    main()
