"""One step without a framework: `worker_numpy.py NAME THREADS`.

NAME is numpy, a step written plainly in NumPy, or runtime, Recurra's NumPy-only runtime.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from shared import Arrays, Call, CannotRunError, Case, Results, serve

NAME = sys.argv[1]
State = tuple[np.ndarray, ...]
Step = Callable[[np.ndarray, State], State]


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def make_step(case: Case, arrays: Arrays) -> Step:
    """The cell's equation as one would write it, products of both weights laid side by side."""
    w_ih, w_hh = arrays["weight_ih"].T.copy(), arrays["weight_hh"].T.copy()
    b_ih, b_hh, size = arrays["bias_ih"], arrays["bias_hh"], case.shape[3]
    both, bias = np.vstack([w_ih, w_hh]), b_ih + b_hh

    def rnn(x: np.ndarray, state: State) -> State:
        return (np.tanh(np.concatenate([x, state[0]], 1) @ both + bias),)

    def lstm(x: np.ndarray, state: State) -> State:
        h, c = state
        a = np.concatenate([x, h], 1) @ both + bias
        i, f, g, o = (a[:, k * size : (k + 1) * size] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def gru(x: np.ndarray, state: State) -> State:
        (h,) = state
        u, v = x @ w_ih + b_ih, h @ w_hh + b_hh
        r, z = np.split(sigmoid(u[:, : 2 * size] + v[:, : 2 * size]), 2, axis=1)
        n = np.tanh(u[:, 2 * size :] + r * v[:, 2 * size :])
        return (n + z * (h - n),)

    return {"rnn": rnn, "lstm": lstm, "gru": gru}[case.cell]


def make_runtime(case: Case, arrays: Arrays) -> tuple[Call, Results]:
    """Recurra's runtime, whose stepper carries the state; torch is here to save the layer only."""
    import torch

    from recurra import layers, runtime

    layer = getattr(layers, case.cell.upper())(*case.shape[2:])
    layer.load_state_dict(
        {f"{name}_l0": torch.from_numpy(arrays[name]) for name in ("weight_ih", "weight_hh")}
        | {f"{name}_l0": torch.from_numpy(arrays[name]) for name in ("bias_ih", "bias_hh")}
    )
    with tempfile.TemporaryDirectory() as folder:
        layer.save(f"{folder}/layer.recurra")
        stepper = runtime.load(f"{folder}/layer.recurra").stepper(batch=case.shape[0])
    letters = "hc" if case.cell == "lstm" else "h"
    start = tuple(arrays[letter][None] for letter in letters)
    stepper.state = start if len(start) > 1 else start[0]
    x, step = np.ascontiguousarray(arrays["x"][0]), stepper.step

    def results() -> Arrays:
        output = step(x)[None]
        after = stepper.state if len(start) > 1 else (stepper.state,)
        return {"output": output} | {
            letter: part[0] for letter, part in zip(letters, after, strict=True)
        }

    return lambda: step(x), results


def build(case: Case, arrays: Arrays) -> tuple[Call, Results]:
    if case.training or not case.is_step:
        raise CannotRunError("one step of inference only")
    if NAME == "runtime":
        return make_runtime(case, arrays)
    step = make_step(case, arrays)
    letters = "hc" if case.cell == "lstm" else "h"
    x, state = arrays["x"][0], tuple(arrays[letter] for letter in letters)

    def run() -> Any:
        nonlocal state
        state = step(x, state)
        return state

    def results() -> Arrays:
        return {"output": run()[0][None], **dict(zip(letters, state, strict=True))}

    return run, results


if __name__ == "__main__":
    serve(build, {"numpy": np.__version__})
