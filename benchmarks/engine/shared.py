"""What every worker shares: the case, its arrays, and the talk with run.py over stdin and stdout.

Needs numpy only, so that it runs in each peer's own environment.

A worker answers one JSON line with one JSON line. `prepare` builds the case and computes it once
for the comparison with torch; `time` calls it n times and returns the seconds of each call.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

import numpy as np

CELLS = {"rnn": 1, "lstm": 4, "gru": 3}
"""The cells and their gates, each with torch's equations and torch's order of gates."""
WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
SEED = 20
PEAK = (1024, 1024, 1024)

Arrays = dict[str, np.ndarray]
Call = Callable[[], object]
Results = Callable[[], Arrays]
Build = Callable[["Case", Arrays], tuple[Call, Results]]


class CannotRunError(Exception):
    """The contender cannot do this case; the message is the reason that is printed."""


@dataclass(frozen=True)
class Case:
    """One thing to compute: a layer of one cell over one batch."""

    cell: str
    shape: tuple[int, int, int, int]
    mode: str = "inference"
    ragged: bool = False
    threads: int = 1
    precision: str = "highest"

    @classmethod
    def read(cls, fields: dict[str, Any]) -> Case:
        return cls(**{**fields, "shape": tuple(fields["shape"])})

    @property
    def gates(self) -> int:
        return CELLS[self.cell]

    @property
    def training(self) -> bool:
        return self.mode == "training"

    @property
    def is_step(self) -> bool:
        """One step with a state that is carried from call to call."""
        return self.shape[1] == 1

    @property
    def layout(self) -> str:
        return "ragged" if self.ragged else "padded"

    @property
    def size(self) -> str:
        return "x".join(map(str, self.shape))

    def __str__(self) -> str:
        return f"{self.cell} {self.size} {self.mode} {self.layout} {self.threads}t"


def make_arrays(case: Case) -> Arrays:
    """Draw weights, input, state, lengths and the gradient of the output.

    The same for every mode and layout of a cell and shape; `gradient` is 0 beyond a record's end.
    """
    batch, time, inputs, hidden = case.shape
    rng = np.random.default_rng([SEED, case.gates, *case.shape])
    rows, bound = case.gates * hidden, hidden**-0.5

    def weight(*shape: int) -> np.ndarray:
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    drawn = [weight(rows, inputs), weight(rows, hidden), weight(rows), weight(rows)]
    arrays = dict(zip(WEIGHTS, drawn, strict=True))
    arrays["x"], arrays["gradient"] = normal(time, batch, inputs), normal(time, batch, hidden)
    before = 0.5 if case.is_step else 0.0
    arrays["h"], arrays["c"] = before * normal(batch, hidden), before * normal(batch, hidden)
    arrays["lengths"] = draw_lengths(case)
    arrays["gradient"] *= (np.arange(time)[:, None] < arrays["lengths"])[:, :, None]
    return arrays


def draw_lengths(case: Case) -> np.ndarray:
    """Draw the real steps of each record: a quarter of the time to all of it, evenly."""
    batch, time = case.shape[:2]
    if not case.ragged:
        return np.full(batch, time)
    rng = np.random.default_rng([SEED, batch, time])
    return rng.integers(max(1, time // 4), time, batch, endpoint=True)


def gemm_shape(name: str, case: Case) -> tuple[int, int, int]:
    """Rows, inner size and columns of a yardstick's product.

    `gemm-peak` is one shape that suits the machine, `gemm-gates` the case's own recurrent product.
    """
    batch, _, _, hidden = case.shape
    return PEAK if name == "gemm-peak" else (batch, hidden, case.gates * hidden)


def gate_order(array: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Put the blocks of rows, one a gate, in another order: a copy."""
    blocks = np.split(array, len(order))
    return np.concatenate([blocks[k] for k in order])


def serve(build: Build, versions: dict[str, str]) -> None:
    """Answer requests until stdin ends. What libraries print goes to stderr."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    reply(channel, {"versions": versions})
    call: Call | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "prepare":
                call = None
                gc.collect()
                call, answer = prepare(build, request)
            else:
                assert call is not None
                answer = {"seconds": time_calls(call, request["repetitions"], request["warm"])}
        except CannotRunError as error:
            answer = {"left_out": str(error)}
        except Exception as error:
            traceback.print_exc()
            answer = {"left_out": f"{type(error).__name__}: {str(error).strip()[:200]}"}
        reply(channel, answer)


def reply(channel: TextIO, answer: dict[str, Any]) -> None:
    channel.write(json.dumps(answer) + "\n")
    channel.flush()


def prepare(build: Build, request: dict[str, Any]) -> tuple[Call, dict[str, Any]]:
    """Build the case from its file of arrays, write the results of one call beside it."""
    with np.load(request["arrays"]) as file:
        arrays = dict(file)
    start = perf_counter()
    call, results = build(Case.read(request["case"]), arrays)
    found = results()
    taken = perf_counter() - start
    np.savez(Path(request["results"]), **found)
    return call, {"prepare_s": round(taken, 3)}


def time_calls(call: Call, repetitions: int, warm: int) -> list[float]:
    """Seconds of each call, after some that are not counted; no garbage collection meanwhile."""
    for _ in range(warm):
        call()
    gc.collect()
    gc.disable()
    taken = []
    for _ in range(repetitions):
        start = perf_counter()
        call()
        taken.append(perf_counter() - start)
    gc.enable()
    return taken
