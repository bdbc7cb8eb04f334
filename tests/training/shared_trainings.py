"""Trainings that several processes share: run by torchrun, and by one process to compare.

``torchrun --nproc-per-node 2 shared_trainings.py FOLDER`` runs all that stand in `TRAININGS`, and
writes what each rank found to ``FOLDER/<rank>.npz``; with names of functions, only those.
"""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

import recurra as rc
from recurra.errors import TrainingError
from recurra.layers import GRU
from recurra.training import Checkpoints, Training, train

RANK = int(os.environ.get("RANK", "0"))
ONE_STEP = Training(
    steps=1, batch_size=13, optimizer="sgd", learning_rate=1.0, warmup=0, schedule="constant",
    clip_norm=None, progress=False,
)  # fmt: skip


class Rows:
    """Rows of sequences, which can be cut along time."""

    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def rows(self, start, stop):
        return Rows(self.x[start:stop])

    def chunks(self, steps):
        for piece in self.x.split(steps, 1):
            yield Rows(piece)


class Model(nn.Module):
    """A GRU that foretells its input's sum so far; its state is carried."""

    def __init__(self, dropout=0.0):
        super().__init__()
        torch.manual_seed(3)
        self.layer, self.drop = GRU(2, 5, batch_first=True), nn.Dropout(dropout)
        self.out = nn.Linear(5, 1)
        self.register_buffer("rows", torch.zeros(()))  # of this process

    def loss(self, batch, state=None):
        self.rows += len(batch)
        hidden, state = self.layer(batch.x, state)
        apart = self.out(self.drop(hidden))[..., 0] - batch.x.sum(-1)
        return apart.square().sum(), torch.tensor(apart.numel()), state


def batches(rows=5, steps=12, sick=None):
    """Batches of a seed; in the one numbered `sick`, the last row is not finite."""
    source, k = torch.Generator().manual_seed(5), 0
    while True:
        x = torch.randn(rows, steps, 2, generator=source)
        if k == sick:
            x[-1] = float("inf")
        yield Rows(x)
        k += 1


def options(**more):
    return Training(
        **{"steps": 12, "truncation": 4, "warmup": 2, "progress": False, "patience": None} | more
    )


def found_in(model, **more):
    """Its parameters, and all it holds."""
    weights = [each.detach().reshape(-1) for each in model.parameters()]
    state = [each.reshape(-1).double() for each in model.state_dict().values()]
    return {"weights": torch.cat(weights), "state": torch.cat(state), **more}


def ragged(count=41):
    random = np.random.default_rng(0)
    X = [random.normal(size=(length, 3)) for length in random.integers(1, 20, count)]
    return X, [int(x.mean() > 0) for x in X]


def classifier(_folder, front=None):
    model = rc.Classifier(
        hidden_size=8, front=front, dropout=0, input_dropout=0, validation=0, training=ONE_STEP
    )
    return found_in(model.fit(*ragged()).network_)


def convolutions(folder):
    return classifier(folder, "convolution")


def forecaster(_folder):
    stamps = pd.date_range("2024-01-01", periods=50)
    series = [np.sin(np.arange(50) / (k + 1)) + k for k in range(3)]
    frames = [pd.DataFrame({"unique_id": k, "ds": stamps, "y": y}) for k, y in enumerate(series)]
    model = rc.Forecaster(hidden_size=8, dropout=0, context=12, horizon=3, training=ONE_STEP)
    return found_in(model.fit(pd.concat(frames)).network_)


def language(_folder):
    plan = options(batch_size=3, optimizer="sgd", learning_rate=0.1)
    model = rc.LanguageModel(
        unit="char", hidden_size=8, dropout=0, input_dropout=0, weight_dropout=0,
        recurrent_dropout=0, training=plan, refit=False,
    )  # fmt: skip
    return found_in(model.fit("to be or not to be, that is the question. " * 6).network_)


def rows(_folder):
    model = rc.NextStep(
        hidden_size=8, dropout=0, input_dropout=0, recurrent_dropout=0, training=ONE_STEP
    )
    return found_in(model.fit([x for x in ragged()[0] if len(x) > 1]).network_)


def carried(_folder):
    model = Model()
    log = train(model, batches(), options())
    return found_in(model, loss=log.loss)


