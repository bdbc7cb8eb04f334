"""Estimators that were stopped while learning, by whatever, come to the same bits.

As a script it learns: ``python test_resume.py classifier FOLDER``.
"""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from recurra import Classifier, Forecaster, LanguageModel
from recurra.errors import OptionError
from recurra.training import Checkpoints, Training

KILLS = int(os.environ.get("RECURRA_KILLS", "5"))
USUAL = Training(
    steps=120,
    batch_size=8,
    learning_rate=0.01,
    weight_decay=0.01,
    warmup=10,
    check_every=20,
    average=0.5,
    patience=None,
    progress=False,
)


def classifier(steps=120, **how):
    """Learn labels: dropout, shuffled batches, records held back, and all of them once more."""
    chance = np.random.default_rng(0)
    X = [chance.normal(k % 2, 1, (chance.integers(4, 12), 2)) for k in range(90)]
    model = Classifier(hidden_size=8, validation=0.2, training=replace(USUAL, steps=steps))
    return model.fit(X, ["a", "b"] * 45, **how)


def forecaster(steps=120, **how):
    """Learn to forecast three series."""
    days = pd.date_range("2024-01-01", periods=80, freq="D")
    parts = [
        pd.DataFrame({"unique_id": str(k), "ds": days, "y": np.sin(np.arange(80) * (k + 1) / 3)})
        for k in range(3)
    ]
    training = replace(USUAL, steps=steps)
    model = Forecaster(hidden_size=8, dropout=0.2, context=20, training=training)
    return model.fit(pd.concat(parts), **how)


def language(steps=120, **how):
    """Learn a text in stretches, the state carried on, and then the end that was held back."""
    text = "the cat sat on the mat; the dog sat on the log. " * 60
    training = replace(USUAL, steps=steps, truncation=16, patience=5)
    return LanguageModel(hidden_size=12, training=training, validation=0.1).fit(text, **how)


LEARN = {each.__name__: each for each in (classifier, forecaster, language)}


def weights(model):
    """Give all weights, to be compared to the bit."""
    return {name: each.clone() for name, each in model.network_.state_dict().items()}


def same(one, other):
    """Say whether two models have the same weights and the same story."""
    mine, its = weights(one), weights(other)
    equal = all(torch.equal(mine[name], its[name]) for name in mine)
    return equal and (one.log_.loss, one.log_.validation) == (
        other.log_.loss,
        other.log_.validation,
    )


def stop_at(steps):
    """Make a callback that stops a training as an error would."""

    def stop(moment):
        if moment.step == steps:
            raise KeyboardInterrupt

    return stop


@pytest.fixture(scope="module", params=LEARN)
def learn(request):
    """Give a task, and what comes of it undisturbed."""
    task = LEARN[request.param]
    return task, task()


def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(learn, tmp_path):
    task, undisturbed = learn
    for steps in (1, 13, 77):
        with pytest.raises(KeyboardInterrupt):
            task(callbacks=[stop_at(steps)], checkpoint=Checkpoints(tmp_path, steps=1))
    assert same(task(checkpoint=tmp_path), undisturbed)


def test_what_was_learned_is_not_learned_again(learn, tmp_path):
    task, undisturbed = learn
    assert same(task(checkpoint=tmp_path), undisturbed)
    seen = []
    assert same(task(checkpoint=str(tmp_path), callbacks=[seen.append]), undisturbed)
    assert not seen


def test_another_fit_is_refused_unless_it_may_begin_again(learn, tmp_path):
    task, undisturbed = learn
    task(steps=30, checkpoint=tmp_path)
    with pytest.raises(OptionError, match=r"steps=30, but now it is 120.*resume=False"):
        task(checkpoint=tmp_path)
    assert same(task(checkpoint=tmp_path, resume=False), undisturbed)


@pytest.mark.timeout(120 + 20 * KILLS)
def test_killed_at_any_moment_it_comes_to_the_same_bits(learn, tmp_path):
    """Kills fall anywhere: while it reads, learns, writes, learns once more."""
    task, undisturbed = learn
    command = [sys.executable, __file__, task.__name__, str(tmp_path)]
    chance, killed = random.Random(0), 0
    while killed < KILLS:
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        process.stdout.readline()  # it begins
        time.sleep(chance.uniform(0.0, 1.2))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        if process.returncode == 0:  # it was done: once more from the beginning
            for each in tmp_path.iterdir():
                each.unlink()
    assert same(task(checkpoint=Checkpoints(tmp_path, steps=1)), undisturbed)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    LEARN[sys.argv[1]](checkpoint=Checkpoints(Path(sys.argv[2]), steps=1))
