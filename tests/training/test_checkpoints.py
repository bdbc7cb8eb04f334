"""Training that is kept and gone on with: the same to the bit, whatever stopped it."""

import errno
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from recurra.errors import FileError, OptionError
from recurra.layers import GRU
from recurra.training import Checkpoints, Training, train

OPTIONS = Training(
    steps=40,
    warmup=5,
    weight_decay=0.01,
    learning_rate=0.02,
    check_every=10,
    truncation=5,
    average=0.4,
    accumulate=3,
    patience=None,
    progress=False,
)


class Sequences:
    """Sequences of shape (batch, time, 2), and the mean so far of their first channel."""

    def __init__(self, x, y=None):
        self.x = x
        self.y = x[..., :1].cumsum(1) / torch.arange(1, x.shape[1] + 1)[:, None] if y is None else y

    def chunks(self, steps):
        for start in range(0, self.x.shape[1], steps):
            part = slice(start, start + steps)
            yield Sequences(self.x[:, part], self.y[:, part])


class Model(nn.Module):
    """A GRU with dropout, whose state is carried."""

    def __init__(self, size=6):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.drop = GRU(2, size, batch_first=True), nn.Dropout(0.3)
        self.out = nn.Linear(size, 1)

    def loss(self, batch, state=None):
        hidden, state = self.layer(batch.x, None if state is None else state[0])
        miss = self.out(self.drop(hidden)) - batch.y
        return miss.square().sum(), torch.tensor(miss.numel()), (state, (None,))


def batches(seed=3):
    chance = np.random.default_rng(seed)
    while True:
        yield Sequences(torch.from_numpy(chance.normal(size=(4, 18, 2))).float())


def learned(folder=None, options=OPTIONS, callbacks=(), data=3, size=6, pause=0.0, **more):
    """Train; return the model, its log, and where chance stands."""
    model = Model(size)
    held = next(batches(9))
    torch.manual_seed(1)
    kept = None if folder is None else Checkpoints(folder, **{"steps": 1, **more})

    def validate():
        time.sleep(pause)
        return float(model.loss(held)[0])

    log = train(model, batches(data), options, validate, callbacks, checkpoints=kept)
    return model, log, torch.get_rng_state()


def same(one, other):
    """Say whether two trainings came out the same to the bit."""
    (model, log, chance), (its, theirs, after) = one, other
    weights = zip(model.state_dict().values(), its.state_dict().values(), strict=True)
    return (
        all(torch.equal(mine, yours) for mine, yours in weights)
        and (log.loss, log.validation) == (theirs.loss, theirs.validation)
        and log.best_step == theirs.best_step
        and torch.equal(chance, after)
    )


class Stopped(Exception):  # noqa: N818 - it is no error
    """What stops a training here."""


def stop_after(steps):
    def stop(moment):
        if moment.step == steps:
            raise Stopped

    return stop


@pytest.mark.parametrize("optimizer", ["adamw", "rmsprop", "sgd"])
@pytest.mark.parametrize("steps", [1, 2, 25, 26, 40])
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(tmp_path, steps, optimizer):
    options = replace(OPTIONS, optimizer=optimizer)
    with pytest.raises(Stopped):
        learned(tmp_path, options, [stop_after(steps)])
    assert same(learned(tmp_path, options), learned(options=options))


def test_it_may_be_stopped_again_and_again(tmp_path):
    for steps in range(3, 41, 4):
        with pytest.raises(Stopped):
            learned(tmp_path, callbacks=[stop_after(steps)])
    assert same(learned(tmp_path), learned())


def test_early_stopping_and_whole_sequences_are_gone_on_with_too(tmp_path):
    options = replace(OPTIONS, truncation=None, patience=1, learning_rate=3.0, average=0.0)
    whole = learned(options=options)
    assert len(whole[1].loss) < 40
    with pytest.raises(Stopped):
        learned(tmp_path, options, [stop_after(11)])
    assert same(learned(tmp_path, options), whole)


def test_a_rate_that_follows_the_validation_loss_is_gone_on_with_too(tmp_path):
    plateau = {"schedule": "plateau", "plateau_patience": 1, "check_every": 5}
    options = replace(OPTIONS, learning_rate=3.0, average=0.0, **plateau)
    whole = learned(options=options)
    assert not same(whole, learned(options=replace(options, plateau_factor=0.9)))
    for steps in (11, 26):
        with pytest.raises(Stopped):
            learned(tmp_path, options, [stop_after(steps)])
    assert same(learned(tmp_path, options), whole)


