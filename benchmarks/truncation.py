"""How much memory a training needs that goes through a sequence of a million steps, in chunks.

Each training runs in a process of its own, once through the sequence, with one thread. It first
learns from 1000 steps, so that all modules are loaded and all small buffers are there; then the
data are made; then the kernel's mark of the largest resident memory is reset, and the training
begins. Reported are

- data: the sequence itself, one channel of float32 (of a text: one byte a letter);
- peak: the largest resident memory of the whole process while it trained;
- above: what of that was not there just before the training, the data being there already. It holds
  what an estimator makes of the data (numbers of float64, masks, tokens) and, for ``whole``, what
  the way back has to remember of each step. Of the loop, whose batch is made before, it is the
  latter alone.

``python benchmarks/truncation.py`` prints the table; ``--json`` prints the figures. Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from recurra import Forecaster, LanguageModel, Training
from recurra.estimators import NextStep
from recurra.layers import GRU
from recurra.training import train

CHUNK, UNITS = 500, 16
SHORT, LONG = 10_000, 1_000_000
MEBIBYTE = 2**20


def series(steps: int) -> np.ndarray:
    """Make one channel of float32."""
    times = np.arange(steps, dtype=np.float32)
    return np.sin(times / 7) + 0.1 * np.random.default_rng(0).standard_normal(steps, np.float32)


class Sequence:
    """One sequence of shape (1, time, 1), and what comes next."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.x, self.y = x, y

    def chunks(self, steps: int):
        """Cut along time; no number is copied."""
        for start in range(0, self.x.shape[1], steps):
            part = slice(start, start + steps)
            yield Sequence(self.x[:, part], self.y[:, part])


class Model(nn.Module):
    """A GRU that foretells the next value."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.out = GRU(1, UNITS, batch_first=True), nn.Linear(UNITS, 1)

    def loss(self, batch, state=None):
        """Add up squared errors."""
        hidden, state = self.layer(batch.x, state)
        miss = self.out(hidden) - batch.y
        return miss.square().sum(), torch.tensor(miss.numel()), state


def options(steps: int, chunk: int | None) -> Training:
    """Train once through the sequence."""
    count = 1 if chunk is None else max(steps // chunk, 1)
    once = {"batch_size": 1, "patience": None, "check_every": count, "progress": False}
    return Training(steps=count, truncation=chunk, warmup=0, learning_rate=1e-3, **once)


def loop(steps: int, chunk: int | None):
    """Train a network with the loop, as one does without an estimator."""
    x = torch.from_numpy(series(steps + 1))[None, :, None]
    batch = Sequence(x[:, :-1], x[:, 1:])
    return lambda: train(Model(), iter([batch]), options(steps, chunk))


def next_step(steps: int, chunk: int | None):
    """Fit `NextStep` to one record."""
    rows, training = [series(steps)[:, None]], options(steps, chunk)
    return lambda: NextStep(hidden_size=UNITS, training=training).fit(rows)


def language(steps: int, chunk: int | None):
    """Fit `LanguageModel` to one text, in one row."""
    text = ("the cat sat on the mat; the dog sat on the log. " * (steps // 48 + 1))[:steps]
    training = options(steps, chunk)
    return lambda: LanguageModel(hidden_size=UNITS, training=training).fit(text)


def forecaster(steps: int, chunk: int | None):
    """Fit `Forecaster` to one series, in one window of nine tenths of it."""
    frame = pd.DataFrame({"unique_id": "a", "ds": np.arange(steps), "y": series(steps)})
    window, training = steps * 9 // 10, options(steps * 9 // 10, chunk)
    model = Forecaster(hidden_size=UNITS, context=window, season_length=1, training=training)
    return lambda: model.fit(frame)


TASKS = {each.__name__: each for each in (loop, next_step, language, forecaster)}


def resident(name: str = "VmRSS") -> int:
    """Read how much memory this process has, or had at most (``VmHWM``), in bytes."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def measure(task: str, steps: int, chunk: int | None) -> dict[str, float]:
    """Train once, in this process, and say what it took."""
    torch.set_num_threads(1)
    TASKS[task](1000, min(chunk or 100, 100))()
    learn = TASKS[task](steps, chunk)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the mark of the largest is set back
    before, begun = resident(), time.perf_counter()
    learn()
    return {
        "data": steps * (1 if task == "language" else 4) / MEBIBYTE,
        "peak": resident("VmHWM") / MEBIBYTE,
        "above": (resident("VmHWM") - before) / MEBIBYTE,
        "seconds": time.perf_counter() - begun,
    }


def in_own_process(task: str, steps: int, chunk: int | None = CHUNK) -> dict[str, float]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--one", task, str(steps), str(chunk or 0)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--one", nargs=3, metavar=("TASK", "STEPS", "CHUNK"))
    parser.add_argument("--tasks", nargs="+", default=[*TASKS])
    given = parser.parse_args()
    if given.one:
        task, steps, chunk = given.one[0], int(given.one[1]), int(given.one[2])
        print(json.dumps(measure(task, steps, chunk or None)))
        return
    print(f"GRU or LSTM of {UNITS} units, chunks of {CHUNK} steps, one thread; MiB")
    print(f"{'':<12}{'steps':>10}{'chunk':>8}{'data':>8}{'peak':>8}{'above':>8}{'seconds':>9}")
    for task in given.tasks:
        for steps, chunk in ((SHORT, CHUNK), (LONG, CHUNK), (SHORT, None), (10 * SHORT, None)):
            row = in_own_process(task, steps, chunk)
            cut = "whole" if chunk is None else str(chunk)
            told = "".join(f"{row[name]:>8.1f}" for name in ("data", "peak", "above"))
            print(f"{task:<12}{steps:>10}{cut:>8}{told}{row['seconds']:>9.1f}", flush=True)


if __name__ == "__main__":
    main()
