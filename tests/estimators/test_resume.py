"""Estimators that were stopped while learning, by whatever, come to the same bits.

As a script it begets processes that learn: ``python test_resume.py classifier FOLDER``. Each line
it reads is a life: a number; 0 to learn undisturbed, else to be killed inside that call to the
system, of those that keep the training.
"""

import hashlib
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
    training = replace(USUAL, steps=steps)
    model = Classifier(hidden_size=8, dropout=0.3, validation=0.2, training=training)
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
    model = LanguageModel(hidden_size=12, dropout=0.3, training=training, validation=0.1)
    return model.fit(text, **how)


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


def digest(model):
    """Give weights and story as one line."""
    told = hashlib.sha256(repr((model.log_.loss, model.log_.validation)).encode())
    for name, each in sorted(weights(model).items()):
        told.update(name.encode() + each.numpy().tobytes())
    return told.hexdigest()


def killed_in_call(number):
    """Let the process die inside one of the calls that keep a training; half is written then."""
    left = number

    def deadly(real):
        def call(*given):
            nonlocal left
            left -= 1
            if left == 0 and real is write:
                real(given[0], given[1][: len(given[1]) // 2])
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given)

        return call

    write = os.write
    for name in ("write", "fsync", "replace", "unlink"):
        setattr(os, name, deadly(getattr(os, name)))


class Lives:
    """Processes that learn a task in a folder; all that one knows of those before is in there."""

    def __init__(self, task, folder):
        command = [sys.executable, __file__, task.__name__, str(folder)]
        self.parent = subprocess.Popen(command, stdin=-1, stdout=-1, text=True, bufsize=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.parent.stdin.close()
        self.parent.wait(timeout=60)
        self.parent.stdout.close()

    def one(self, call, seconds):
        """Let one live until it is done or killed; say whether it was killed, and what it said."""
        self.parent.stdin.write(f"{call}\n")
        born = int(self.parent.stdout.readline())
        if not call:
            time.sleep(seconds)
            os.kill(born, signal.SIGKILL)  # or what is left of it: its parent has not looked yet
        self.parent.stdin.write("look\n")
        status, said = self.parent.stdout.readline().split(" ", 1)
        assert int(status) in (0, -signal.SIGKILL)
        return int(status) != 0, said.strip()


@pytest.mark.timeout(120 + 20 * KILLS)
def test_killed_at_any_moment_it_comes_to_the_same_bits(learn, tmp_path):
    """Every other kill falls anywhere: while it reads, learns, learns once more; the rest fall
    inside a save. Whenever a training comes to its end, it is looked at, and begun again.
    """
    task, undisturbed = learn
    chance, whole = random.Random(0), digest(undisturbed)
    killed, ended, halves = 0, 0, 0
    with Lives(task, tmp_path) as lives:
        while killed < KILLS:
            call = chance.randrange(1, 200) if killed % 2 == 0 else 0
            died, said = lives.one(call, chance.uniform(0.0, 0.8))
            killed += died
            halves += bool([*tmp_path.glob(".recurra-*")])
            if not died:
                assert said == whole
                ended += 1
                for each in tmp_path.iterdir():
                    each.unlink()
    assert digest(task(checkpoint=Checkpoints(tmp_path, steps=1))) == whole
    sys.stdout.write(
        f"{task.__name__}: {killed} kills, {halves} of them with half a file left behind; "
        f"{ended + 1} trainings came to their end, each to the same bits\n"
    )


def beget(task, folder):
    """Live once for each line that is read; the parent itself keeps nothing and learns one step."""
    task(steps=1)  # so that all modules are there
    for line in sys.stdin:
        reader, writer = os.pipe()
        born = os.fork()
        if born == 0:
            killed_in_call(int(line))
            said = digest(task(checkpoint=Checkpoints(folder, steps=1)))
            with os.fdopen(writer, "w") as out:
                out.write(said)
            os._exit(0)
        os.close(writer)
        say(born)
        sys.stdin.readline()
        with os.fdopen(reader) as told:
            said = told.read()
        say(os.waitstatus_to_exitcode(os.waitpid(born, 0)[1]), said)


def say(*what):
    """Write a line at once."""
    sys.stdout.write(" ".join(map(str, what)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    torch.set_num_threads(1)
    beget(LEARN[sys.argv[1]], Path(sys.argv[2]))
