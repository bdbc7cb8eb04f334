"""``recurra train --checkpoint``: stopped by whatever, the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from recurra.training import Checkpoints

STAYS = ("--id", "stay", "--time", "hour", "--target", "died")
SIZES = ("--steps", 40, "--hidden-size", 4)


@pytest.fixture
def stays(tmp_path):
    """Forty short stays."""
    random = np.random.default_rng(0)
    stay, hour = np.repeat(np.arange(40), 4), np.tile(np.arange(4), 40)
    columns = {"stay": stay, "hour": hour, "pulse": random.normal(stay % 2, 1), "died": stay % 2}
    pd.DataFrame(columns).to_csv(tmp_path / "stays.csv", index=False)
    return tmp_path / "stays.csv"


def stop_after(monkeypatch, steps, stop):
    """Let something stop a training when it is kept for the n-th time; each step is."""
    keep, left = Checkpoints.keep_now, [steps]

    def now(self, *given):
        keep(self, *given)
        left[0] -= 1
        if left[0] == 0:
            stop()

    monkeypatch.setattr(Checkpoints, "keep_now", now)
    made = Checkpoints.__init__

    def often(self, folder, *given, **named):
        made(self, folder, *given, **{**named, "steps": 1})

    monkeypatch.setattr(Checkpoints, "__init__", often)


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize("flags", [(), ("--no-resume",)])
def test_stopped_it_says_how_to_go_on_and_goes_on_to_the_same_model(
    recurra, stays, tmp_path, monkeypatch, flags
):
    whole, out, kept = tmp_path / "whole.recurra", tmp_path / "a.recurra", tmp_path / "kept"
    command = ("train", "classify", stays, *STAYS, *SIZES, "--checkpoint", kept)
    assert recurra(*command[:-2], "--out", whole).code == 0
    with monkeypatch.context() as patch:
        stop_after(patch, 17, interrupt)
        answer = recurra(*command, "--out", out, *flags)
    assert answer.code == 130
    assert "Traceback" not in answer.err
    (line,) = (each for each in answer.err.splitlines() if "stopped" in each)
    assert str(kept) in line
    assert ("without --no-resume" in line) == bool(flags)
    assert not out.exists()
    assert recurra(*command, "--out", out).code == 0
    assert same_weights(out, whole)


def same_weights(one, other):
    from recurra.artifact import read_model

    (_, mine), (_, its) = read_model(one), read_model(other)
    return all(np.array_equal(mine[name], its[name]) for name in its)


def test_what_is_kept_of_another_training_is_refused_unless_it_may_begin_again(
    recurra, stays, tmp_path
):
    command = ("train", "classify", stays, *STAYS, "--hidden-size", 4, "--quiet")
    kept = ("--checkpoint", tmp_path / "kept", "--out", tmp_path / "a.recurra")
    assert recurra(*command, *kept, "--steps", 5).code == 0
    answer = recurra(*command, *kept, "--steps", 6)
    assert answer.code == 2
    assert "steps=5, but now it is 6" in answer.err
    assert recurra(*command, *kept, "--steps", 6, "--no-resume").code == 0


def test_to_begin_again_a_folder_must_be_named(recurra, stays, tmp_path):
    out = tmp_path / "a.recurra"
    answer = recurra("train", "classify", stays, *STAYS, "--out", out, "--no-resume")
    assert answer.code == 2
    assert "--checkpoint DIR" in answer.err


def test_a_folder_that_is_a_file_is_refused(recurra, stays, tmp_path):
    out = tmp_path / "a.recurra"
    answer = recurra("train", "classify", stays, *STAYS, "--out", out, "--checkpoint", stays)
    assert answer.code == 2
    assert "Nothing can be kept" in answer.err


def test_without_a_folder_it_says_that_there_might_be_one(recurra, stays, tmp_path, monkeypatch):
    monkeypatch.setattr("recurra.training.course.Course.advance", lambda _self: interrupt())
    out = tmp_path / "a.recurra"
    answer = recurra("train", "classify", stays, *STAYS, "--out", out)
    assert answer.code == 130
    assert "--checkpoint DIR" in answer.err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_from_outside_keeps_the_training(tmp_path, stays, number, code):
    kept = tmp_path / "kept"
    words = ("train", "classify", stays, *STAYS, "--hidden-size", 4, "--steps", 10**6)
    command = [sys.executable, "-m", "recurra.cli", *map(str, words)]
    command += ["--checkpoint", str(kept), "--out", str(tmp_path / "a.recurra")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, stdout=-1, stderr=-1, text=True, env=environment, cwd=tmp_path
    )
    deadline = time.monotonic() + 120
    while not kept.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)  # the folder is made just before the first step
    time.sleep(1.0)
    process.send_signal(number)
    out, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert not out
    assert "Traceback" not in told
    assert f"kept in {kept}. The same command goes on" in told
    assert "\r" not in told  # no bar where nobody looks
    assert Checkpoints(kept).newest("training") is not None