def lonely_row(_folder):
    model = Model()
    log = train(model, batches(rows=1), options(accumulate=2))
    return found_in(model, loss=log.loss)


def sick(_folder):
    model = Model()
    log = train(model, batches(sick=1), options(truncation=None))
    return found_in(model, skipped=log.skipped)


def dropped(_folder):
    model = Model(dropout=0.5)
    log = train(model, batches(), options(average=0.5, check_every=3), lambda: RANK + 1.0)
    drawn = torch.rand(1)
    checks = [found for _, found in log.validation]
    return found_in(model, drawn=drawn, checks=checks)


def ended(_folder):
    def enough(moment):
        return moment.step == 3

    log = train(Model(), batches(), options(), callbacks=[enough] if RANK == 0 else [])
    return {"steps": len(log.loss)}


def failed(_folder):
    def fail(moment):
        raise KeyError("mine")

    try:
        train(Model(), batches(), options(), callbacks=[fail])
    except (KeyError, TrainingError) as error:
        return {"said": str(error)}
    return {"said": "nothing"}


def other_data(_folder):
    try:
        train(Model(), batches(rows=5 + RANK), options())
    except TrainingError as error:
        return {"said": str(error)}
    return {"said": "nothing"}


def other_options(_folder):
    try:
        train(Model(), batches(), options(steps=12 + RANK))
    except TrainingError as error:
        return {"said": str(error)}
    return {"said": "nothing"}


def no_folder(folder):
    place = Path(folder, "file")
    place.touch()
    try:
        train(Model(), batches(), options(), checkpoints=Checkpoints(place))
    except Exception as error:
        return {"said": type(error).__name__}
    return {"said": "nothing"}


def stopped(folder):
    """The last rank is asked to stop after six steps; then all go on."""
    kept = Checkpoints(Path(folder, "stopped"), seconds=1000.0)
    model, world, found = Model(0.5), int(os.environ.get("WORLD_SIZE", "1")), 0

    def stop():
        if len(asked) == 1 and world - 1 == RANK:
            os.kill(os.getpid(), signal.SIGTERM)
        asked.append(1)
        return 1.0

    asked = []
    try:
        train(model, batches(), options(check_every=3), stop, checkpoints=kept)
    except SystemExit as error:
        found = error.code
    steps = len(asked) * 3
    log = train(Model(0.5), batches(), options(check_every=3), lambda: 1.0, checkpoints=kept)
    whole = Model(0.5)
    train(whole, batches(), options(check_every=3), lambda: 1.0)
    again = Model(0.5)
    train(again, batches(), options(check_every=3), lambda: 1.0, checkpoints=kept)
    told = {"status": found, "steps": steps, "loss": log.loss}
    return found_in(again, whole=found_in(whole)["state"], **told)


def kept(folder):
    """Half a training, to be gone on with by more or fewer."""

    def half(moment):
        return moment.step == 7

    train(Model(), batches(), options(steps=30), callbacks=[half],
          checkpoints=Checkpoints(Path(folder, "kept"), steps=5, keep=9))  # fmt: skip
    return {}


def killed(folder):
    """In its first attempt, the last rank is killed after eight steps."""
    first, checks = os.environ.get("TORCHELASTIC_RESTART_COUNT") == "0", []

    def die():
        checks.append(1)
        if first and RANK == 1 and len(checks) == 2:
            Path(folder, "half").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0

    model = Model(0.5)
    kept = Checkpoints(Path(folder, "killed"), steps=3)
    train(model, batches(), options(check_every=20, steps=40), die, checkpoints=kept)
    return found_in(model)


def undisturbed(_folder):
    """The same without an accident."""
    model = Model(0.5)
    train(model, batches(), options(check_every=20, steps=40), lambda: 1.0)
    return found_in(model)


TRAININGS = [
    classifier, convolutions, forecaster, language, rows, carried, lonely_row, sick, dropped,
    ended, failed, other_data, other_options, no_folder, stopped, kept, undisturbed,
]  # fmt: skip


def run(work, folder):
    torch.manual_seed(0)
    return {f"{each.__name__}/{name}": np.asarray(value) for each in work
            for name, value in each(folder).items()}  # fmt: skip


if __name__ == "__main__":
    place, *names = sys.argv[1:]
    chosen = [globals()[name] for name in names] or TRAININGS
    np.savez(Path(place, f"{RANK}.npz"), **run(chosen, place))