def test_products_of_bfloat16_are_gone_on_with(tmp_path):
    options = replace(OPTIONS, precision="bfloat16")
    with pytest.raises(Stopped):
        learned(tmp_path, options, [stop_after(21)])
    assert same(learned(tmp_path, options), learned(options=options))


@pytest.mark.parametrize("how", [{"clip_value": 0.01}, {"clip_adaptive": 0.01}])
def test_every_way_of_clipping_is_gone_on_with(tmp_path, how):
    options = replace(OPTIONS, clip_norm=None, schedule="one_cycle", **how)
    with pytest.raises(Stopped):
        learned(tmp_path, options, [stop_after(21)])
    assert same(learned(tmp_path, options), learned(options=options))


def test_what_has_ended_is_not_learned_again(tmp_path):
    first = learned(tmp_path)
    seen = []
    again = learned(tmp_path, callbacks=[seen.append])
    assert same(again, first)
    assert not seen


def test_nothing_is_kept_unasked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    learned()
    assert not [*tmp_path.iterdir()]


def test_the_newest_two_are_kept_and_no_more(tmp_path):
    learned(tmp_path / "made" / "for it")
    names = sorted(each.name for each in (tmp_path / "made" / "for it").iterdir())
    assert names == [f"training-{step:010d}.recurra" for step in (39, 40)]


def test_a_damaged_one_is_told_of_and_the_one_before_it_taken(tmp_path, caplog):
    with pytest.raises(Stopped):
        learned(tmp_path, callbacks=[stop_after(20)])
    newest = max(tmp_path.iterdir())
    newest.write_bytes(newest.read_bytes()[:-9])
    with caplog.at_level(logging.WARNING, "recurra.training"):
        assert same(learned(tmp_path), learned())
    assert newest.name in caplog.text


def test_where_all_are_damaged_nothing_is_begun_again_unasked(tmp_path):
    learned(tmp_path)
    for each in tmp_path.iterdir():
        each.write_bytes(each.read_bytes()[:-9])
    with pytest.raises(FileError, match=r"None of the 2 .* can be read.*resume=False"):
        learned(tmp_path)
    assert same(learned(tmp_path, resume=False), learned())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"options": replace(OPTIONS, learning_rate=0.5)},
            r"learning_rate=0.02, but now it is 0.5",
        ),
        ({"data": 4}, "other data.*resume=False"),
        ({"size": 7}, "another model"),
    ],
)
def test_another_training_is_refused_and_left_as_it_is(tmp_path, change, message):
    with pytest.raises(Stopped):
        learned(tmp_path, callbacks=[stop_after(20)])
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    with pytest.raises(OptionError, match=message):
        learned(tmp_path, **change)
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_without_resume_it_begins_again(tmp_path):
    learned(tmp_path, data=4)
    assert same(learned(tmp_path, resume=False), learned())


def test_no_folder_is_no_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="Nothing can be kept"):
        learned(tmp_path / "file" / "folder")


@pytest.mark.parametrize(
    "wrong", [{"seconds": -1}, {"steps": 0}, {"steps": 1.5}, {"keep": 0}, {"folder": 3}]
)
def test_impossible_values_are_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Checkpoints(**{"folder": "a", **wrong})


class Failing:
    """Stands for a call to the system; the n-th fails, as on a full disk."""

    def __init__(self, real, last):
        self.real, self.left = real, last

    def __call__(self, *given, **named):
        self.left -= 1
        if self.left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.real(*given, **named)


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("which", [1, 2, 5, 12])
def test_a_disk_that_is_full_costs_one_checkpoint_and_nothing_else(
    tmp_path, monkeypatch, caplog, call, which
):
    monkeypatch.setattr(os, call, Failing(getattr(os, call), which))
    with caplog.at_level(logging.WARNING, "recurra.training"), pytest.raises(Stopped):
        learned(tmp_path, callbacks=[stop_after(20)])
    assert "No space left" in caplog.text
    monkeypatch.undo()
    kept = sorted(each.name for each in tmp_path.iterdir())
    assert all(each.endswith(".recurra") for each in kept)  # nothing half written lies about
    assert Checkpoints(tmp_path).newest("training") is not None
    assert same(learned(tmp_path), learned())


CALLS = [(os, name) for name in ("write", "fsync", "replace", "unlink")] + [(tempfile, "mkstemp")]
FEW = replace(OPTIONS, steps=6, check_every=3)


@pytest.fixture
def begun_folder(tmp_path):
    """Give a function that makes a folder in which two steps of six are done."""
    with pytest.raises(Stopped):
        learned(tmp_path / "begun", FEW, [stop_after(3)])
    return lambda name: Path(shutil.copytree(tmp_path / "begun", tmp_path / name))


