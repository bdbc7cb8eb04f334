"""OpenVINO, inference: one RNN, LSTM or GRU sequence, `worker_openvino.py NAME THREADS`.

Asked for float32: where the machine has AMX or AVX-512 BF16 it would take bfloat16 by itself.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import openvino
from openvino import opset8 as ops
from shared import Arrays, Call, CannotRunError, Case, Results, gate_order, serve

THREADS = int(sys.argv[2])
ORDERS = {"rnn": (0,), "lstm": (1, 0, 2, 3), "gru": (1, 0, 2)}
"""Torch's gates in OpenVINO's order: f, i, c, o for LSTM and z, r, h for GRU."""
SEQUENCES = {"rnn": ops.rnn_sequence, "lstm": ops.lstm_sequence, "gru": ops.gru_sequence}
SETTINGS = {
    "INFERENCE_NUM_THREADS": THREADS,
    "NUM_STREAMS": 1,
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
}


def make_constants(case: Case, arrays: Arrays) -> list[Any]:
    """Weights and biases; biases that are only ever added together come as their sum."""
    w_ih, w_hh, b_ih, b_hh = (
        gate_order(arrays[name], ORDERS[case.cell])
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    bias = b_ih + b_hh
    if case.cell == "gru":
        last = slice(2 * case.shape[3], None)
        bias = np.concatenate([bias[: last.start], b_ih[last], b_hh[last]])
    return [ops.constant(array[None]) for array in (w_ih, w_hh, bias)]


def make_model(case: Case, arrays: Arrays) -> openvino.Model:
    batch, time, inputs, hidden = case.shape
    letters = "hc" if case.cell == "lstm" else "h"
    x = ops.parameter([batch, time, inputs], np.float32)
    before = [ops.parameter([batch, 1, hidden], np.float32) for _ in letters]
    lengths = ops.constant(np.full(batch, time, np.int32))
    given = []
    if case.ragged:
        lengths = ops.parameter([batch], np.int32)
        given = [lengths]
    constants = make_constants(case, arrays)
    more: dict[str, Any] = {"linear_before_reset": True} if case.cell == "gru" else {}
    more |= {"activations": ["tanh"]} if case.cell == "rnn" else {}
    node = SEQUENCES[case.cell](x, *before, lengths, *constants, hidden, "forward", **more)
    outputs = [node.output(k) for k in range(1 + len(letters))]
    return openvino.Model(outputs, [x, *before, *given])


def build(case: Case, arrays: Arrays) -> tuple[Call, Results]:
    if case.training:
        raise CannotRunError("inference only")
    compiled = openvino.Core().compile_model(make_model(case, arrays), "CPU", SETTINGS)
    request = compiled.create_infer_request()
    letters = "hc" if case.cell == "lstm" else "h"
    feed = {0: np.ascontiguousarray(arrays["x"].swapaxes(0, 1))}
    feed |= {1 + k: arrays[letter][:, None] for k, letter in enumerate(letters)}
    if case.ragged:
        feed[1 + len(letters)] = arrays["lengths"].astype(np.int32)

    def run() -> Any:
        found = request.infer(feed, share_inputs=True, share_outputs=not case.is_step)
        if case.is_step:
            feed.update({1 + k: found[1 + k] for k in range(len(letters))})
        return found

    def results() -> Arrays:
        found = run()
        states = {letter: found[1 + k][:, 0].copy() for k, letter in enumerate(letters)}
        return {"output": found[0][:, 0].swapaxes(0, 1).copy(), **states}

    return run, results


if __name__ == "__main__":
    serve(build, {"openvino": openvino.__version__})
