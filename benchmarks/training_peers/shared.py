"""What every peer shares: the clock, the threads, the task, and turns on standard input.

Import it first: it starts the clock of a cold process, and fixes the number of threads for whatever
is imported after it. It imports nothing heavier than NumPy, and that only when the task is made.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from time import perf_counter, process_time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

BEGUN = perf_counter()
WINDOWS, STEPS, HIDDEN, BATCH, EPOCHS, RATE = 2000, 48, 32, 32, 20, 1e-3
ROUNDS = -(-WINDOWS // BATCH)  # batches in an epoch
THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))
LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
LIMITS += ("NPROC", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")  # XLA, TensorFlow
os.environ.update(dict.fromkeys(LIMITS, str(THREADS)), TF_CPP_MIN_LOG_LEVEL="2")
warnings.filterwarnings("ignore")


class Task(NamedTuple):
    """Windows of noise, and the sum of each one's last five values."""

    x: np.ndarray  # (windows, steps, 1), float32
    y: np.ndarray  # (windows,), float32

    @classmethod
    def make(cls) -> Task:
        import numpy as np

        x = np.random.default_rng(0).normal(size=(WINDOWS, STEPS, 1)).astype(np.float32)
        return cls(x, x[:, -5:, 0].sum(1))


class Fitted(NamedTuple):
    """What came of a training: its last loss, its gradient steps, its weights."""

    loss: float
    steps: int
    weights: int


def take_turns(name: str, version: str, fit: Callable[[Task], Fitted]) -> None:
    """Fit once, print one JSON line, and once more for each line on standard input.

    Of the first line, `import_s` and `fit_s` together are those of a cold process.
    """
    lines = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    import_s = perf_counter() - BEGUN
    task = Task.make()
    while True:
        clock, processor = perf_counter(), process_time()
        fitted = fit(task)
        told = {
            "name": name,
            "version": version,
            "threads": THREADS,
            "import_s": round(import_s, 4),
            "fit_s": round(perf_counter() - clock, 4),
            "processor_s": round(process_time() - processor, 4),
            **fitted._asdict(),
        }
        print(json.dumps(told), file=lines, flush=True)
        if not sys.stdin.readline():
            return