class Counting:
    """Stands for a call to the system and counts; fails, or kills, at the n-th, or from it on."""

    def __init__(self, monkeypatch, fails=0, ever=False):
        self.fails, self.ever, self.count = fails, ever, 0
        for module, name in CALLS:
            monkeypatch.setattr(module, name, self.counted(getattr(module, name)))

    def counted(self, real):
        def call(*given, **named):
            self.count += 1
            if self.fails and (self.count == self.fails or (self.ever and self.count > self.fails)):
                self.fail(real, *given)
            return real(*given, **named)

        return call

    def fail(self, *_):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("ever", [False, True])
def test_whichever_call_fails_there_is_always_one_to_go_on_from(begun_folder, monkeypatch, ever):
    whole = learned(options=FEW)
    with monkeypatch.context() as patch:
        counting = Counting(patch)
        learned(begun_folder("counted"), FEW)
    assert counting.count > 4 * len(CALLS)  # four saves are watched
    for n in range(1, counting.count + 1, 5 if ever else 1):
        folder = begun_folder(f"{n}")
        found = []

        def look(moment, folder=folder, found=found):
            found.append(len(Checkpoints(folder).newest("training")[1]["log/loss"]))

        with monkeypatch.context() as patch:
            Counting(patch, n, ever)
            result = learned(folder, FEW, [look])
        assert same(result, whole)  # for a training does not need its checkpoints
        assert found == sorted(found)
        found.append(len(Checkpoints(folder).newest("training")[1]["log/loss"]))
        assert found[0] == 2
        assert found[-1] >= (2 if ever else 5)
        assert same(learned(folder, FEW), whole)


class Deadly(Counting):
    """Kills at the n-th call; of what was to be written then, half is."""

    def fail(self, real, *given):
        if real.__name__ == "write":
            real(given[0], given[1][: len(given[1]) // 2])
        os.kill(os.getpid(), signal.SIGKILL)


def test_killed_inside_any_call_there_is_always_one_to_go_on_from(tmp_path):
    command = [sys.executable, __file__, "every call", str(tmp_path)]
    said = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True, stdout=-1
    )
    assert int(said.stdout) > 4 * len(CALLS)


def die_in_every_call(folder):
    """Beget a process for each call, which dies in it; go on from what it left."""
    whole, kills = learned(options=FEW), 0
    while True:
        here = folder / str(kills)
        if (born := os.fork()) == 0:
            Deadly(pytest.MonkeyPatch(), kills + 1)
            learned(here, FEW)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(born, 0)[1]) == 0:
            return kills
        assert not here.exists() or not [*here.iterdir()] or _first_is_whole(here)
        assert same(learned(here, FEW), whole)
        assert len(Checkpoints(here).newest("training")[1]["log/loss"]) == 6
        assert (
            len([*here.iterdir()]) <= 4
        )  # halves are cleared away by the next save, if there is one
        kills += 1


def _first_is_whole(folder):
    """Say whether there is nothing but a first one half written, or one that is whole."""
    there = [*folder.glob("training-*")]
    return not there or Checkpoints(folder).newest("training") is not None


def begun(folder, steps=400):
    """Start a training in a process of its own."""
    command = [sys.executable, __file__, str(folder), str(steps)]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})


def until_there_is_one(folder, process):
    deadline = time.monotonic() + 60
    while not [*folder.glob("*.recurra")]:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_killed_at_any_moment_it_comes_out_the_same(tmp_path):
    options, chance = replace(OPTIONS, steps=400), random.Random(0)
    kills = 0
    while kills < 5:
        process = begun(tmp_path)
        until_there_is_one(tmp_path, process)
        time.sleep(chance.uniform(0.0, 0.15))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        kills += 1
    assert same(learned(tmp_path, options), learned(options=options))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_asked_to_stop_it_keeps_what_there_is_and_leaves(tmp_path, number, status):
    process = begun(tmp_path, 10**6)
    until_there_is_one(tmp_path, process)
    asked = time.monotonic()
    process.send_signal(number)
    assert process.wait(timeout=20) in (status, -number)
    assert time.monotonic() - asked < 5
    header, arrays = Checkpoints(tmp_path).newest("training")
    assert not header["is_over"]
    assert len(arrays["log/loss"]) >= 1


if __name__ == "__main__" and sys.argv[1] == "every call":
    torch.set_num_threads(1)
    sys.stdout.write(str(die_in_every_call(Path(sys.argv[2]))))
elif __name__ == "__main__":
    learned(Path(sys.argv[1]), replace(OPTIONS, steps=int(sys.argv[2])))
