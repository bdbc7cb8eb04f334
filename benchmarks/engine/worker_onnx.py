"""ONNX Runtime, inference: a graph of one RNN, LSTM or GRU node, `worker_onnx.py NAME THREADS`.

Values stay in OrtValues between calls, so that nothing is copied to NumPy inside the clock.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from shared import Arrays, Call, CannotRunError, Case, Results, gate_order, serve

THREADS = int(sys.argv[2])
OPSET, IR_VERSION = 17, 8
ORDERS = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
"""Torch's gates in ONNX's order: i, o, f, c for LSTM and z, r, h for GRU."""


def make_model(case: Case, arrays: Arrays) -> onnx.ModelProto:
    batch, time, inputs, hidden = case.shape
    w_ih, w_hh, b_ih, b_hh = (
        gate_order(arrays[name], ORDERS[case.cell])
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    constants = {"W": w_ih[None], "R": w_hh[None], "B": np.concatenate([b_ih, b_hh])[None]}
    extra = {"linear_before_reset": 1} if case.cell == "gru" else {}
    letters = "hc" if case.cell == "lstm" else "h"
    before, after = ([f"{letter}_{when}" for letter in letters] for when in ("before", "after"))
    lengths = "lengths" if case.ragged else ""
    node = helper.make_node(
        case.cell.upper(),
        ["x", "W", "R", "B", lengths, *before],
        ["y", *after],
        hidden_size=hidden,
        **extra,
    )

    def value(name: str, *shape: int, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    graph_inputs = [value("x", time, batch, inputs)]
    graph_inputs += [value("lengths", batch, kind=TensorProto.INT32)] if case.ragged else []
    graph_inputs += [value(name, 1, batch, hidden) for name in before]
    graph_outputs = [value("y", time, 1, batch, hidden)]
    graph_outputs += [value(name, 1, batch, hidden) for name in after]
    weights = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph([node], "layer", graph_inputs, graph_outputs, weights)
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def make_session(case: Case, arrays: Arrays) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    model = make_model(case, arrays).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def build(case: Case, arrays: Arrays) -> tuple[Call, Results]:
    if case.training:
        raise CannotRunError("inference only")
    session = make_session(case, arrays)
    as_value = onnxruntime.OrtValue.ortvalue_from_numpy
    letters = "hc" if case.cell == "lstm" else "h"
    feed = {"x": as_value(arrays["x"])}
    feed |= {f"{letter}_before": as_value(arrays[letter][None]) for letter in letters}
    if case.ragged:
        feed["lengths"] = as_value(arrays["lengths"].astype(np.int32))
    names = ["y", *(f"{letter}_after" for letter in letters)]

    def run() -> Any:
        found = session.run_with_ort_values(names, feed)
        if case.is_step:
            feed.update({f"{k}_before": v for k, v in zip(letters, found[1:], strict=True)})
        return found

    def results() -> Arrays:
        output, *last = (value.numpy() for value in run())
        states = {letter: part[0] for letter, part in zip(letters, last, strict=True)}
        return {"output": output[:, 0], **states}

    return run, results


if __name__ == "__main__":
    serve(build, {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__})
