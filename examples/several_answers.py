"""One network, three answers: who is ill, how long they stay, and when the fever is on.

A patient's temperature is read every hour. Learned together are a label of the patient, a number
of the patient, and a label of each hour; of many patients only some of these are known. The
patients are made up.

    python examples/several_answers.py
"""

import numpy as np

import recurra as rc


def make(patients: int, seed: int) -> tuple[dict, dict]:
    """Make up patients: temperatures, and what is to be learned of them."""
    random = np.random.default_rng(seed)
    ill, hours = random.random(patients) < 0.5, random.integers(12, 48, patients)
    waves = [1.5 * (np.sin(np.arange(n) / 4) > 0) for n in hours]
    fever = [wave * sick for wave, sick in zip(waves, ill, strict=True)]
    inputs = {"heat": [36.8 + f + random.normal(0, 0.3, len(f)) for f in fever]}
    days = np.where(ill, 6.0, 2.0) + random.normal(0, 0.5, patients)
    targets = {
        "ill": np.where(ill, "yes", "no").tolist(),
        "days": np.where(random.random(patients) < 0.4, np.nan, days),
        "fever": [np.where(f > 0, "on", "off").tolist() for f in fever],
    }
    return inputs, targets


def main(patients: int = 300, steps: int = 300) -> None:
    """Learn all three, and answer for patients that are new."""
    inputs, targets = make(patients, seed=0)
    model = rc.MultiTask(training=rc.Training(steps=steps, batch_size=32), validation=0.15, seed=0)
    print(model.fit(inputs, targets).report())
    new, truth = make(3, seed=1)
    answers = model.predict(new)
    for k in range(3):
        on = np.mean(answers["fever"][k] == np.array(truth["fever"][k]))
        print(f"\npatient {k}: ill {answers['ill'][k]} (truly {truth['ill'][k]})", end="")
        print(f", {answers['days'][k]:.1f} days, fever right in {on:.0%} of the hours", end="")
    print()


if __name__ == "__main__":
    main()
